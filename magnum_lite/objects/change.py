"""Change: what an operation makes of a cluster. Pure: nothing here reads or writes rows."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from magnum_lite.exceptions import BadRequest
from magnum_lite.objects import kinds
from magnum_lite.objects.base import Resource
from magnum_lite.objects.fields import StringList

MAX_REMOVED = StringList.max  # nodes that one operation may remove by name
Attributes = Mapping[str, Any]
_MOMENTS = ('id', 'created_at', 'updated_at')


@dataclass(frozen=True)
class Values:
    """New values of attributes.

    :ivar cluster: of the cluster.
    :ivar groups: of node groups, by uuid.
    :ivar unknown: parts that a later release added, as they were stored.
    """

    cluster: Attributes = field(default_factory=dict)
    groups: Mapping[str, Attributes] = field(default_factory=dict)
    unknown: Attributes = field(default_factory=dict)


NONE = Values()


@dataclass(frozen=True)
class Change:
    """What one operation makes of a cluster.

    :ivar kind: of the operation.
    :ivar base: the version of the cluster that it was computed from; 0 for a new one.
    :ivar at_once: what rows show as soon as it is accepted; what it changes of node groups is put
        back if it fails.
    :ivar at_end: what they show when it is done. Until then only its own steps see it.
    :ivar added: ``{uuid: all attributes}`` of node groups that it makes.
    :ivar removed: uuids of node groups that go.
    :ivar undo: ``{uuid: attributes}`` that node groups had before, known once it is accepted.
    :ivar nodes_to_remove: nodes of its group that go first, until their members are known.
    :ivar spares: members of its group that go before others, by their indexes; None until its
        driver was asked for them.
    :ivar max_batch_size: nodes of a group that may be away at a time.
    :ivar rollback: whether the cloud is brought back, too, if it fails.
    :ivar lost: servers that are to be made again; None until they were looked for.
    :ivar joined: how many changes were made one.
    :ivar unknown: what a later release added, as it was stored: kept, and read by nobody here.
    """

    kind: str
    base: int = 0
    at_once: Values = NONE
    at_end: Values = NONE
    added: Mapping[str, Attributes] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    undo: Mapping[str, Attributes] = field(default_factory=dict)
    nodes_to_remove: tuple[str, ...] = ()
    spares: tuple[int, ...] | None = None
    max_batch_size: int = 1
    rollback: bool = False
    lost: tuple[str, ...] | None = None
    joined: int = 1
    unknown: Attributes = field(default_factory=dict)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """What ``as_json`` gave; a later release may have added fields."""
        known = _known(given, _NAMES)
        for name in ('at_once', 'at_end'):
            if name in known:
                known[name] = Values(**_known(known[name], _PARTS))
        for name in ('removed', 'nodes_to_remove', 'spares', 'lost'):
            if name in known:
                known[name] = tuple(known[name])
        return cls(**known)

    def as_json(self) -> dict[str, Any]:
        """As a column holds it: without what it does not say."""
        default = Change(self.kind)
        return {
            **self.unknown,
            **{
                name: _plain(getattr(self, name))
                for name in _NAMES
                if name == 'kind' or getattr(self, name) != getattr(default, name)
            },
        }

    def columns(self) -> dict[str, Any]:
        """``{column: value}`` of an operation that wants it, for this release and for 1.0."""
        return {'change': self.as_json(), **self._for_previous()}

    def _for_previous(self) -> dict[str, Any]:
        """What conductors of release 1.0 read; see ``previous``."""
        said = {
            'cluster': self.at_end.cluster,
            'groups': self.at_end.groups,
            'nodes_to_remove': list(self.nodes_to_remove),
            'rollback': self.rollback,
            'max_batch_size': self.max_batch_size if self.max_batch_size > 1 else None,
            'joined': self.joined if self.joined > 1 else None,
        }
        lost = {} if self.lost is None else {'lost': list(self.lost)}
        return {
            'target': {**{name: value for name, value in said.items() if value}, **lost},
            'restore': dict(self.undo),
        }

    @property
    def cluster(self) -> Attributes:
        """All that it changes of the cluster."""
        return {**self.at_once.cluster, **self.at_end.cluster}

    @property
    def groups(self) -> Mapping[str, Attributes]:
        """All that it changes or makes of node groups."""
        parts = self.added, self.at_once.groups, self.at_end.groups
        found: dict[str, dict[str, Any]] = {}
        for part in parts:
            for uuid, values in part.items():
                found[uuid] = {**found.get(uuid, {}), **values}
        return found

    @property
    def generations(self) -> Mapping[str, int]:
        """``{node group: number}`` of the generations that it makes beside those that are there."""
        return {
            uuid: values['generation']
            for uuid, values in self.at_end.groups.items()
            if 'generation' in values
        }

    @property
    def growth(self) -> int:
        """How many nodes more it asks for than there were."""
        before = {
            uuid: values['node_count']
            for uuid, values in self.undo.items()
            if 'node_count' in values
        }
        return sum(
            values['node_count'] - before.get(uuid, 0)
            for uuid, values in self.groups.items()
            if 'node_count' in values
        )

    def snapshot(self) -> dict[str, Any]:
        """What the cluster is after it, as what differs from before; None stands for what goes."""
        if kinds.TABLE[self.kind].ends:
            return {'cluster': None}
        parts = {
            'cluster': dict(self.cluster),
            'groups': {**self.groups, **dict.fromkeys(self.removed)},
        }
        return {name: what for name, what in parts.items() if what}

    def upon(self, groups: Iterable[Any]) -> Self:
        """The change of these rows of node groups: it knows what they had before."""
        return replace(
            self,
            undo={
                group.uuid: {name: getattr(group, name) for name in self.at_once.groups[group.uuid]}
                for group in groups
                if group.uuid in self.at_once.groups
            },
        )

    def join(self, later: 'Change') -> Self:
        """Both as one, where this waits and the later is of the same group.

        :raises BadRequest: together they name more nodes to remove than one operation may.
        """
        nodes = tuple(dict.fromkeys((*self.nodes_to_remove, *later.nodes_to_remove)))
        if len(nodes) > MAX_REMOVED:
            raise BadRequest(
                reason=f'The changes of the node group that wait name {len(nodes)} '
                f'nodes to remove, at most {MAX_REMOVED} are accepted at a '
                'time'
            )
        # What this one makes is not put back, so neither is what became of it before it began.
        undo = (
            {}
            if self.added
            else {
                uuid: {**values, **self.undo.get(uuid, {})}
                for uuid, values in {**self.undo, **later.undo}.items()
            }
        )
        once = {
            uuid: {**self.at_once.groups.get(uuid, {}), **values}
            for uuid, values in {**self.at_once.groups, **later.at_once.groups}.items()
        }
        return replace(
            self,
            at_once=replace(self.at_once, groups=once),
            undo=undo,
            nodes_to_remove=nodes,
            joined=self.joined + 1,
        )

    def behind(self, failed: 'Change') -> Self:
        """This one, which waits behind a change that failed: where both change an attribute, it
        goes back to what was before both."""
        return replace(
            self,
            undo={
                uuid: {
                    name: failed.undo.get(uuid, {}).get(name, value)
                    for name, value in values.items()
                }
                for uuid, values in self.undo.items()
            },
        )

    def put_back(self, later: Iterable['Change']) -> dict[str, dict[str, Any]]:
        """``{group: attributes}`` as they are once it failed.

        :param later: what waits behind it; rows go on showing what those ask for.
        """
        kept = {
            (uuid, name)
            for change in later
            for uuid, values in change.undo.items()
            for name in values
        }
        found = {
            uuid: {name: value for name, value in values.items() if (uuid, name) not in kept}
            for uuid, values in self.undo.items()
        }
        return {uuid: values for uuid, values in found.items() if values}


_NAMES, _PARTS = (
    tuple(item.name for item in dataclasses.fields(shape) if item.name != 'unknown')
    for shape in (Change, Values)
)


def new(row: Resource) -> dict[str, Any]:
    """All attributes that a row begins with, but for moments."""
    return {name: value for name, value in row.as_row().items() if name not in _MOMENTS}


def _known(given: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Values of these names, and what else there is as ``unknown``."""
    known = {name: given[name] for name in names if name in given}
    return {**known, 'unknown': {name: value for name, value in given.items() if name not in known}}


def _plain(value: Any) -> Any:
    if isinstance(value, Values):
        return {
            **value.unknown,
            **{name: getattr(value, name) for name in _PARTS if getattr(value, name)},
        }
    return list(value) if isinstance(value, tuple) else value
