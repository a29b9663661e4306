"""Spec -> Plan: the base stack, and a stack for each worker group, generation and shard. Pure."""

from magnum_lite.driver_sdk import ClusterSpec, NodeGroupSpec, Plan, Stack, boot, servers
from magnum_lite_kubernetes import files, names, parameters

# What both roles write to a node.
COMMON = (
    'cloud_init/containerd_v2.toml',
    'cloud_init/containerd_v3.toml',
    'cloud_init/metadata.service',
    'cloud_init/certificates.service',
    'cloud_init/certificates.timer',
    'scripts/prepare.sh',
    'scripts/ready.sh',
    'scripts/renew.sh',
)
# A server there is the one place of the cluster's state: never replaced without being told so.
# The '*' reaches into a template that stands in for the server.
KEPT = {
    name: {'restricted_actions': 'replace', '*': {'restricted_actions': 'replace'}}
    for name in ('network', 'subnet', 'router', 'api_port', 'control_plane')
}


def plan(spec: ClusterSpec) -> Plan:
    """The stacks of a cluster, the base stack first."""
    stacks = [_base(spec)]
    for group in spec.worker_generations:
        stacks += [
            _workers(spec, group, shard, count) for shard, count in enumerate(shards(spec, group))
        ]
    return Plan(tuple(stacks))


def shards(spec: ClusterSpec, group: NodeGroupSpec) -> list[int]:
    """Nodes in each stack of a group; a group that an autoscaler may change has one stack."""
    size: int = spec.of_group(group).config['nodes_per_stack']
    if group.max_node_count is not None or group.node_count <= size:
        return [group.node_count]
    full, rest = divmod(group.node_count, size)
    return [size] * full + ([rest] if rest else [])


def _base(spec: ClusterSpec) -> Stack:
    kind = servers.kind(spec, spec.control_plane)
    return Stack(
        key='base',
        name=names.base_stack(spec),
        node_group=spec.control_plane.uuid,
        template=files.text('templates/base.yaml'),
        files=boot.files()
        | servers.files(kind)
        | files.named('cloud_init/control_plane.yaml', 'scripts/control_plane.sh', *COMMON),
        parameters=parameters.base(spec),
        kept=frozenset({'signal_transport'}),
        environment={'resource_registry': {servers.NODE: kind, 'resources': KEPT}},
        timeout_min=spec.timeout_min,
    )


def _workers(spec: ClusterSpec, group: NodeGroupSpec, shard: int, count: int) -> Stack:
    return Stack(
        key=names.worker_key(group, shard),
        name=names.worker_stack(spec, group, shard),
        node_group=group.uuid,
        generation=group.generation,
        template=files.text('templates/workers.yaml'),
        files=boot.files()
        | servers.files(servers.kind(spec, group))
        | files.named('cloud_init/worker.yaml', 'scripts/worker.sh', *COMMON),
        parameters=parameters.workers(spec, group, shard, count),
        # With other address pairs a node that runs could be given another port, so another address.
        kept=frozenset({'signal_transport', 'address_pairs'}),
        timeout_min=spec.timeout_min,
    )
