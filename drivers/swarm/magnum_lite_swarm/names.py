"""Names of stacks and things, from uuids and what users call them."""

from magnum_lite.driver_sdk import ClusterSpec, NodeGroupSpec
from magnum_lite.driver_sdk.servers import slug


def base_stack(spec: ClusterSpec) -> str:
    """Name of the base stack in Heat."""
    return f'magnum-{spec.uuid}-base'


def worker_key(group: NodeGroupSpec) -> str:
    """Key of a stack of workers within the plan."""
    return f'{group.uuid}-{group.generation}'


def worker_stack(spec: ClusterSpec, group: NodeGroupSpec) -> str:
    """Name of a stack of workers in Heat."""
    return f'magnum-{spec.uuid}-{group.uuid[:8]}-{group.generation}'


def prefix(spec: ClusterSpec) -> str:
    """What the names of a cluster's networks, routers and security groups begin with."""
    return f'{slug(spec.name, 40)}-{spec.uuid[:8]}'
