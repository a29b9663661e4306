"""What servers are given, on the real Heat with the simulated cloud."""

import json
import subprocess

import pytest

from magnum_lite.driver_sdk import boot
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.cloud_rules import finish
from magnum_lite.driver_sdk.testing.template import written
from magnum_lite_swarm import engine, files

LIBRARY = '/usr/local/lib/magnum-lite'


def env(text, *names_of):
    """Values of variables of an environment file, as bash reads them."""
    script = '. /dev/stdin; ' + '; '.join(f'printf "%s\\0" "${name}"' for name in names_of)
    done = subprocess.run(
        ['bash', '-euc', script], input=text, text=True, capture_output=True, check=True
    )
    return done.stdout.split('\0')[:-1]


@pytest.fixture(scope='module')
def made():
    """{'spec':, 'master':, 'worker':}: the user data of the two servers of one cluster."""
    return {}


class TestUserData:
    """What servers were given, from one cluster with hostile text."""

    @pytest.fixture
    def given(self, made, driver, real_cloud, make_spec, user_data):
        if not made:
            spec = example.hostile(make_spec(http_proxy='http://ann:p%40ss%25s%24x@[fd00::5]:3128'))
            existing = set(user_data())
            finish(lambda: driver.create(real_cloud, spec))
            made.update(
                {
                    'master' if 'master' in name else 'worker': text
                    for name, text in user_data().items()
                    if name not in existing
                }
            )
            made['spec'] = spec
            finish(lambda: driver.delete(real_cloud, spec))
        return made

    @pytest.mark.parametrize('role', ['master', 'worker'])
    def test_it_fits_into_nova(self, given, role):
        assert len(given[role].encode()) <= 49151  # 65535 after base64

    def test_files_arrive_byte_for_byte(self, given):
        manager, worker = written(given['master']), written(given['worker'])
        for found in (manager, worker):
            assert found[boot.PATH] == boot.text()
            assert found[f'{LIBRARY}/engine.sh'] == files.text('scripts/engine.sh')
        assert manager[f'{LIBRARY}/door.sh'] == files.text('scripts/door.sh')
        door = manager['/etc/systemd/system/magnum-lite-door.service']
        assert door == files.text('cloud_init/door.service')

    def test_a_worker_is_given_no_key_but_that_by_which_it_joins(self, given):
        spec = given['spec']
        for purpose, secret in spec.secrets.items():
            if not secret.value:
                continue
            body = secret.value.splitlines()[1]
            # By what the service signs for nodes that join, no node does.
            is_its_own = purpose in ('ca.join.key', 'ca.join.cert', 'ca.join.cross')
            assert (body in given['master']) is not is_its_own, purpose
            assert (body in given['worker']) is (purpose in ('ca.docker.trusted', 'bootstrap'))

    @pytest.mark.parametrize('role', ['master', 'worker'])
    def test_a_node_reads_what_the_user_wrote(self, given, role):
        spec = given['spec']
        group = spec.control_plane if role == 'master' else spec.worker_groups[0]
        text = written(given[role])['/etc/magnum-lite/node.env']
        daemon, proxy = env(text, 'ENGINE', 'HTTP_PROXY')
        assert json.loads(daemon) == engine.daemon(spec, group)
        assert proxy == spec.http_proxy
        if role == 'worker':
            assert f'example.org/x={example.HOSTILE}' in json.loads(daemon)['labels']

    def test_every_node_is_told_of_the_managers(self, given):
        for role in ('master', 'worker'):
            text = written(given[role])['/etc/magnum-lite/stack.env']
            assert len(env(text, 'MANAGERS')[0].split()) == 1
            signal = json.loads(written(given[role])['/etc/magnum-lite/signal.json'])
            assert signal['alarm_url'].endswith('/signal')
