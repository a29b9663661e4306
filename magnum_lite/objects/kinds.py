"""The table of kinds: all that the service knows of a kind of operation; other code asks it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from magnum_lite.objects.statuses import STABLE, STATUSES

# In which states of the cluster a change is accepted (contract 3.9 and 9.4). What converges may be
# asked again after a failure; in CREATE_FAILED once the control plane is there. What is accepted
# in UPDATE_IN_PROGRESS waits there for the running change to end.
_AGAIN = (
    *STABLE,
    *(status for status in STATUSES if status.endswith('_FAILED') and status != 'DELETE_FAILED'),
)
_WAITS = (*_AGAIN, 'UPDATE_IN_PROGRESS')
_NOT_GOING = tuple(status for status in STATUSES if status != 'DELETE_IN_PROGRESS')
_GROUPS = tuple(
    status
    for status in STATUSES
    if status != 'CREATE_IN_PROGRESS' and not status.startswith('DELETE')
)


@dataclass(frozen=True)
class Need:
    """What the driver of the cluster has to be able to.

    :ivar doing: what was asked for, in words that follow ``does not support``.
    """

    capability: str
    doing: str


@dataclass(frozen=True)
class Kind:
    """What one kind of operation is.

    :ivar statuses: of the cluster, in which it is accepted; empty for what nobody asks for.
    :ivar phase: what the status of the node groups that it changes begins with.
    :ivar cluster_phase: what that of the cluster begins with.
    :ivar method: of the driver, which takes a step of it.
    :ivar dry_run: the driver's method that plans it; '' where there is nothing to plan.
    :ivar need: what its driver has to be able to; None for what every driver can.
    :ivar options: ``{option: what its driver has to be able to if that is asked for too}``.
    :ivar joins: whether it is a change of one node group, and becomes one with what waits for that.
    :ivar whole: whether it is computed from the cluster as a whole, and is refused if that was
        changed meanwhile.
    :ivar judged: whether its driver is asked about the change before it is accepted; that of a
        new cluster is asked about the cluster.
    :ivar adds: whether it makes the node group that it names.
    :ivar removes: whether that goes.
    :ivar makes: whether it makes the cluster.
    :ivar ends: whether the cluster goes.
    :ivar rights: whether the cluster is to use the rights of another owner.
    :ivar stages: names of what it makes one after the other, see ``db.stages``; in each of them
        its driver is asked for all that the rows say then.
    :ivar surges: whether it has them only where it makes new generations of node groups.
    :ivar staged: the attributes that its stages write: nobody sees the new ones before.
    """

    name: str
    statuses: tuple[str, ...] = ()
    phase: str = 'UPDATE'
    cluster_phase: str = 'UPDATE'
    method: str = 'update'
    dry_run: str = 'update_dry_run'
    need: Need | None = None
    options: Mapping[str, Need] = field(default_factory=lambda: MappingProxyType({}))
    joins: bool = False
    whole: bool = False
    judged: bool = False
    adds: bool = False
    removes: bool = False
    makes: bool = False
    ends: bool = False
    rights: bool = False
    stages: tuple[str, ...] = ()
    surges: bool = False
    staged: frozenset[str] = frozenset()

    @property
    def is_alone(self) -> bool:
        """Whether no other change waits while it runs."""
        return self.makes or self.ends

    def lacking(self, capabilities: Iterable[str], options: Iterable[str] = ()) -> str | None:
        """What a driver with these capabilities cannot do, in words; None if it can do all.

        :param options: those that are asked for.
        """
        for need in (self.need, *(self.options.get(option) for option in options)):
            if need and need.capability not in capabilities:
                return need.doing
        return None


def _update(doing: str) -> Need:
    return Need('update', doing)


class _Table(dict[str, Kind]):
    def __missing__(self, name: str) -> Kind:
        return Kind(name)


# A kind that a later release brought is taken for a change, and waits for a worker of that release.
TABLE: Mapping[str, Kind] = MappingProxyType(
    _Table(
        {
            kind.name: kind
            for kind in (
                Kind(
                    'create',
                    phase='CREATE',
                    cluster_phase='CREATE',
                    method='create',
                    dry_run='create_dry_run',
                    makes=True,
                ),
                Kind('update', _AGAIN, need=_update('resizing'), joins=True, judged=True),
                Kind(
                    'resize',
                    _WAITS,
                    need=_update('resizing'),
                    joins=True,
                    judged=True,
                    options={
                        'nodes_to_remove': Need('scale_manager', 'the removal of given nodes')
                    },
                ),
                Kind(
                    'delete',
                    _NOT_GOING,
                    phase='DELETE',
                    cluster_phase='DELETE',
                    method='delete',
                    dry_run='',
                    ends=True,
                ),
                Kind(
                    'nodegroup_create',
                    _GROUPS,
                    phase='CREATE',
                    need=_update('further node groups'),
                    judged=True,
                    adds=True,
                ),
                Kind(
                    'nodegroup_update',
                    _WAITS,
                    need=_update('changes of node groups'),
                    joins=True,
                    judged=True,
                ),
                Kind(
                    'nodegroup_delete',
                    _GROUPS,
                    phase='DELETE',
                    need=_update('the deletion of node groups'),
                    removes=True,
                ),
                Kind(
                    'upgrade',
                    STABLE,
                    method='upgrade',
                    need=Need('upgrade', 'upgrades'),
                    whole=True,
                    judged=True,
                    stages=('surge', 'drain'),
                    surges=True,
                ),
                Kind(
                    'rotate_ca',
                    STABLE,
                    method='rotate_ca',
                    whole=True,
                    need=Need('rotate_ca', 'rotation of certificate authorities'),
                    stages=('trust', 'sign', 'forget'),
                    staged=frozenset({'ca_generation'}),
                ),
                Kind('rollback', phase='ROLLBACK', cluster_phase='ROLLBACK'),
                Kind(
                    'rotate_credentials',
                    _AGAIN,
                    rights=True,
                    whole=True,
                    options={'application_credential': _update('new credentials of its nodes')},
                ),
            )
        }
    )
)
KINDS = tuple(TABLE)
