"""NodeGroup: equal nodes of one cluster."""

from collections.abc import Iterable

from magnum_lite.objects import node_taints
from magnum_lite.objects.attribute import attr, internal
from magnum_lite.objects.base import LINKS, Registry, Resource, identity, stamps
from magnum_lite.objects.fields import (
    MAX_GIB,
    Boolean,
    Enum,
    Integer,
    Json,
    String,
    StringList,
    StringMap,
    Text,
    Uuid,
)
from magnum_lite.objects.statuses import STATUSES

DEFAULT_MASTER = 'default-master'  # names that Horizon and the auto-healer have built in
DEFAULT_WORKER = 'default-worker'


@Registry.register
class NodeGroup(Resource):
    """A group of nodes with one role, flavor and image."""

    # 1.0: first release
    # 1.1: labels, node_labels, node_taints and docker_volume_size have limits
    VERSION = '1.1'
    collection = 'nodegroups'

    fields = {
        **identity(create='ignored'),
        'name': attr(String(min=1, max=255), create='required', doc='Unique in its cluster.'),
        'cluster_id': attr(Uuid(), create='ignored', doc='Uuid of the cluster.'),
        'project_id': attr(String(max=255), doc='The project that owns it.'),
        'docker_volume_size': attr(
            Integer(min=1, max=MAX_GIB),
            nullable=True,
            create='optional',
            unit='GiB',
            doc='Size of an extra volume for containers.',
        ),
        'labels': attr(StringMap(), default={}, create='optional', doc='Driver configuration.'),
        'flavor_id': attr(
            String(min=1, max=255), nullable=True, create='optional', doc='Flavor, name or id.'
        ),
        'image_id': attr(
            String(min=1, max=255), nullable=True, create='optional', doc='Image, name or id.'
        ),
        'node_addresses': attr(StringList(), default=[], doc='Addresses of the nodes.'),
        'node_count': attr(
            Integer(min=0), default=1, create='optional', unit='nodes', doc='Nodes wanted.'
        ),
        'role': attr(
            String(min=1, max=255),
            default='worker',
            create='optional',
            doc='master, worker or any word.',
        ),
        'min_node_count': attr(
            Integer(min=0),
            default=0,
            create='optional',
            update=True,
            unit='nodes',
            doc='Fewest nodes that a resize may ask for.',
        ),
        'max_node_count': attr(
            Integer(min=0),
            nullable=True,
            create='optional',
            update=True,
            unit='nodes',
            doc='Most nodes; null or 0: no limit.',
        ),
        'is_default': attr(
            Boolean(), default=False, create='ignored', doc='Whether it came with the cluster.'
        ),
        'stack_id': attr(String(max=255), nullable=True, doc='Id of its first stack in Heat.'),
        'status': attr(Enum(*STATUSES), create='ignored', doc='How far it is.'),
        'status_reason': attr(Text(), nullable=True, doc='Why it failed.'),
        'version': attr(Text(), nullable=True, create='ignored', doc='Kept for clients.'),
        'node_labels': attr(
            StringMap(strict=True, max=node_taints.MOST),
            default={},
            create='optional',
            update=True,
            doc='Labels of the nodes in the COE.',
        ),
        'node_taints': attr(
            Json(node_taints.SCHEMA),
            default=[],
            create='optional',
            update=True,
            doc='Taints of the nodes in the COE.',
        ),
        'generation': internal(Integer(), default=1, doc='Counts the replacements of all nodes.'),
        'removed': internal(
            Json({'type': 'array'}),
            default=[],
            doc='Member indexes that must not exist; only ever grows.',
        ),
        **stamps(),
    }
    computed = {
        'id': attr(Integer(), create='ignored', doc='Row id.'),
        'merge_labels': attr(
            Boolean(), create='optional', doc="Whether given labels are laid over the cluster's."
        ),
        'labels_overridden': attr(StringMap(), doc="The cluster's values of labels that differ."),
        'labels_added': attr(StringMap(), doc='Labels that the cluster lacks.'),
        'labels_skipped': attr(StringMap(), doc='Labels that only the cluster has.'),
        'links': LINKS,
    }


def unformed(groups: Iterable[NodeGroup]) -> frozenset[str]:
    """Uuids of those groups of a cluster that never had a node: their creation failed.

    A driver that tells of no stacks says so by the status alone, which a later change overwrites.
    """
    groups = list(groups)
    is_told = any(group.stack_id for group in groups)
    return frozenset(
        group.uuid
        for group in groups
        if not (group.stack_id or group.is_default)
        and (
            group.status == 'CREATE_FAILED'
            or is_told
            and not group.status.endswith(('COMPLETE', 'CREATE_IN_PROGRESS'))
        )
    )
