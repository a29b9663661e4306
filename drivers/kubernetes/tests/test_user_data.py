"""What servers are given, on the real Heat with the simulated cloud."""

import email
import json
import subprocess

import pytest

from magnum_lite.driver_sdk import boot
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.cloud_rules import finish
from magnum_lite.driver_sdk.testing.template import written
from magnum_lite_kubernetes import files, kubeadm


def env(text, *names_of):
    """Values of variables of an environment file, as bash reads them."""
    script = '. /dev/stdin; ' + '; '.join(f'printf "%s\\0" "${name}"' for name in names_of)
    done = subprocess.run(
        ['bash', '-euc', script], input=text, text=True, capture_output=True, check=True
    )
    return done.stdout.split('\0')[:-1]


# Legal values that mean something to one of those who hand them on.
WRITTEN = {
    'http_proxy': 'http://ann:p%40ss%25s%24signal@[fd00::5]:3128',
    'no_proxy': '.example.org,fd00::/64,192.0.2.0/24',
    'config': {
        'manifests_url': 'https://a/$node_env{b,c}[1-2]?x=%40&y=$(id)`id`"%s"\\#:-!z',
        'manifests_sha256': '0' * 64,
        'registry_mirror': 'https://[fd00::6]:5000/k',
        'container_infra_prefix': 'r.example:5000/a__b/c-d/',
        'pause_tag': '3.10.2',
    },
}


@pytest.fixture(scope='module')
def made():
    """{'spec':, 'master':, 'worker':}: the user data of the two servers of one cluster."""
    return {}


class TestUserData:
    """What servers were given, from one cluster with hostile text."""

    @pytest.fixture
    def given(self, made, driver, real_cloud, make_spec, user_data):
        if not made:
            spec = example.hostile(make_spec(**WRITTEN))
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
        spec = given['spec']
        control_plane, worker = written(given['master']), written(given['worker'])
        lib = '/usr/local/lib/magnum-lite'
        for found in (control_plane, worker):
            assert found[boot.PATH] == boot.text()
            for name in ('prepare.sh', 'ready.sh'):
                assert found[f'{lib}/{name}'] == files.text(f'scripts/{name}')
            for name in ('containerd_v2.toml', 'containerd_v3.toml'):
                assert found[f'{lib}/{name}'] == files.text(f'cloud_init/{name}')
        pki = '/etc/kubernetes/pki'
        for path, purpose in (
            (f'{pki}/ca.key', 'ca.kubernetes.key'),
            (f'{pki}/etcd/ca.crt', 'ca.etcd.cert'),
            (f'{pki}/front-proxy-ca.key', 'ca.front_proxy.key'),
            (f'{pki}/sa.key', 'service_account'),
        ):
            assert control_plane[path] == spec.secrets[purpose].value
        assert worker['/etc/magnum-lite/ca.crt'] == spec.secrets['ca.kubernetes.cert'].value

    def test_a_worker_is_given_no_key(self, given):
        for purpose, secret in given['spec'].secrets.items():
            if purpose.endswith(('.trusted', '.cross')):  # for drivers that replace authorities
                continue
            body = secret.value.splitlines()[1] if '\n' in secret.value else secret.value
            wanted = purpose in ('ca.kubernetes.cert', 'bootstrap')
            assert (body in given['worker']) is wanted, purpose
            assert body in given['master'], purpose

    def test_a_node_reads_what_the_user_wrote(self, given):
        spec = given['spec']
        text = written(given['worker'])['/etc/magnum-lite/node.env']
        (join,) = env(text, 'KUBEADM_JOIN')
        assert json.loads(join) == kubeadm.join(spec, spec.worker_groups[0])
        assert example.HOSTILE in str(json.loads(join)['nodeRegistration']['taints'][0]['key'])

    @pytest.mark.parametrize('role', ['master', 'worker'])
    def test_what_means_something_to_heat_yaml_or_bash_arrives(self, given, role):
        text = written(given[role])['/etc/magnum-lite/node.env']
        assert env(text, 'HTTP_PROXY', 'REGISTRY_MIRROR', 'SANDBOX_IMAGE') == [
            WRITTEN['http_proxy'],
            WRITTEN['config']['registry_mirror'],
            WRITTEN['config']['container_infra_prefix'] + 'pause:3.10.2',
        ]
        assert env(text, 'NO_PROXY')[0].startswith(WRITTEN['no_proxy'])
        if role == 'master':
            assert env(text, 'MANIFESTS_URL') == [WRITTEN['config']['manifests_url']]

    def test_the_signal_is_json_and_the_key_has_no_comment(self, given):
        for role in ('master', 'worker'):
            signal = json.loads(written(given[role])['/etc/magnum-lite/signal.json'])
            assert signal['alarm_url'].endswith('/signal')
            config = email.message_from_string(given[role]).get_payload(0).get_payload()
            assert 'ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA]\n' in config
