"""What a spec must keep so that the driver can build it. Pure."""

import ipaddress
import json
import re

from magnum_lite.driver_sdk import ClusterSpec, NodeGroupSpec, Rejected, proxies, quoted
from magnum_lite_swarm import config, engine
from magnum_lite_swarm.parameters import MANAGERS

SSH_KEY = re.compile(r'[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( [^\r\n]*)?')
REGISTRY = re.compile(rf'{config.HOST}(:[0-9]{{1,5}})?')
# Heat's max_resources_per_stack is 1000 and counts what stands beside the members too.
MAX_NODES_PER_GROUP = 900
MAX_NODES = 2000
# Each group is a document of its own, and calls of Heat.
MAX_STACKS = 200
# Security groups have that many rules by Neutron's default.
MAX_RULES = 90
SHOWN = 60  # characters of a refused value that is no text
# Labels that a group may have of its own; the others are the same in a whole cluster.
OF_GROUPS = frozenset(
    {
        'availability_zone',
        'boot_volume_size',
        'boot_volume_type',
        'log_driver',
        'log_options',
        'max_node_count',
        'min_node_count',
        'node_boot_timeout',
        'registry_mirror',
        'worker_availability',
    }
)


def check(spec: ClusterSpec, *, distros: frozenset[str], server_types: frozenset[str]) -> None:
    """Refuse what cannot work; of a change of one group, that group and what it adds to.

    :raises Rejected: with the attribute to mend, its value and what would be accepted.
    """
    if spec.focus is None:
        _check_kind(spec, distros, server_types)
        _check_unsupported(spec)
        _check_text(spec)
        _check_network(spec)
        _check_ports(spec)
    _check_size(spec)
    for group in spec.node_groups:
        if spec.focus in (None, group.uuid):
            _check_group(spec, group)
    _check_addresses(spec)


def _refuse_if(wrong: object, path: str, reason: str) -> None:
    if wrong:
        raise Rejected(path, reason)


def _check_kind(spec: ClusterSpec, distros: frozenset[str], server_types: frozenset[str]) -> None:
    _refuse_if(
        spec.server_type not in server_types,
        'server_type',
        f'{spec.server_type} is not one of {", ".join(sorted(server_types))}',
    )
    _refuse_if(
        spec.image.os_distro not in distros,
        'image_id',
        f'image {spec.image.name} has os_distro {spec.image.os_distro or "not set"}, '
        f'this driver boots {", ".join(sorted(distros))}',
    )


def _check_unsupported(spec: ClusterSpec) -> None:
    _refuse_if(
        spec.tls_disabled,
        'tls_disabled',
        'without TLS everybody would be root on the managers, use false',
    )
    _refuse_if(
        spec.registry_enabled,
        'registry_enabled',
        'this driver installs no registry, use false and the label registry_mirror',
    )
    _refuse_if(
        spec.volume_driver and spec.volume_driver not in engine.VOLUME_DRIVERS,
        'volume_driver',
        f'{quoted(spec.volume_driver or "")} is not one of '
        f'{", ".join(sorted(engine.VOLUME_DRIVERS))}',
    )
    _refuse_if(
        spec.docker_storage_driver and spec.docker_storage_driver not in engine.STORAGE_DRIVERS,
        'docker_storage_driver',
        f'{quoted(spec.docker_storage_driver or "")} is not one of '
        f'{", ".join(sorted(engine.STORAGE_DRIVERS))}',
    )


def _check_text(spec: ClusterSpec) -> None:
    proxy = 'a URL in ASCII such as http://ann:a%2Fb@192.0.2.7:3128'
    for path, text, is_right, wanted in (
        ('keypair', spec.ssh_public_key, SSH_KEY.fullmatch, 'one line of OpenSSH public key'),
        ('insecure_registry', spec.insecure_registry, REGISTRY.fullmatch, 'HOST or HOST:PORT'),
        ('http_proxy', spec.http_proxy, proxies.is_url, proxy),
        ('https_proxy', spec.https_proxy, proxies.is_url, proxy),
        (
            'no_proxy',
            spec.no_proxy,
            proxies.are_exceptions,
            'a list such as example.org,.internal,192.0.2.0/24 without spaces',
        ),
    ):
        _refuse_if(
            text and not is_right(text), path, f'{wanted} is expected, not {quoted(text or "")}'
        )
    for path, text in (
        ('insecure_registry', spec.insecure_registry or ''),
        ('labels.registry_mirror', spec.config['registry_mirror']),
    ):
        where = re.sub('^https?://', '', text).partition('/')[0]
        _refuse_if(
            text and not proxies.is_url(f'http://{where}'),
            path,
            f'{where} is no host with a port of 1 to 65535 or an IPv6 address',
        )


