"""Spec -> parameters of the templates. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from magnum_lite.driver_sdk import (
    ClusterSpec,
    NodeGroupSpec,
    Output,
    Secret,
    digest_of,
    envfile,
    proxies,
    servers,
)
from magnum_lite_swarm import engine, names

MANAGERS = (1, 3, 5)
# What user data says and what differs from one operation or release of the service to another.
OF_OPERATIONS = frozenset({'BOOT_LIMIT_S', 'ENROLMENT_URL', 'signal_transport', 'boot_timeout_s'})


def base(spec: ClusterSpec) -> dict[str, Any]:
    """Parameters of the base stack."""
    group, net = spec.control_plane, spec.network
    spec = spec.of_group(group)
    env = _node_env(spec, group) | {
        'OVERLAY_SUBNET_SIZE': spec.config['overlay_subnet_size'],
        'APISERVER_PORT': engine.port(spec),
    }
    nodes = _nodes(spec, group)
    authorities = {
        'ca_docker_signs': _secret(spec, 'ca.docker.cert'),
        'ca_docker_cross': _secret(spec, 'ca.docker.cross'),
        'ca_docker_key': _fetched(spec, 'ca.docker.key'),
        'ca_join_cert': _secret(spec, 'ca.join.trusted'),
    }
    return nodes | {
        **authorities,
        'made_of': [_made_of(spec, group, env | nodes | authorities)] * max(MANAGERS),
        'spare': False,
        'name_prefix': names.prefix(spec),
        'manager_count': group.node_count,
        'manager_signals': group.node_count,
        'external_network': net.external_network or '',
        'fixed_network': net.fixed_network or '',
        'fixed_subnet_cidr': spec.config['fixed_subnet_cidr'],
        'dns_nameservers': list(net.dns_nameservers),
        'floating_ip': net.floating_ip_enabled,
        'apiserver_port': engine.port(spec),
        'balanced': net.master_lb_enabled,
        'api_sources': _sources(spec.config['master_lb_allowed_cidrs']),
        'api_rules': _rules(_api_sources(spec), [str(engine.port(spec))]),
        'node_rules': _rules(spec.config['ssh_allowed_cidrs'], ['22'])
        + _rules(
            spec.config['service_allowed_cidrs'],
            spec.config['service_ports'].split(','),
            ('tcp', 'udp'),
        ),
        'node_env': envfile.render(env),
    }


def workers(spec: ClusterSpec, group: NodeGroupSpec) -> dict[str, Any]:
    """Parameters of a stack of workers."""
    spec = spec.of_group(group)
    return _nodes(spec, group) | {
        'image': group.image,
        'boot_volume_size': spec.config['boot_volume_size'],
        'boot_volume_type': spec.config['boot_volume_type'],
        'node_type': servers.kind(spec, group),
        'node_count': group.node_count,
        'removed': [str(index) for index in group.removed],
        'network': Output('base', 'network'),
        'security_group': Output('base', 'security_group'),
        'managers': Output('base', 'managers'),
        'node_env': envfile.render(_node_env(spec, group)),
    }


def _made_of(spec: ClusterSpec, group: NodeGroupSpec, told: Mapping[str, Any]) -> dict[str, Any]:
    """What a manager is made of: one of a cluster that is upgraded is made anew if it differs.

    :param told: what its user data says.
    """
    size, kind = spec.config['boot_volume_size'], spec.config['boot_volume_type']
    disk = {
        'image': group.image,
        'boot_index': 0,
        'volume_size': size,
        'delete_on_termination': True,
    } | ({'volume_type': kind} if kind else {})
    said = {name: told[name] for name in sorted(told.keys() - OF_OPERATIONS)}
    return {
        'image': '' if size else group.image,
        'disks': [disk] if size else [],
        'mark': digest_of({name: getattr(value, 'ref', value) for name, value in said.items()}),
    }


def _nodes(spec: ClusterSpec, group: NodeGroupSpec) -> dict[str, Any]:
    return {
        'node_name_prefix': servers.host_prefix(spec, group),
        'flavor': group.flavor,
        'availability_zone': spec.config['availability_zone'],
        'metadata': _metadata(spec, group),
        'fixed_subnet': spec.network.fixed_subnet or '',
        'boot_timeout_s': spec.config['node_boot_timeout'],
        # Without its comment: what is left is of letters that are safe everywhere.
        'ssh_public_key': ' '.join((spec.ssh_public_key or '').split()[:2]),
        'ca_docker_cert': _secret(spec, 'ca.docker.trusted'),
        'join_key': _fetched(spec, 'bootstrap'),
        # Who enrols reports to the service: what Heat makes is used by nobody, and should expire.
        'signal_transport': 'TOKEN_SIGNAL' if spec.enrolment_url else 'HEAT_SIGNAL',
    }


def _rules(
    sources: str, ports: list[str], protocols: tuple[str, ...] = ('tcp',)
) -> list[dict[str, Any]]:
    # Neutron refuses the same rule twice.
    ranges = dict.fromkeys(tuple(map(int, (part.split('-') * 2)[:2])) for part in ports)
    return [
        {
            'protocol': protocol,
            'port_range_min': first,
            'port_range_max': last,
            'remote_ip_prefix': source,
        }
        for source in _sources(sources)
        for first, last in ranges
        for protocol in protocols
    ]


def _sources(text: str) -> list[str]:
    return list(dict.fromkeys(filter(None, text.split(','))))


def _api_sources(spec: ClusterSpec) -> str:
    # A load balancer asks from an address of the subnet it is in.
    own = spec.network.master_lb_enabled and not spec.network.fixed_network
    found = spec.config['master_lb_allowed_cidrs']
    return f'{found},{spec.config["fixed_subnet_cidr"]}' if own else str(found)


def _metadata(spec: ClusterSpec, group: NodeGroupSpec) -> dict[str, str]:
    # The size travels here because a server, unlike the template that stands in for one, has no
    # property for it.
    size = {'docker_volume_size': str(group.docker_volume_size)}
    return {'magnum_lite_cluster': spec.uuid, 'magnum_lite_node_group': group.uuid} | (
        size if group.docker_volume_size else {}
    )


def _fetched(spec: ClusterSpec, purpose: str) -> Secret | str:
    # Heat shows its readers whatever it is given: a node that can asks the service.
    return '' if spec.enrolment_url else _secret(spec, purpose)


def _secret(spec: ClusterSpec, purpose: str) -> Secret:
    # A cluster may be deleted before its secrets are made; its plan must still name its stacks.
    return spec.secrets.get(purpose) or Secret(f'not made/{purpose}')


def _node_env(spec: ClusterSpec, group: NodeGroupSpec) -> dict[str, str | int | bool]:
    return {
        'ENROLMENT_URL': (spec.enrolment_url or '').rstrip('/'),
        'CLUSTER_UUID': spec.uuid,
        'BOOT_LIMIT_S': _boot_limit(spec),
        'ENGINE': json.dumps(engine.daemon(spec, group), sort_keys=True),
        'AVAILABILITY': engine.availability(spec, group),
        'OVERLAY_ADDRESS_POOL': spec.config['overlay_address_pool'],
        'BRIDGE_ADDRESS_POOL': spec.config['bridge_address_pool'],
        'CONTAINER_VOLUME': bool(group.docker_volume_size),
        'VOLUME_DRIVER': spec.volume_driver or '',
        'VOLUME_UNIT': engine.VOLUME_DRIVERS.get(spec.volume_driver or '', ''),
        'HTTP_PROXY': proxies.url(spec.http_proxy or ''),
        'HTTPS_PROXY': proxies.url(spec.https_proxy or ''),
        'NO_PROXY': _no_proxy(spec),
    }


def _boot_limit(spec: ClusterSpec) -> int:
    # Heat's own limit ends a stack without a reason: the node must have told one by then. What
    # comes before the servers takes some of it.
    return int(max(60, min(spec.config['node_boot_timeout'], 60 * spec.timeout_min - 120)))


def _no_proxy(spec: ClusterSpec) -> str:
    if not (spec.http_proxy or spec.https_proxy):
        return ''
    own = ['localhost', '127.0.0.1', '169.254.169.254']
    return proxies.exceptions(spec.no_proxy or '', own)
