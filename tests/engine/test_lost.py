"""Servers that somebody deleted are noticed, by one list of Nova's for a project, and made again by
the next change."""

import copy
import dataclasses
import json

import pytest

from magnum_lite.cloud import identity, servers
from magnum_lite.conductor.compare import Compare
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import journal
from magnum_lite.driver_sdk import CloudUnavailable, Plan
from magnum_lite.driver_sdk.enrolment import GROUP_KEY
from magnum_lite_dev.rig import tiny

NOVA = {'endpoint_filter': {'service_type': 'compute', 'interface': 'internal'}}


def _server(group):
    return {
        'type': 'OS::Nova::Server',
        'properties': {
            'image': 'debian-13',
            'flavor': 'm1.small',
            'metadata': {GROUP_KEY: group.uuid},
            'networks': [{'network': {'get_resource': 'network'}}],
        },
    }


class Serving(tiny.Tiny):
    """Has a server for its control plane, which nothing may replace, and one for each worker."""

    marks_servers = True

    def plan(self, spec, /):
        """The stacks of ``Tiny``, with servers."""
        base, *workers = super().plan(spec).stacks
        master = copy.deepcopy(tiny.BASE)
        master['resources']['server'] = {**_server(spec.control_plane), 'depends_on': 'subnet'}
        master['outputs']['refs_map'] = {'value': {'0': {'get_resource': 'server'}}}
        base = dataclasses.replace(
            base,
            template=json.dumps(master),
            environment={
                'resource_registry': {'resources': {'server': {'restricted_actions': 'replace'}}}
            },
        )
        groups = {group.uuid: group for group in spec.worker_groups}
        return Plan((base, *(self._serving(stack, groups[stack.node_group]) for stack in workers)))

    def _serving(self, stack, group):
        template = copy.deepcopy(tiny.GROUP)
        member = _server(group)
        member['properties']['networks'] = [{'network': {'get_param': 'network'}}]
        template['resources']['kube_minions']['properties']['resource_def'] = member
        return dataclasses.replace(stack, template=json.dumps(template))


@pytest.fixture
def driver():
    """The driver of the clusters."""
    return Serving()


@pytest.fixture
def compute(conf, tenant):
    """A session of the tenant."""
    session = identity.session(conf, tenant.who, timeout_s=20)
    yield session
    session.session.close()


def test_a_lost_server_is_named_until_it_is_there_again(
    conf, database, tenant, driver, comparing, finish, compute, monkeypatch
):
    comparing.loop = Compare(conf, database, Registry({'tiny': driver}), comparing.backends)
    create = tenant.create(nodes=0)
    finish(create)
    listed, by_group = [], servers.by_group
    monkeypatch.setattr(servers, 'by_group', lambda *args: listed.append(1) or by_group(*args))
    comparing.now()
    assert tenant.cluster(create.cluster_id).health_status is None
    assert (len(listed), comparing.lists) == (1, ['magnum_lite'])
    master = tenant.groups(create.cluster_id)['default-master'].uuid
    (lost,) = by_group(conf, tenant.who)[master]
    assert compute.delete(f'/servers/{lost}', **NOVA).status_code == 204
    comparing.now()
    cluster = tenant.cluster(create.cluster_id)
    said = {'servers': f'of default-master there are 0 of 1; missing: {lost}'}
    assert (cluster.health_status, cluster.health_status_reason) == ('UNHEALTHY', said)

    def away(*args):
        raise CloudUnavailable('Nova answered 503')

    with monkeypatch.context() as patch:
        patch.setattr(servers, 'by_group', away)
        comparing.now()
    assert tenant.cluster(create.cluster_id).health_status_reason == said
    monkeypatch.setattr(servers, 'by_group', lambda *args: {master: {'another'}})
    comparing.now()
    assert tenant.cluster(create.cluster_id).health_status_reason == {}


@pytest.fixture
def here(conf, tenant):
    """Gives ``{name of a node group: ids of its servers}`` of a cluster, as Nova has them."""

    def look(operation):
        found = servers.by_group(conf, tenant.who)
        return {
            name: found.get(group.uuid, set())
            for name, group in tenant.groups(operation.cluster_id).items()
        }

    return look


@pytest.fixture
def differences(conf, database, tenant, driver, comparing):
    """Compares, and gives what was found in a cluster."""
    comparing.loop = Compare(conf, database, Registry({'tiny': driver}), comparing.backends)

    def compare(operation):
        comparing.now()
        return tenant.cluster(operation.cluster_id).health_status_reason

    return compare


def _lose(compute, server):
    assert compute.delete(f'/servers/{server}', **NOVA).status_code == 204


def _notes(database, operation):
    with database.read() as connection:
        return [step.text for step in journal.steps_of(connection, operation.uuid)]


def test_the_next_change_makes_lost_servers_again_and_leaves_the_others(
    database, tenant, finish, here, differences, compute
):
    create = tenant.create(nodes=2)
    finish(create)
    before = here(create)
    (master,) = before['default-master']
    worker, other = sorted(before['default-worker'])
    _lose(compute, master)
    _lose(compute, worker)
    said = differences(create)['servers']
    assert said.startswith('of default-master there are 0 of 1; of default-worker there are 1 of 2')
    assert master in said and worker in said
    resize = tenant.resize(create.cluster_id, 2)
    finish(resize)
    after = here(create)
    assert [len(after[name]) for name in ('default-master', 'default-worker')] == [1, 2]
    assert other in after['default-worker']
    assert set(tenant.stacks().values()) == {'UPDATE_COMPLETE'}
    assert differences(create) == {}
    lost = ', '.join(sorted((master, worker)))
    assert f'servers that are gone are to be made again: {lost}' in _notes(database, resize)
    again = tenant.resize(create.cluster_id, 2)
    finish(again)
    assert here(create) == after, 'what is there stays'


def test_a_change_leaves_what_other_groups_lost_to_a_change_of_theirs(
    tenant, finish, here, differences, compute
):
    create = tenant.create(nodes=1)
    finish(create)
    finish(tenant.add_group(create.cluster_id, 'other'))
    (lost,) = here(create)['other']
    _lose(compute, lost)
    finish(tenant.resize(create.cluster_id, 1))
    assert lost in differences(create)['servers']
    finish(tenant.resize(create.cluster_id, 1, name='other'))
    assert differences(create) == {}
    assert len(here(create)['other']) == 1


def test_a_list_that_leaves_servers_out_and_a_nova_that_fails_lose_nothing(
    conf, tenant, finish, here, heat, compute, monkeypatch
):
    create = tenant.create(nodes=0)
    finish(create)
    (server,) = here(create)['default-master']
    with monkeypatch.context() as patch:  # as a list does while a part of Nova is down
        patch.setattr(servers, '_all', lambda *args: iter(()))
        assert servers.gone(conf, tenant.who, [server]) == []
        heat.fault(kind='http', match=f'GET /compute/v2.1/servers/{server}', status=500, times=1)
        with pytest.raises(CloudUnavailable):
            servers.gone(conf, tenant.who, [server])
    _lose(compute, server)
    assert servers.gone(conf, tenant.who, [server]) == [server]
