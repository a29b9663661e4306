"""Operation: one accepted change of one cluster; a row, and the conductor's queue."""

from magnum_lite.objects.attribute import attr, internal
from magnum_lite.objects.base import LINKS, Registry, Resource, identity, stamps
from magnum_lite.objects.fields import DateTime, Enum, Integer, Json, String, StringList, Text, Uuid
from magnum_lite.objects.status import STABLE, STATUSES

STATES = ('QUEUED', 'RUNNING', 'WAITING', 'DONE', 'FAILED', 'CANCELLED', 'SUPERSEDED')
OPEN = ('QUEUED', 'RUNNING', 'WAITING')
OVERTAKEN = ('CANCELLED', 'SUPERSEDED')  # by a deletion
KINDS = (
    'create',
    'update',
    'resize',
    'delete',
    'nodegroup_create',
    'nodegroup_update',
    'nodegroup_delete',
    'upgrade',
    'rotate_ca',
    'rollback',
    'rotate_credentials',
)

# In which states of the cluster a change is accepted (contract 3.9 and 9.4). What converges may be
# asked again after a failure; in CREATE_FAILED once the control plane is there. Changes that are
# accepted in UPDATE_IN_PROGRESS wait there for the running one to end.
_AGAIN = (
    *STABLE,
    *(status for status in STATUSES if status.endswith('_FAILED') and status != 'DELETE_FAILED'),
)
_WAITS = (*_AGAIN, 'UPDATE_IN_PROGRESS')
_GROUPS = tuple(
    status
    for status in STATUSES
    if status != 'CREATE_IN_PROGRESS' and not status.startswith('DELETE')
)
ALLOWED = {
    'update': _AGAIN,
    'resize': _WAITS,
    'delete': STATUSES,
    'nodegroup_create': _GROUPS,
    'nodegroup_update': _WAITS,
    'nodegroup_delete': _GROUPS,
    'upgrade': STABLE,
    'rotate_ca': STABLE,
    'rotate_credentials': (*STABLE, 'UPDATE_FAILED'),
}
MAX_REMOVED = StringList.max  # nodes that one operation may remove by name
RUN = 'run'  # the slot of the one operation of a cluster that may run
_PHASES = {
    'create': 'CREATE',
    'delete': 'DELETE',
    'rollback': 'ROLLBACK',
    'nodegroup_create': 'CREATE',
    'nodegroup_delete': 'DELETE',
}


def queue_slot(node_group: str) -> str:
    """The slot of the one change of a node group that may wait its turn."""
    return f'queue:{node_group}'


def group_phase(kind: str) -> str:
    """What the status of the node groups that an operation changes begins with."""
    return _PHASES.get(kind, 'UPDATE')


def cluster_phase(kind: str) -> str:
    """What the status of the cluster begins with."""
    return 'UPDATE' if kind.startswith('nodegroup') else group_phase(kind)


STEP = {
    'type': 'object',
    'additionalProperties': False,
    'required': ['text', 'fence', 'created_at'],
    'properties': {
        'text': {'type': 'string'},
        'fence': {'type': 'integer'},
        'created_at': {'type': 'string', 'format': 'date-time'},
    },
}


@Registry.register
class Operation(Resource):
    """A change: wanted by whom, how far, and how it ended."""

    # 1.0: first release
    # 1.1: trouble, trouble_since, attempts
    VERSION = '1.1'
    collection = 'operations'

    fields = {
        **identity(),
        'cluster_id': attr(Uuid(), doc='Uuid of the cluster; outlives it.'),
        'kind': attr(Enum(*KINDS), doc='What is done.'),
        'state': attr(Enum(*STATES), default='QUEUED', doc='How far it is.'),
        'node_group': attr(Uuid(), nullable=True, doc='The group it changes, if only one.'),
        'cluster_version': attr(Integer(), doc='The version of the cluster that it makes.'),
        'reason': attr(Text(), doc='Why, in a sentence.'),
        'progress': attr(Text(), nullable=True, doc='What it does now.'),
        'error_code': attr(String(max=64), nullable=True, doc='Why it failed, for programs.'),
        'error_text': attr(Text(), nullable=True, doc='Why it failed, for people.'),
        'project_id': attr(String(max=255), doc='The project of the cluster.'),
        'user_id': attr(String(max=255), doc='Who asked.'),
        'request_id': attr(String(max=255), nullable=True, doc='By which request.'),
        'caller_project_id': internal(
            String(max=255),
            nullable=True,
            doc='Who asked in which project; an administrator may have another than the cluster.',
        ),
        'slot': internal(
            String(max=64),
            nullable=True,
            doc='Unique in the cluster while open: run, or queue:<node group>.',
        ),
        'target': internal(
            Json({'type': 'object'}),
            default={},
            doc='What the rows do not say: nodes_to_remove, max_batch_size, '
            'rollback, and attributes of the cluster and its groups that '
            'change when it is done.',
        ),
        'restore': internal(
            Json({'type': 'object'}),
            default={},
            doc='Attributes to put back on failure, by node group.',
        ),
        'timeout_min': internal(
            Integer(), default=0, doc='Minutes that it may take once it was claimed; 0: no limit.'
        ),
        'identity': internal(
            Json({'type': 'object'}),
            default={},
            doc='Whose rights the cloud calls use; no secret in clear.',
        ),
        'owner': internal(String(max=255), nullable=True, doc='The worker that has it.'),
        'fence': internal(Integer(), default=0, doc='Grows with each claim.'),
        'lease_until': internal(DateTime(), nullable=True, doc='Until when the owner has it.'),
        'check_at': internal(DateTime(), nullable=True, doc='When the next step is due.'),
        'interval_ms': internal(Integer(), default=0, doc='The pause before check_at.'),
        'attempts': internal(
            Integer(),
            default=0,
            added='1.1',
            doc='Workers in a row that were lost during a step of it.',
        ),
        'trouble': attr(
            Text(),
            nullable=True,
            added='1.1',
            doc='What went wrong last and is tried again; null after a success.',
        ),
        'trouble_since': attr(
            DateTime(),
            nullable=True,
            unit='UTC',
            added='1.1',
            doc='Since when nothing succeeded; null after a success.',
        ),
        'troubles': internal(
            Integer(),
            default=0,
            doc='Failures in a row of what the cloud was told to do, such as the '
            'deletion of a stack.',
        ),
        'deadline_at': attr(
            DateTime(),
            nullable=True,
            unit='UTC',
            doc='When it is given up; null until a conductor begins it, and where it has no limit.',
        ),
        'started_at': attr(DateTime(), nullable=True, unit='UTC', doc='When it was first claimed.'),
        'ended_at': attr(DateTime(), nullable=True, unit='UTC', doc='When it ended.'),
        **stamps(),
    }
    computed = {
        'links': LINKS,
        'steps': attr(
            Json({'type': 'array', 'items': STEP}),
            sometimes=True,
            doc='The journal: what was done when; in show.',
        ),
    }
