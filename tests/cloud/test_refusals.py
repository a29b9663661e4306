"""The simulated cloud refuses what real services refuse: here they say so."""

import pytest
from openstack import exceptions

from tests.refusals import CASES, At

pytestmark = [
    pytest.mark.cloud,
    pytest.mark.filterwarnings('ignore::openstack.warnings.RemovedInSDK50Warning'),
    pytest.mark.filterwarnings('ignore::openstack.warnings.RemovedInSDK60Warning'),
]


@pytest.mark.parametrize('name', CASES)
def test_a_real_service_refuses(name, owner, admin):
    ask, status, said = CASES[name]
    with pytest.raises(exceptions.HttpException) as refusal:
        ask(At(owner.cloud, admin, owner.session.get_project_id()))
    told = str(refusal.value)
    assert (refusal.value.status_code, said in told) == (status, True), told
