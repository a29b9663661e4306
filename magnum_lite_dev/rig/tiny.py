"""A driver with small real stacks: a network, and for each worker group a group of ports."""

import json
from typing import Any

from magnum_lite.driver_sdk import (
    ClusterSpec,
    HeatDriver,
    NodeGroupSpec,
    Output,
    Plan,
    Progress,
    Rejected,
    Stack,
)

BASE = {
    'heat_template_version': '2021-04-16',
    'parameters': {
        'cidr': {'type': 'string'},
        'key': {'type': 'string', 'hidden': True},
        'trusted': {'type': 'string', 'hidden': True},
    },
    'resources': {
        'network': {'type': 'OS::Neutron::Net', 'properties': {'name': 'tiny'}},
        'subnet': {
            'type': 'OS::Neutron::Subnet',
            'properties': {'network': {'get_resource': 'network'}, 'cidr': {'get_param': 'cidr'}},
        },
    },
    'outputs': {
        'api_address': {
            'value': {
                'str_replace': {
                    'template': 'https://NET:6443',
                    'params': {'NET': {'get_attr': ['network', 'name']}},
                }
            }
        },
        'network': {'value': {'get_resource': 'network'}},
        'subnet': {'value': {'get_resource': 'subnet'}},
        'coe_version': {'value': 'tiny-1'},
        'node_addresses': {'value': []},
    },
}
GROUP = {
    'heat_template_version': '2021-04-16',
    'parameters': {
        'network': {'type': 'string'},
        'subnet': {'type': 'string'},
        'count': {'type': 'number'},
        'removed': {'type': 'json'},
        'trusted': {'type': 'string', 'hidden': True},
    },
    'resources': {
        'kube_minions': {
            'type': 'OS::Heat::ResourceGroup',
            'properties': {
                'count': {'get_param': 'count'},
                'removal_policies': [{'resource_list': {'get_param': 'removed'}}],
                'removal_policies_mode': 'update',
                'resource_def': {
                    'type': 'OS::Neutron::Port',
                    'properties': {
                        'network': {'get_param': 'network'},
                        'fixed_ips': [{'subnet': {'get_param': 'subnet'}}],
                    },
                },
            },
        }
    },
    'outputs': {
        'node_addresses': {'value': {'get_attr': ['kube_minions', 'resource.0.fixed_ips']}},
        'refs_map': {'value': {'get_attr': ['kube_minions', 'refs_map']}},
    },
}
GROUP['outputs']['node_addresses'] = {'value': {'get_attr': ['kube_minions', 'refs']}}

MOST = 50


class Tiny(HeatDriver):
    """Makes ports where a real driver makes servers."""

    name = 'tiny'
    version = '1.0'
    contract = (1, 1)
    coe = 'tiny'
    server_types = frozenset({'vm'})
    distros = frozenset({'debian'})
    capabilities = frozenset({'update', 'scale_manager', 'upgrade', 'rotate_ca'})
    config_schema = {
        'type': 'object',
        'additionalProperties': False,
        'properties': {
            'cidr': {'type': 'string', 'default': '10.9.0.0/24', 'description': 'Of the subnet.'}
        },
    }
    authorities = ('kubernetes',)
    tokens = {'join': 'bootstrap'}
    failure = ('stack-failed', 'OS::Neutron::Port')  # code of one, and what its text has

    def get_default_config(self) -> dict[str, Any]:
        """One key."""
        return {'cidr': '10.9.0.0/24'}

    def validate(self, spec, /) -> None:
        """Refuses one word and many nodes, so that tests can see a refusal."""
        if spec.node_count > MOST:
            raise Rejected('node_count', f'at most {MOST} nodes are accepted')
        if spec.config['cidr'] == 'refused':
            raise Rejected('labels.cidr', 'refused is not accepted, a CIDR is')

    def plan(self, spec, /) -> Plan:
        """The network, then the groups; never of what was refused."""
        assert spec.node_count <= MOST
        base = Stack(
            key='base',
            name=f'tiny-{spec.uuid}',
            template=json.dumps(BASE),
            node_group=spec.control_plane.uuid,
            parameters={
                'cidr': spec.config['cidr'],
                'key': spec.secrets['ca.kubernetes.key'],
                'trusted': spec.secrets['ca.kubernetes.trusted'],
            },
        )
        groups = [
            Stack(
                key=f'{group.uuid}-{group.generation}',
                node_group=group.uuid,
                generation=group.generation,
                name=_name(spec, group),
                template=json.dumps(GROUP),
                parameters={
                    'network': Output('base', 'network'),
                    'subnet': Output('base', 'subnet'),
                    'count': group.node_count,
                    'removed': list(map(str, group.removed)),
                    'trusted': spec.secrets['ca.kubernetes.trusted'],
                },
            )
            for group in spec.worker_generations
        ]
        return Plan((base, *groups))

    def upgrade(self, cloud, spec, /) -> Progress:
        """What differs is in the parameters."""
        return self.update(cloud, spec)

    def rotate_ca(self, cloud, spec, /) -> Progress:
        """As ``upgrade``."""
        return self.update(cloud, spec)

    def get_scale_manager(self, cloud, spec, /) -> 'Indexes':
        """Takes indexes only."""
        return Indexes()


def _name(spec: ClusterSpec, group: NodeGroupSpec) -> str:
    """Of the stack of a generation; the first has no number."""
    suffix = f'-{group.generation}' if group.generation > 1 else ''
    return f'tiny-{spec.uuid}-{group.uuid[:8]}{suffix}'


class Indexes:
    """Member indexes as they are."""

    def indexes(self, node_group, nodes) -> tuple[int, ...]:
        """The numbers in the texts."""
        return tuple(int(node) for node in nodes)
