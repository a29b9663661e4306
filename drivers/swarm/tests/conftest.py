"""What the tests of the driver share."""

import pytest

from magnum_lite.driver_sdk.testing import example
from magnum_lite_swarm.driver import Swarm

# The tests of a driver run from its own folder too, where nothing names the folders above.
from .managers import Authority, Managers
from .node import Node


@pytest.fixture
def driver():
    """The driver."""
    return Swarm()


@pytest.fixture
def make_spec(driver):
    """``make_spec(**changes)``: an example cluster on virtual machines."""

    def make(**changes):
        return example.spec(driver, **{'server_type': 'vm'} | changes)

    return make


@pytest.fixture
def make_node(tmp_path, make_spec):
    """``make_node(role, **changes of the spec)``; ``managers`` and ``index`` are the node's."""

    def make(role='master', *, managers=('10.0.0.5',), index=0, **changes):
        spec = make_spec(**changes)
        group = spec.control_plane if role == 'master' else spec.worker_groups[0]
        return Node(tmp_path, spec, group, managers=managers, index=index)

    return make


@pytest.fixture
def authority():
    """The authority of a cluster's API."""
    return Authority()


@pytest.fixture
def managers(tmp_path, authority):
    """Managers whose API answers."""
    found = Managers(tmp_path, authority)
    yield found
    found.stop()
