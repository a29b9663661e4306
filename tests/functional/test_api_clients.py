"""What real clients send, byte for byte: a gabbi file each, with a conductor and a real Heat."""

import pytest

from magnum_lite_dev.rig.tiny import Tiny
from tests import fixtures
from tests.functional.test_api import FOLDER, run

FILES = sorted(FOLDER.glob('client_*.yaml'))


class Kubernetes(Tiny):
    """Small stacks under the name that clients know."""

    name = 'kubernetes'
    coe = 'kubernetes'
    config_schema = {**Tiny.config_schema, 'attributes': {'volume_driver': ['cinder']}}


@pytest.fixture
def api(conf):
    """The service with a worker."""
    with fixtures.working(conf, Kubernetes()) as running:
        yield running


@pytest.mark.parametrize('path', FILES, ids=[path.stem for path in FILES])
def test_a_client(path, api):
    run(path, api, failfast=True)
