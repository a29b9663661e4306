"""Nodes with volumes of a real Cinder."""

import pytest

pytestmark = [
    pytest.mark.cloud,
    pytest.mark.filterwarnings('ignore::openstack.warnings.RemovedInSDK60Warning'),
]


def test_nodes_have_a_root_volume_and_one_for_containers_which_go_with_them(owner):
    template = owner.template(
        labels={'boot_volume_size': '3'}, docker_volume_size=2, flavor_id='m1.diskless'
    )
    uuid = owner.create(template, node_count=1)
    owner.wait(uuid)
    volumes = list(owner.cloud.block_storage.volumes())
    assert sorted(volume.size for volume in volumes) == [2, 2, 3, 3]
    assert {volume.status for volume in volumes} == {'in-use'}
    owner('DELETE', f'/clusters/{uuid}', 204)
    owner.gone(uuid)
    assert owner.leftovers() == {}
