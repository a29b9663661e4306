"""Names of stacks, servers and things, from uuids and what users call them."""

from magnum_lite.driver_sdk import ClusterSpec, NodeGroupSpec
from magnum_lite.driver_sdk.servers import host_prefix, slug


def base_stack(spec: ClusterSpec) -> str:
    """Name of the base stack in Heat."""
    return f'magnum-{spec.uuid}-base'


def worker_key(group: NodeGroupSpec, shard: int) -> str:
    """Key of a stack of workers within the plan; the first shard has no number."""
    return f'{group.uuid}-{group.generation}' + (f'-{shard}' if shard else '')


def worker_stack(spec: ClusterSpec, group: NodeGroupSpec, shard: int) -> str:
    """Name of a stack of workers in Heat."""
    suffix = f'-{shard}' if shard else ''
    return f'magnum-{spec.uuid}-{group.uuid[:8]}-{group.generation}{suffix}'


def prefix(spec: ClusterSpec) -> str:
    """What the names of a cluster's networks, routers and security groups begin with."""
    return f'{slug(spec.name, 40)}-{spec.uuid[:8]}'


def node_prefix(spec: ClusterSpec, group: NodeGroupSpec, shard: int = 0) -> str:
    """Host names of a group's nodes up to their index."""
    return host_prefix(spec, group, f's{shard}' if shard else '')
