"""Stages of an operation: rows that it writes one after the other, each once the cloud is so far.

Rows alone say in which stage an operation is. A worker that dies at any line leaves the present
stage to be made again, and each transaction that enters one is fenced.
"""

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from magnum_lite.db import claims, generations, settle, store
from magnum_lite.db.tables import secrets
from magnum_lite.objects import Certificate, Cluster, NodeGroup, Operation


@dataclass(frozen=True)
class Stage:
    """What enters a stage that is not the first.

    :ivar is_entered: whether the rows are that far, or further.
    :ivar enter: writes them.
    """

    is_entered: Callable[[sa.Connection, Operation], bool]
    enter: Callable[[sa.Connection, Operation], None]


def present(connection: sa.Connection, operation: Operation) -> str:
    """In which stage an operation is that has some."""
    return _present_and_next(connection, operation)[0]


def advance(connection: sa.Connection, operation: Operation) -> str | None:
    """Enter the next stage of an operation, for which all of the present one is made.

    :returns: its name; None after the last one.
    """
    name = _present_and_next(connection, operation)[1]
    if name:
        _TABLE[name].enter(connection, operation)
        _end_phase(connection, operation)
    return name


def retire(
    connection: sa.Connection, operation: Operation, going: Mapping[str, Collection[int]]
) -> None:
    """Let generations of node groups go that nothing needs any more, as ``generations.drop``.

    Any change does so, where one before it failed.
    """
    generations.drop(connection, going, operation.wants.generations.keys())
    _end_phase(connection, operation)


def _end_phase(connection: sa.Connection, operation: Operation) -> None:
    """A phase is one of the driver's for what is over."""
    store.update(
        connection, Operation, {**claims.NO_PHASE, 'phase_cursor': None}, uuid=operation.uuid
    )


def _present_and_next(connection: sa.Connection, operation: Operation) -> tuple[str, str | None]:
    stages = operation.stages
    for name, following in itertools.pairwise(stages):
        if not _TABLE[following].is_entered(connection, operation):
            return name, following
    return stages[-1], None


def _signs(connection: sa.Connection, operation: Operation) -> bool:
    found = store.rows(connection, Cluster, 'ca_generation', uuid=operation.cluster_id)
    return bool(found[0].ca_generation >= _generation(operation))


def _sign(connection: sa.Connection, operation: Operation) -> None:
    """Let the new authorities sign."""
    store.update(
        connection, Cluster, {'ca_generation': _generation(operation)}, uuid=operation.cluster_id
    )


def _forgot(connection: sa.Connection, operation: Operation) -> bool:
    return not store.count(connection, Certificate, **_earlier(operation))


def _forget(connection: sa.Connection, operation: Operation) -> None:
    """Drop the authorities of earlier generations, keys too."""
    earlier = _earlier(operation)
    refs = [row.key_ref for row in store.rows(connection, Certificate, 'key_ref', **earlier)]
    connection.execute(secrets.delete().where(secrets.c.ref.in_(refs)))
    store.delete(connection, Certificate, **earlier)


def _earlier(operation: Operation) -> dict[str, Any]:
    return {
        'cluster_id': operation.cluster_id,
        'generation': list(range(1, _generation(operation))),
    }


def _generation(operation: Operation) -> int:
    """Of the authorities that an operation brings."""
    found: int = operation.wants.at_end.cluster.get('ca_generation', 1)
    return found


def _has_turned(connection: sa.Connection, operation: Operation) -> bool:
    wanted = operation.wants.generations
    found = store.rows(connection, NodeGroup, 'uuid', 'generation', uuid=list(wanted))
    return all(row.generation >= wanted[row.uuid] for row in found)


def _turn(connection: sa.Connection, operation: Operation) -> None:
    """Let the new nodes be those that the groups have: from now on there is no way back."""
    settle.become(connection, operation)
    generations.turn(connection, operation.cluster_id)


_TABLE = {
    'sign': Stage(_signs, _sign),
    'forget': Stage(_forgot, _forget),
    'drain': Stage(_has_turned, _turn),
}
STAGES = frozenset(_TABLE)
