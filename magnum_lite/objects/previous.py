"""A Change that release 1.0 has had: it stands in the columns ``target`` and ``restore``.

Its conductors read them, and its API writes them, beside this release; ``Change.columns`` fills
them. They go with the release that needs not run beside 1.0.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from magnum_lite.objects import kinds
from magnum_lite.objects.change import Change, Values


def read(
    kind: str,
    node_group: str | None,
    change: Mapping[str, Any] | None,
    target: Mapping[str, Any],
    restore: Mapping[str, Any],
) -> Change:
    """The change of an operation with these columns, whichever release wrote them.

    :param change: None where release 1.0 accepted it. What that does afterwards, it does to the
        other columns: they count where they differ.
    """
    known = Change.from_json(change) if change else _accepted(kind, node_group)
    ours = known.columns()
    if (target, restore) == (ours['target'], ours['restore']):
        return known
    return replace(
        known,
        undo=restore,
        at_end=Values(target.get('cluster', {}), target.get('groups', {})),
        nodes_to_remove=tuple(target.get('nodes_to_remove', ())),
        max_batch_size=target.get('max_batch_size', 1),
        rollback=target.get('rollback', False),
        lost=tuple(target['lost']) if target.get('lost') is not None else None,
        joined=target.get('joined', 1),
    )


def _accepted(kind: str, node_group: str | None) -> Change:
    traits = kinds.TABLE[kind]
    return Change(
        kind,
        added={node_group: {}} if traits.adds and node_group else {},
        removed=(node_group,) if traits.removes and node_group else (),
    )
