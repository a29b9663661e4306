"""Servers that somebody deleted are noticed, by one list of Nova's for a project."""

import copy
import json

import pytest

from magnum_lite.cloud import identity, servers
from magnum_lite.conductor.compare import Compare
from magnum_lite.conductor.registry import Registry
from magnum_lite.driver_sdk import CloudUnavailable, Plan, Stack
from magnum_lite.driver_sdk.enrolment import GROUP_KEY
from tests.engine import tiny

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
    """Has a server for its control plane, and none for workers."""

    marks_servers = True

    def plan(self, spec, /):
        """The base stack alone, with a server."""
        base = super().plan(spec).stacks[0]
        template = copy.deepcopy(tiny.BASE)
        template['resources']['server'] = {**_server(spec.control_plane), 'depends_on': 'subnet'}
        template['outputs']['refs_map'] = {'value': {'0': {'get_resource': 'server'}}}
        return Plan(
            (
                Stack(
                    key='base',
                    name=base.name,
                    node_group=base.node_group,
                    parameters=base.parameters,
                    template=json.dumps(template),
                ),
            )
        )


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
    comparing.loop = Compare(conf, database, Registry({'tiny': driver}), comparing.clients)
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