def _check_network(spec: ClusterSpec) -> None:
    net = spec.network
    _refuse_if(
        not net.external_network and not net.fixed_network,
        'external_network_id',
        'a network is made for the cluster, which needs an external network; or name a '
        'fixed_network',
    )
    _refuse_if(
        not net.external_network and net.floating_ip_enabled,
        'external_network_id',
        'the floating IP of the API comes from it; name one, or use floating_ip_enabled false',
    )
    _refuse_if(
        net.fixed_subnet and not net.fixed_network,
        'fixed_network',
        f'the network of fixed_subnet {net.fixed_subnet} is expected',
    )


def _check_ports(spec: ClusterSpec) -> None:
    for part in spec.config['service_ports'].split(','):
        first, _, last = part.partition('-')
        _refuse_if(
            not 0 < int(first) <= int(last or first) < 65536,
            'labels.service_ports',
            f'{part} is no port or range of 1 to 65535',
        )
    _refuse_if(
        not 0 < engine.port(spec) < 65536 or engine.port(spec) in (22, 2377, 2378, 7946),
        'apiserver_port',
        f'{engine.port(spec)} is no port, or one that the nodes use; the default is 2376',
    )
    services = 2 * len(spec.config['service_ports'].split(','))
    sources = len(spec.config['service_allowed_cidrs'].split(','))
    _refuse_if(
        services * sources > MAX_RULES,
        'labels.service_allowed_cidrs',
        f'{sources} networks and {services // 2} ports are {services * sources} rules of a '
        f'security group, at most {MAX_RULES} are possible',
    )


def _check_size(spec: ClusterSpec) -> None:
    _refuse_if(
        spec.node_count > MAX_NODES,
        'node_count',
        f'a cluster has at most {MAX_NODES} nodes, {spec.node_count} are wanted',
    )
    count = 1 + len(spec.worker_generations)
    _refuse_if(
        count > MAX_STACKS,
        'nodegroup',
        f'a cluster has at most {MAX_STACKS} stacks, {count} are wanted: use fewer node groups',
    )


def _check_group(spec: ClusterSpec, group: NodeGroupSpec) -> None:
    for name in sorted(group.config.keys() - OF_GROUPS):
        value = group.config[name]
        shown = quoted(value) if isinstance(value, str) else json.dumps(value)[:SHOWN]
        raise Rejected(
            f'labels.{name}',
            f'node group {group.name} cannot differ from its cluster in this, as {shown} would; '
            f'in {", ".join(sorted(OF_GROUPS))} it can',
        )
    spec = spec.of_group(group)
    if group.is_control_plane:
        _refuse_if(
            group.node_count not in MANAGERS,
            'master_count',
            f'{group.node_count} managers are no better than one less, or slower; use 1, 3 or 5',
        )
    else:
        _refuse_if(
            max(group.node_count, group.max_node_count or 0) > MAX_NODES_PER_GROUP,
            'node_count',
            f'a node group has at most {MAX_NODES_PER_GROUP} nodes',
        )
    if spec.server_type == 'bm':
        _refuse_if(
            group.docker_volume_size,
            'docker_volume_size',
            'physical machines have no volumes, leave it out',
        )
        _refuse_if(
            spec.config['boot_volume_size'],
            'labels.boot_volume_size',
            'physical machines boot from their own disks, use 0',
        )


def _check_addresses(spec: ClusterSpec) -> None:
    for label in ('master_lb_allowed_cidrs', 'ssh_allowed_cidrs', 'service_allowed_cidrs'):
        for source in filter(None, spec.config[label].split(',')):
            _cidr(label, source)
    wanted = {
        label: _cidr(label, spec.config[label])
        for label in ('overlay_address_pool', 'bridge_address_pool')
    }
    if not spec.network.fixed_network:
        subnet = wanted['fixed_subnet_cidr'] = _cidr(
            'fixed_subnet_cidr', spec.config['fixed_subnet_cidr']
        )
        # Network, gateway, DHCP and broadcast are not for nodes.
        _refuse_if(
            spec.node_count > subnet.num_addresses - 4,
            'labels.fixed_subnet_cidr',
            f'{subnet} has room for {subnet.num_addresses - 4} nodes, {spec.node_count} are wanted',
        )
    pairs = list(wanted.items())
    for index, (name, cidr) in enumerate(pairs):
        for other, taken in pairs[index + 1 :]:
            _refuse_if(cidr.overlaps(taken), f'labels.{other}', f'{taken} overlaps {name} {cidr}')


def _cidr(key: str, text: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise Rejected(
            f'labels.{key}', f'a network such as 192.0.2.0/24 is expected, not {quoted(text)}'
        ) from None
    _refuse_if(
        ipaddress.ip_address(text.partition('/')[0]) != network.network_address,
        f'labels.{key}',
        f'{network} is expected, not {quoted(text)}, which has host bits',
    )
    return network
