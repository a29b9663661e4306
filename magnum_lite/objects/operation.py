"""Operation: one accepted change of one cluster; a row, and the conductor's queue."""

from magnum_lite.objects import previous
from magnum_lite.objects.attribute import attr, internal
from magnum_lite.objects.base import LINKS, Registry, Resource, identity, stamps
from magnum_lite.objects.change import Change
from magnum_lite.objects.fields import DateTime, Enum, Integer, Json, String, Text, Uuid
from magnum_lite.objects.kinds import KINDS, TABLE, Kind

STATES = ('QUEUED', 'RUNNING', 'WAITING', 'DONE', 'FAILED', 'CANCELLED', 'SUPERSEDED')
OPEN = ('QUEUED', 'RUNNING', 'WAITING')
AT_WORK = ('RUNNING', 'WAITING')
OVERTAKEN = ('CANCELLED', 'SUPERSEDED')  # by a deletion
RUN = 'run'  # the slot of the one operation of a cluster that may run


def queue_slot(node_group: str) -> str:
    """The slot of the one change of a node group that may wait its turn."""
    return f'queue:{node_group}'


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


_OR_NULL = {'type': ['string', 'null']}
CAUSE = {
    'type': 'object',
    'additionalProperties': False,
    'required': ['part', 'resource', 'type', 'status', 'reason', 'at', 'server_id'],
    'properties': {
        **dict.fromkeys(('part', 'resource', 'type', 'status', 'reason'), {'type': 'string'}),
        'at': {**_OR_NULL, 'format': 'date-time'},
        'server_id': _OR_NULL,
    },
}


@Registry.register
class Operation(Resource):
    """A change: wanted by whom, how far, and how it ended."""

    # 1.0: first release
    # 1.1: trouble, trouble_since, attempts, phase, its numbers and its cursor, causes, change
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
        'phase': attr(
            String(max=32),
            nullable=True,
            added='1.1',
            doc='In which phase it is, in a word of the driver, such as stacks; in which '
            'it failed. Null before the first step and when it is done.',
        ),
        'phase_done': attr(
            Integer(min=0),
            nullable=True,
            added='1.1',
            doc='How many things of the phase are done; which things, it says.',
        ),
        'phase_total': attr(
            Integer(min=0),
            nullable=True,
            added='1.1',
            doc='How many there are; null where nobody can count them.',
        ),
        'phase_since': attr(
            DateTime(), nullable=True, unit='UTC', added='1.1', doc='When the phase began.'
        ),
        'phase_first': internal(
            Integer(min=0),
            nullable=True,
            added='1.1',
            doc='How many were done when the phase began.',
        ),
        'phase_cursor': internal(
            Json({}),
            nullable=True,
            added='1.1',
            doc='With what the next step of the driver goes on.',
        ),
        'error_code': attr(String(max=64), nullable=True, doc='Why it failed, for programs.'),
        'error_text': attr(Text(), nullable=True, doc='Why it failed, for people.'),
        'causes': attr(
            Json({'type': 'array', 'items': CAUSE}),
            nullable=True,
            default=None,
            added='1.1',
            doc='What failed in the cloud, as it says it, the first cause '
            'first; null where nothing did, or nobody knows.',
        ),
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
        'change': internal(
            Json({'type': 'object'}),
            nullable=True,
            added='1.1',
            doc='What it makes of the cluster; null where release 1.0 accepted it. '
            'Read it as wants.',
        ),
        'target': internal(
            Json({'type': 'object'}),
            default={},
            doc='The same for conductors of release 1.0, see previous.py.',
        ),
        'restore': internal(
            Json({'type': 'object'}),
            default={},
            doc='What it puts back, for conductors of release 1.0.',
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
        'phase_left_s': attr(
            Integer(min=0),
            nullable=True,
            unit='s',
            doc='Seconds until the phase ends if it goes on as it went since it '
            'began; null until something was done in it.',
        ),
        'steps': attr(
            Json({'type': 'array', 'items': STEP}),
            sometimes=True,
            doc='The journal: what was done when; in show.',
        ),
    }

    @property
    def traits(self) -> Kind:
        """What the table of kinds says of it."""
        return TABLE[self.kind]

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that it goes through; none where it makes all at once."""
        kind = self.traits
        return kind.stages if not kind.surges or self.wants.generations else ()

    @property
    def wants(self) -> Change:
        """What it makes of the cluster."""
        return previous.read(self.kind, self.node_group, self.change, self.target, self.restore)

    @property
    def group(self) -> str:
        """Uuid of the one group of a change that is of one, as all are that wait their turn.

        :raises ValueError: it is of the cluster.
        """
        if self.node_group is None:
            raise ValueError(f'operation {self.uuid} ({self.kind}) is of no node group')
        return self.node_group

    def want(self, change: Change) -> None:
        """Let it make that of the cluster."""
        for column, value in change.columns().items():
            setattr(self, column, value)
