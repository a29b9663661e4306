"""The health of a swarm, by managers with real certificates."""

import dataclasses
import socket

import pytest

from magnum_lite.driver_sdk import Network

from .managers import Authority, Managers, node


@pytest.fixture
def look(driver, make_spec, authority, managers):
    """``look(**changes of the spec)``: what a monitor says."""

    def look(*, url=managers.url, timeout_s=10, **changes):
        spec = make_spec(secrets=authority.secrets, api_address=url, **changes)
        return driver.get_monitor(None, spec).look(timeout_s=timeout_s)

    return look


def test_a_swarm_whose_nodes_are_ready_is_healthy(look, managers):
    managers.add(node('m0', role='manager'), node('w0'), node('w1', availability='drain'))
    health = look()
    assert health.status == 'HEALTHY'
    assert health.reason == {
        'api': 'ok',
        'managers': '1 of 1 reachable',
        'nodes': '3 of 3 ready, 1 take no tasks',
        'w1.Availability': 'drain',
    }
    assert managers.asked == ['GET /nodes']


def test_what_is_down_or_not_reachable_is_named(look, managers):
    managers.add(
        *(node('m0', role='manager'), node('m1', role='manager', state='down')),
        *(node('w0'), node('w1', state='down')),
    )
    health = look()
    assert health.status == 'UNHEALTHY'
    assert health.reason == {
        'api': 'ok',
        'managers': '1 of 2 reachable',
        'nodes': '2 of 4 ready',
        'm1.Ready': 'False',
        'w1.Ready': 'False',
    }


def test_a_lost_node_whose_place_another_took_is_not_missed(look, managers):
    managers.add(node('m0', role='manager'), node('w0'))
    managers.add(node('w0', state='down') | {'ID': 'old'})
    assert look().status == 'HEALTHY'


def test_a_swarm_of_many_ill_nodes_names_some(look, managers):
    managers.add(*(node(f'w{index}', state='down') for index in range(100)))
    health = look()
    assert health.reason['nodes'] == '0 of 100 ready'
    assert len(health.reason) == 43


def test_a_manager_without_a_leader_is_ill(look, managers):
    managers.refusal = 503, 'The swarm does not have a leader'
    health = look()
    assert health.status == 'UNHEALTHY'
    assert health.reason == {
        'api': 'ok',
        'managers': 'answers 503: The swarm does not have a leader',
    }


def test_what_is_not_the_cluster_is_not_believed_and_learns_nothing(look, tmp_path, managers):
    (tmp_path / 'other').mkdir()
    other = Managers(tmp_path / 'other', Authority())
    try:
        health = look(url=other.url)
    finally:
        other.stop()
    assert health.status == 'UNKNOWN'
    assert 'is not this cluster' in health.reason['api']
    assert other.asked == managers.asked == []


def test_a_certificate_that_ended_is_told(look, authority, tmp_path):
    (tmp_path / 'ended').mkdir()
    ended = Managers(tmp_path / 'ended', authority, days=-1)
    try:
        assert 'certificate has expired' in look(url=ended.url).reason['api']
    finally:
        ended.stop()


@pytest.mark.parametrize(('floating', 'status'), [(True, 'UNHEALTHY'), (False, 'UNKNOWN')])
def test_a_refused_connection_is_illness_where_the_address_is_ours(look, floating, status):
    with socket.create_server(('127.0.0.1', 0)) as server:
        url = f'tcp://127.0.0.1:{server.getsockname()[1]}'
    network = Network(external_network='public', floating_ip_enabled=floating)
    health = look(url=url, network=network)
    assert health.status == status
    assert 'refuses connections' in health.reason['api']


def test_who_says_nothing_or_too_much_is_not_waited_for(look, managers, monkeypatch):
    with socket.create_server(('127.0.0.1', 0)) as silent:
        health = look(url=f'tcp://127.0.0.1:{silent.getsockname()[1]}', timeout_s=0.3)
    assert health.status == 'UNKNOWN' and 'no answer within 0.3 s' in health.reason['api']
    managers.add(*(node(f'w{index}') for index in range(50)))
    monkeypatch.setattr('magnum_lite_swarm.client.MOST', 1000)
    assert 'its answer is too long' in look().reason['api']


@pytest.mark.parametrize('url', [None, 'tcp://:2376', 'nothing'])
def test_a_cluster_without_an_address_is_unknown(look, url):
    assert look(url=url).reason == {'api': 'has no address'}


@pytest.mark.parametrize('broken', [{}, {'value': None}, {'value': 'no key'}])
def test_a_cluster_without_its_authority_is_unknown(driver, make_spec, authority, managers, broken):
    secrets = dict(authority.secrets)
    secrets['ca.docker.key'] = dataclasses.replace(secrets['ca.docker.key'], **broken)
    if not broken:
        del secrets['ca.docker.key']
    spec = make_spec(secrets=secrets, api_address=managers.url)
    health = driver.get_monitor(None, spec).look(timeout_s=5)
    assert health.status == 'UNKNOWN' and 'authority' in health.reason['api']
