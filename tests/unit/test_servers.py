"""What stands in for servers, their names, and which of them clients mean."""

import dataclasses

import pytest

from magnum_lite.driver_sdk import Rejected, servers
from magnum_lite.driver_sdk.scale import chosen
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.template import Template
from tests.unit.minimal import Minimal

MEMBERS = {'0': 'a', '2': 'b', '10': 'c'}


@pytest.mark.parametrize(
    ('server_type', 'size', 'kind'),
    [
        ('vm', None, 'OS::Nova::Server'),
        ('vm', 5, 'templates/node_volume.yaml'),
        ('bm', None, 'templates/node_baremetal.yaml'),
    ],
)
def test_a_kind_of_server_brings_its_files(server_type, size, kind):
    spec = dataclasses.replace(example.spec(Minimal()), server_type=server_type)
    group = dataclasses.replace(spec.control_plane, docker_volume_size=size)
    assert servers.kind(spec, group) == kind
    found = servers.files(kind)
    assert found.keys() == ({kind} if size or server_type == 'bm' else set())
    for text in found.values():
        assert {'OS::stack_id', 'first_address'} <= Template.parse(text).outputs


def test_hosts_have_names_that_dns_takes():
    spec = example.hostile(example.spec(Minimal()))
    name = servers.host_prefix(spec, spec.worker_groups[0], 's12') + '-9999999'
    assert len(name) <= 63 and name == name.lower()
    assert set(name) <= set('abcdefghijklmnopqrstuvwxyz0123456789-')
    assert servers.slug('\n', 5) == 'x'


def test_members_are_meant_by_server_or_by_index():
    assert chosen(MEMBERS, 'g', ['c', '2', 'b']) == (2, 10)
    assert chosen(MEMBERS, 'g', []) == ()
    with pytest.raises(Rejected, match='1, x is not in node group g') as refusal:
        chosen(MEMBERS, 'g', ['1', 'a', 'x'])
    assert refusal.value.nodes == ('1', 'x')
