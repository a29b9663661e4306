"""Names of stacks, servers and things, from uuids and what users call them."""

import re

from magnum_lite.driver_sdk import ClusterSpec, NodeGroupSpec

NOT_IN_A_LABEL = re.compile(r'[^a-z0-9]+')


def slug(text: str, limit: int) -> str:
    """``text`` as an RFC 1123 label of at most ``limit`` characters; never empty."""
    return NOT_IN_A_LABEL.sub('-', text.lower()).strip('-')[:limit].strip('-') or 'x'


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
    """Host names of a group's nodes up to their index.

    At most 55 characters: with an index they stay an RFC 1123 label, which ends at 63. The uuid
    keeps apart what two slugs may confuse.
    """
    suffix = f's{shard}' if shard else ''
    return (
        f'{slug(spec.name, 20)}-{slug(group.name, 16)}-{group.uuid[:8]}-{group.generation}{suffix}'
    )
