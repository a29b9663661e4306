"""Spec -> Plan: the base stack, and a stack for each worker group and generation. Pure."""

from magnum_lite.driver_sdk import ClusterSpec, NodeGroupSpec, Plan, Stack, boot, servers
from magnum_lite_swarm import files, names, parameters

# What both roles write to a node.
COMMON = ('cloud_init/metadata.service', 'scripts/engine.sh')
# A server there has a part of the cluster's state: never replaced without being told so. The '*'
# reaches into a template that stands in for the server.
KEPT = {
    name: {'restricted_actions': 'replace', '*': {'restricted_actions': 'replace'}}
    for name in (
        'network',
        'subnet',
        'router',
        *(f'{thing}_{index}' for thing in ('port', 'manager') for index in range(5)),
    )
}


def plan(spec: ClusterSpec) -> Plan:
    """The stacks of a cluster, the base stack first."""
    return Plan((_base(spec), *(_workers(spec, group) for group in spec.worker_generations)))


def _base(spec: ClusterSpec) -> Stack:
    kind = servers.kind(spec, spec.control_plane)
    return Stack(
        key='base',
        name=names.base_stack(spec),
        node_group=spec.control_plane.uuid,
        template=files.text('templates/base.yaml'),
        files=boot.files()
        | servers.files(kind)
        | files.named(
            'cloud_init/manager.yaml',
            'cloud_init/door.service',
            'scripts/manager.sh',
            'scripts/door.sh',
            *COMMON,
        ),
        parameters=parameters.base(spec),
        # The first forming alone is waited for: who joins later is the swarm's own matter.
        # What managers are made of, an upgrade changes.
        kept=frozenset({'signal_transport', 'manager_signals', 'made_of', 'spare'}),
        environment={'resource_registry': {servers.NODE: kind, 'resources': KEPT}},
        timeout_min=spec.timeout_min,
    )


def _workers(spec: ClusterSpec, group: NodeGroupSpec) -> Stack:
    return Stack(
        key=names.worker_key(group),
        name=names.worker_stack(spec, group),
        node_group=group.uuid,
        generation=group.generation,
        template=files.text('templates/workers.yaml'),
        files=boot.files()
        | servers.files(servers.kind(spec, group))
        | files.named('cloud_init/worker.yaml', 'scripts/worker.sh', *COMMON),
        parameters=parameters.workers(spec, group),
        kept=frozenset({'signal_transport'}),
        timeout_min=spec.timeout_min,
    )
