"""The servers of nodes: what stands in for one in a template, and names that hosts may have."""

import functools
import importlib.resources
import re

from magnum_lite.driver_sdk.spec import ClusterSpec, NodeGroupSpec

# What a template calls a node whose type the environment of its stack says.
NODE = 'MagnumLite::Node'
SERVER = 'OS::Nova::Server'
_NOT_IN_A_LABEL = re.compile(r'[^a-z0-9]+')


def kind(spec: ClusterSpec, group: NodeGroupSpec) -> str:
    """Resource type of a group's nodes: Nova's server itself, or a template that acts as one.

    A template takes the properties of a server, all of them set, and the GiB of a volume for
    containers as ``docker_volume_size`` of its metadata.
    """
    if spec.server_type == 'bm':
        return 'templates/node_baremetal.yaml'
    return 'templates/node_volume.yaml' if group.docker_volume_size else SERVER


def files(resource_type: str) -> dict[str, str]:
    """What of the files of a stack a resource type needs."""
    return {} if resource_type == SERVER else {resource_type: _text(resource_type)}


def slug(text: str, limit: int) -> str:
    """``text`` as an RFC 1123 label of at most ``limit`` characters; never empty."""
    return _NOT_IN_A_LABEL.sub('-', text.lower()).strip('-')[:limit].strip('-') or 'x'


def host_prefix(spec: ClusterSpec, group: NodeGroupSpec, suffix: str = '') -> str:
    """Host names of a group's nodes up to their index.

    At most 55 characters: with an index they stay an RFC 1123 label, which ends at 63. The uuid
    keeps apart what two slugs may confuse.
    """
    return (
        f'{slug(spec.name, 20)}-{slug(group.name, 16)}-{group.uuid[:8]}-{group.generation}{suffix}'
    )


@functools.cache
def _text(name: str) -> str:
    return importlib.resources.files('magnum_lite.driver_sdk').joinpath(name).read_text('utf-8')
