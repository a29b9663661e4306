"""New authorities of a swarm, while its tenant works with the files that they have."""

import subprocess
import time

import pytest

from magnum_lite_dev.rig import PATIENCE_S
from tests.clusters.swarm import Docker

pytestmark = [pytest.mark.nodes, pytest.mark.needs('docker')]


@pytest.fixture
def alone(api, template, tmp_path):
    """A cluster of one manager."""
    path = f'/v1/clusters/{api.cluster(template, name="alone", node_count=0)}'
    api.wait(path, status='CREATE_COMPLETE')
    (tmp_path / 'old').mkdir()
    yield Docker(api, path, tmp_path / 'old')
    api.ok('DELETE', path)
    api.gone(path)


def test_clients_go_on_with_their_files_until_nothing_old_is_trusted(api, alone, tmp_path):
    tokens = alone.run('swarm', 'join-token', '--quiet', 'worker').stdout
    api.ok('PATCH', f'/v1/certificates/{alone.cluster["uuid"]}')
    until, seen = time.monotonic() + 3 * PATIENCE_S, []
    while (status := api.ok('GET', alone.path)['status']) == 'UPDATE_IN_PROGRESS':
        assert time.monotonic() < until, api.ok('GET', f'{alone.path}/operations')
        authorities = api.ok('GET', f'/v1/certificates/{alone.cluster["uuid"]}')['pem']
        signs = authorities.index('-----END')
        try:
            alone.run('info')
            seen.append((authorities.count('BEGIN'), authorities[:signs]))
        except subprocess.SubprocessError as error:
            # The only manager is away for a while, and at the end it believes them no more.
            assert 'certificate' not in str(error.stderr) or authorities.count('BEGIN') == 1
        time.sleep(0.5)
    assert status == 'UPDATE_COMPLETE', api.ok('GET', alone.path)['status_reason']
    # They worked while the old authority signed and while the new one did.
    assert len({signing for count, signing in seen if count == 2}) == 2
    with pytest.raises(subprocess.CalledProcessError):
        alone.run('info')
    (tmp_path / 'new').mkdir()
    new = Docker(api, alone.path, tmp_path / 'new')
    assert list(new.ready().values()) == ['manager']
    assert new.run('swarm', 'join-token', '--quiet', 'worker').stdout != tokens
