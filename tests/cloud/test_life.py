"""Clusters from their creation to their deletion, on real services."""

import pytest

pytestmark = [
    pytest.mark.cloud,
    pytest.mark.filterwarnings('ignore::openstack.warnings.RemovedInSDK60Warning'),
]
# No engine runs there: nobody would answer who is asked to drain a node.
LABELS = {'kubernetes': {}, 'swarm': {'drain_timeout': '0'}}


@pytest.mark.parametrize(('coe', 'masters'), [('kubernetes', 1), ('swarm', 1), ('swarm', 3)])
def test_a_cluster_grows_shrinks_by_a_named_node_gets_a_group_and_goes(coe, masters, owner):
    uuid = owner.create(
        owner.template(coe=coe, labels=LABELS[coe], master_lb_enabled=masters > 1),
        node_count=1,
        master_count=masters,
    )
    shown = owner.wait(uuid)
    assert shown['api_address'] and len(shown['master_addresses']) == masters
    assert len(owner.servers()) == masters + 1

    resize = f'/clusters/{uuid}/actions/resize'
    owner('POST', resize, 202, {'node_count': 3})
    owner.wait(uuid, 'UPDATE_COMPLETE')
    before = {server.id for server in owner.servers().values()}
    victim = next(server for name, server in owner.servers().items() if name.endswith('-1'))
    owner('POST', resize, 202, {'node_count': 2, 'nodes_to_remove': [victim.id]})
    owner.wait(uuid, 'UPDATE_COMPLETE')
    assert {server.id for server in owner.servers().values()} == before - {victim.id}

    groups = f'/clusters/{uuid}/nodegroups'
    far = {'name': 'far', 'node_count': 2, 'labels': {'availability_zone': 'zone-2'}}
    owner('POST', groups, 202, {**far, 'merge_labels': True})
    owner.wait(uuid, 'UPDATE_COMPLETE')
    zones = {name: server.availability_zone for name, server in owner.servers().items()}
    assert sorted(zone for name, zone in zones.items() if 'far' in name) == ['zone-2'] * 2
    owner('DELETE', f'{groups}/far', 204)
    owner.wait(uuid, 'UPDATE_COMPLETE')
    assert {server.id for server in owner.servers().values()} == before - {victim.id}

    owner('DELETE', f'/clusters/{uuid}', 204)
    owner.gone(uuid)
    assert owner.leftovers() == {}
    assert owner.trusts_to('magnum') == owner.trusts_to('heat') == []
