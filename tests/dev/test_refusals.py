"""The simulated cloud refuses what real services refuse; tests/cloud asks those the same."""

import pytest
from openstack import exceptions

from magnum_lite_dev.sim_cloud import SimCloud
from tests.dev.test_sim_cloud import connect, serving
from tests.refusals import CASES, At

pytestmark = [
    pytest.mark.filterwarnings(f'ignore::openstack.warnings.RemovedInSDK{number}Warning')
    for number in (50, 60)
]


@pytest.mark.parametrize('name', CASES)
def test_the_simulated_cloud_refuses(name):
    ask, status, said = CASES[name]
    with serving(SimCloud()) as url, pytest.raises(exceptions.HttpException) as refusal:
        ask(At(connect(url), connect(url, 'admin:admin'), 'blue'))
    told = str(refusal.value)
    assert (refusal.value.status_code, said in told) == (status, True), told
