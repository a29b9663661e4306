"""The configuration of a cluster: the driver's labels with their types and defaults. Data only."""

from collections.abc import Mapping
from typing import Any

from magnum_lite_swarm import engine

_BYTE = '(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
_ADDRESS = rf'{_BYTE}(\.{_BYTE}){{3}}'
_NETWORK = rf'{_ADDRESS}/([0-9]|[12][0-9]|3[0-2])'
CIDR = rf'^{_NETWORK}$'
POOL = rf'^{_ADDRESS}/([8-9]|1[0-9]|20)$'
SOURCES = rf'^({_NETWORK}(,{_NETWORK})*)?$'
HOST = r'[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*'
_PORT = r'[0-9]{1,5}'
PORTS = rf'^({_PORT}(-{_PORT})?)(,{_PORT}(-{_PORT})?)*$'
# What Docker's options of logs are called; a value has no comma, which parts them.
OPTIONS = r'^([a-z][a-z0-9-]*=[!-+.-~][ -+.-~]*(,[a-z][a-z0-9-]*=[!-+.-~][ -+.-~]*)*)?$'
AVAILABILITY = ('active', 'pause', 'drain')

PROPERTIES: dict[str, dict[str, Any]] = {
    'availability_zone': {
        'type': 'string',
        'default': '',
        'maxLength': 255,
        'description': 'Availability zone of the nodes. Empty leaves it to Nova.',
    },
    'boot_volume_size': {
        'type': 'integer',
        'default': 0,
        'minimum': 0,
        'maximum': 16384,
        'description': 'GiB of each root volume. 0 boots from the disk of the flavor.',
    },
    'boot_volume_type': {
        'type': 'string',
        'default': '',
        'maxLength': 255,
        'only_with': {'boot_volume_size': True},
        'description': 'Cinder type of the root volumes. Empty takes the default of Cinder.',
    },
    'fixed_subnet_cidr': {
        'type': 'string',
        'default': '10.0.0.0/20',
        'pattern': CIDR,
        'title': 'a network',
        'only_with': {'fixed_network': False},
        'description': 'Addresses of the nodes, where the cluster makes its own network.',
    },
    'overlay_address_pool': {
        'type': 'string',
        'default': '10.128.0.0/13',
        'pattern': POOL,
        'title': 'a network of /8 to /20',
        'description': 'Addresses of overlay networks, a /8 to /20. It must not overlap what '
        'nodes have to reach. It takes effect when the cluster is made.',
    },
    'overlay_subnet_size': {
        'type': 'integer',
        'default': 24,
        'minimum': 20,
        'maximum': 29,
        'description': 'Prefix length of each overlay network, out of overlay_address_pool. It '
        'takes effect when the cluster is made.',
    },
    'bridge_address_pool': {
        'type': 'string',
        'default': '172.17.0.0/16',
        'pattern': POOL,
        'title': 'a network of /8 to /20',
        'description': 'Addresses of bridge networks, the same on every node, a /8 to /20; each '
        'takes 256 of them.',
    },
    'registry_mirror': {
        'type': 'string',
        'default': '',
        'pattern': rf'^(https?://({HOST}|\[[0-9A-Fa-f:.]+\])(:[0-9]{{1,5}})?/?)?$',
        'maxLength': 200,
        'examples': ['https://mirror.example.org'],
        'description': 'URL of a mirror that engines ask first for images of Docker Hub.',
    },
    'log_driver': {
        'type': 'string',
        'default': 'json-file',
        'enum': ['json-file', 'local', 'journald', 'syslog', 'gelf', 'fluentd', 'none'],
        'description': 'Where the engines put what containers print.',
    },
    'log_options': {
        'type': 'string',
        'default': '',
        'pattern': OPTIONS,
        'title': 'NAME=VALUE with commas',
        'maxLength': 1000,
        'examples': ['gelf-address=udp://192.0.2.9:12201,tag=demo'],
        'only_with': {
            'log_driver': ['json-file', 'local', 'journald', 'syslog', 'gelf', 'fluentd']
        },
        'description': 'Comma-separated options of the log driver. Empty lets json-file keep '
        'three files of 10 MiB for each container.',
    },
    'manager_availability': {
        'type': 'string',
        'default': 'active',
        'enum': list(AVAILABILITY),
        'description': 'Whether managers take tasks as they join; drain keeps them for the swarm.',
    },
    'worker_availability': {
        'type': 'string',
        'default': 'active',
        'enum': list(AVAILABILITY),
        'description': 'Whether workers take tasks as they join. A taint NoSchedule of their node '
        'group means pause, NoExecute means drain.',
    },
    'master_lb_allowed_cidrs': {
        'type': 'string',
        'default': '0.0.0.0/0',
        'pattern': rf'^{_NETWORK}(,{_NETWORK})*$',
        'title': 'networks with commas',
        'examples': ['192.0.2.0/24,198.51.100.7/32'],
        'description': 'Comma-separated CIDRs that may reach the API of managers from outside.',
    },
    'ssh_allowed_cidrs': {
        'type': 'string',
        'default': '',
        'pattern': SOURCES,
        'title': 'networks with commas',
        'maxLength': 1000,
        'examples': ['192.0.2.0/24,198.51.100.7/32'],
        'description': 'Comma-separated CIDRs that may reach ssh on the nodes. Empty closes it to '
        'all but other nodes.',
    },
    'service_allowed_cidrs': {
        'type': 'string',
        'default': '',
        'pattern': SOURCES,
        'title': 'networks with commas',
        'maxLength': 1000,
        'examples': ['192.0.2.0/24,198.51.100.7/32'],
        'description': 'Comma-separated CIDRs that may reach service_ports on every node. Empty '
        'closes them to all but other nodes.',
    },
    'service_ports': {
        'type': 'string',
        'default': '30000-32767',
        'pattern': PORTS,
        'title': 'ports and ranges with commas',
        'maxLength': 200,
        'examples': ['80,443,30000-32767'],
        'only_with': {'service_allowed_cidrs': True},
        'description': 'Ports that services are published at, as far as the outside may reach '
        'them. Docker takes 30000 to 32767 where a service names none.',
    },
    'node_boot_timeout': {
        'type': 'integer',
        'default': 1800,
        'minimum': 60,
        'maximum': 36000,
        'description': 'Seconds from the start of the managers, or of a new group, until all of '
        'them, or its first node, are in the swarm.',
    },
    'drain_timeout': {
        'type': 'integer',
        'default': 300,
        'minimum': 0,
        'maximum': 36000,
        'description': 'Seconds that tasks may take to leave nodes which are to go. 0 ends nodes '
        'as they are.',
    },
    'min_node_count': {
        'type': 'integer',
        'default': 0,
        'minimum': 0,
        'maximum': 900,
        'description': 'Sets min_node_count of the default workers, or of the node group that '
        'gives it, when they are made; later the attribute of the group is changed.',
    },
    'max_node_count': {
        'type': 'integer',
        'minimum': 1,
        'maximum': 900,
        'description': 'Sets max_node_count as the label above sets min_node_count; none by '
        'default.',
    },
}

SCHEMA: Mapping[str, Any] = {
    '$schema': 'https://json-schema.org/draft/2020-12/schema',
    'type': 'object',
    'additionalProperties': False,
    'properties': PROPERTIES,
    'attributes': {'volume_driver': sorted(engine.VOLUME_DRIVERS)},
}


def defaults() -> dict[str, Any]:
    """A new mapping with the default of every property that has one."""
    return {name: prop['default'] for name, prop in PROPERTIES.items() if 'default' in prop}
