"""The authority of the swarm itself, which managers replace when that of their API was."""

import zlib

import pytest

from magnum_lite.driver_sdk import Secret
from magnum_lite.driver_sdk.testing import example
from magnum_lite_swarm import root

from .managers import node


@pytest.fixture
def spec(driver, make_spec, authority):
    return make_spec(secrets={**example.secrets(driver), **authority.secrets})


def test_it_is_replaced_once_with_the_tokens_and_waited_for(spec, managers):
    managers.add(node('m0', role='manager'), node('w0'))
    assert 'new authority' in root.step(spec, managers.url).reason
    trusted = spec.secrets['ca.docker.trusted'].value
    assert managers.swarm['Spec'] == {
        'Name': 'default',
        'CAConfig': {'NodeCertExpiry': 1, 'ForceRotate': zlib.crc32(trusted.encode())},
    }
    (update,) = (call for call in managers.asked if call.startswith('POST'))
    assert update.endswith('version=1&rotateWorkerToken=true&rotateManagerToken=true')
    assert root.step(spec, managers.url).trouble == ''
    managers.swarm['RootRotationInProgress'] = False
    assert root.step(spec, managers.url) is None
    assert sum(call.startswith('POST') for call in managers.asked) == 1


def test_a_node_that_is_down_is_named_since_it_would_be_waited_for(spec, managers):
    managers.add(node('m0', role='manager'), node('w0', state='down'))
    assert 'w0 cannot get one' in root.step(spec, managers.url).trouble


def test_it_stays_while_an_older_authority_of_the_api_is_trusted(spec, managers):
    trusted = spec.secrets['ca.docker.trusted'].value
    spec.secrets['ca.docker.trusted'] = Secret('both', trusted * 2)
    assert root.step(spec, managers.url) is None and managers.asked == []


def test_a_swarm_that_does_not_answer_is_trouble(spec, managers):
    managers.refusal = 503, 'no leader'
    assert 'answers 503: no leader' in root.step(spec, managers.url).trouble
