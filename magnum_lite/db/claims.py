"""Who works on an operation: claim, heartbeat, step, wait, release, end.

Each is one UPDATE whose row count decides. No SELECT ... FOR UPDATE, SKIP LOCKED or GET_LOCK:
Galera does not replicate locks. Every write of a run names its fence.
"""

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from magnum_lite.db.engine import now
from magnum_lite.db.locks import by_id, free_rows
from magnum_lite.db.store import utcnow
from magnum_lite.db.tables import operations
from magnum_lite.exceptions import LostClaim
from magnum_lite.objects import Operation
from magnum_lite.objects.change import Change
from magnum_lite.objects.kinds import KINDS
from magnum_lite.objects.operation import OPEN, RUN

# A new owner begins anew: an owner of release 1.0 notes no success.
NO_TROUBLE = {'trouble': None, 'trouble_since': None, 'troubles': 0}
# An operation that is done is in no phase; one that failed shows in which it did.
NO_PHASE = dict.fromkeys(('phase', 'phase_done', 'phase_total', 'phase_since', 'phase_first'))
_FREE = sa.or_(operations.c.owner.is_(None), operations.c.lease_until < now())


def claim(connection: sa.Connection, uuid: str, *, owner: str, lease_s: float) -> bool:
    """Whether the operation is the owner's from now on; has to be alone in its transaction.

    :param lease_s: seconds until others may claim it, unless a heartbeat comes.
    """
    c = operations.c
    # In this order: MariaDB's right-hand sides see what those before them have set.
    values = {
        'attempts': _attempts(),
        'deadline_at': _deadline(),
        'started_at': sa.func.coalesce(c.started_at, now()),
        'owner': owner,
        'state': 'RUNNING',
        'fence': c.fence + 1,
        'lease_until': now(lease_s),
        'updated_at': utcnow(),
        **NO_TROUBLE,
    }
    statement = (
        operations.update()
        .where(c.uuid == uuid, may_run())
        .ordered_values(*((c[name], value) for name, value in values.items()))
    )
    return connection.execute(statement).rowcount == 1


def may_run() -> sa.ColumnElement[bool]:
    """The condition under which an operation is anybody's: awake, and without an owner that lives.

    Kinds that a later release brought wait for a worker of that release.
    """
    return sa.and_(
        operations.c.state.in_(OPEN), operations.c.slot == RUN, operations.c.kind.in_(KINDS), _FREE
    )


def _attempts() -> sa.ColumnElement[int]:
    """One more where the owner was lost during a step; one that stopped in order has left."""
    c = operations.c
    return sa.case(
        (sa.and_(c.owner.is_not(None), c.state == 'RUNNING'), c.attempts + 1), else_=c.attempts
    )


def _deadline() -> sa.ColumnElement[Any]:
    """The deadline as a claim sets it: an operation's time begins with the first.

    The API of release 1.0 set it when it accepted, a conductor of 1.0 sets none.
    """
    c = operations.c
    is_first = sa.or_(c.started_at.is_(None), c.deadline_at.is_(None))
    return sa.case(
        (c.timeout_min == 0, sa.null()), (is_first, now(c.timeout_min * 60)), else_=c.deadline_at
    )


def heartbeat(connection: sa.Connection, *, owner: str, lease_s: float) -> int:
    """Renew the lease of all that the owner has; the number of operations.

    Touches no row of others, and waits for none: what somebody else holds at this moment is left
    to the next heartbeat.
    """
    c = operations.c
    mine = sa.and_(c.owner == owner, c.state.in_(OPEN))
    ids = list(connection.execute(sa.select(c.id).where(mine)).scalars())
    free = free_rows(connection, operations, ids)
    if not free:
        return 0
    values = {'updated_at': utcnow(), 'lease_until': now(lease_s)}
    statement = by_id(operations.update(), operations)
    return connection.execute(statement.where(c.id.in_(free), mine).values(**values)).rowcount


def step(connection: sa.Connection, uuid: str, *, owner: str, lease_s: float) -> Operation:
    """Begin a step: the operation, RUNNING, its lease renewed.

    :raises LostClaim: it is another's now, or has ended.
    """
    mine = sa.and_(
        operations.c.uuid == uuid, operations.c.owner == owner, operations.c.state.in_(OPEN)
    )
    if not update(connection, mine, state='RUNNING', lease_until=now(lease_s)):
        raise LostClaim(operation=uuid)
    return Operation.from_row(
        connection.execute(sa.select(operations).where(operations.c.uuid == uuid)).one()
    )


def wait(
    connection: sa.Connection,
    operation: Operation,
    *,
    progress: str | None,
    check_in_s: float,
    troubles: int = 0,
    trouble: str | None = None,
    place: Mapping[str, Any] | None = None,
) -> None:
    """End a step that is not the last.

    :param check_in_s: seconds until the next step is due.
    :param troubles: failures in a row of what the cloud was told to do.
    :param trouble: what stands in the way; None says that the step succeeded.
    :param place: columns of the phase; without them the operation stays where it was.
    :raises LostClaim: as ``step``.
    """
    standing = (
        {
            'troubles': troubles,
            'trouble': trouble,
            'trouble_since': sa.func.coalesce(operations.c.trouble_since, now()),
        }
        if trouble
        else NO_TROUBLE
    )
    _own(
        connection,
        operation,
        state='WAITING',
        progress=progress,
        check_at=now(check_in_s),
        interval_ms=int(check_in_s * 1000),
        attempts=0,
        **standing,
        **(place or {}),
    )


def leave(connection: sa.Connection, operation: Operation) -> None:
    """Give up an operation whose step did not come to its end: the next owner takes it again.

    :raises LostClaim: as ``step``.
    """
    _own(connection, operation, owner=None)


def release_all(connection: sa.Connection, *, owner: str, in_step: bool = True) -> int:
    """Give up everything: for an orderly stop.

    :param in_step: False leaves what is in a step, which still writes.
    """
    c = operations.c
    mine = c.owner == owner
    return update(connection, mine if in_step else sa.and_(mine, c.state == 'WAITING'), owner=None)


def end(
    connection: sa.Connection,
    operation: Operation,
    *,
    state: str,
    error_code: str | None = None,
    error_text: str | None = None,
    causes: list[dict[str, Any]] | None = None,
    progress: str | None = None,
) -> None:
    """End the operation and free its slot.

    :raises LostClaim: as ``step``.
    """
    _own(
        connection,
        operation,
        state=state,
        slot=None,
        owner=None,
        error_code=error_code,
        error_text=error_text,
        causes=causes,
        progress=progress,
        ended_at=utcnow(),
        phase_cursor=None,
        **({**NO_TROUBLE, **NO_PHASE} if state == 'DONE' else {}),
    )


def hurry(connection: sa.Connection, cluster_id: str) -> list[str]:
    """Make the next step of the cluster's operation due at once: something happened in the cloud.

    :returns: uuids of the operations that were waiting.
    """
    c = operations.c
    waiting = sa.and_(c.cluster_id == cluster_id, c.state == 'WAITING')
    uuids = list(connection.execute(sa.select(c.uuid).where(waiting)).scalars())
    if uuids:
        update(connection, waiting, check_at=now(), interval_ms=0)
    return uuids


def keep(connection: sa.Connection, operation: Operation, change: Change) -> None:
    """Note what the operation wants now: part of it was found out, or carried out already.

    :raises LostClaim: as ``step``.
    """
    operation.want(change)
    _own(connection, operation, **change.columns())


def fenced(
    connection: sa.Connection,
    operation: Operation,
    work: Callable[..., Any],
    *args: Any,
    **kwargs: Any,
) -> Any:
    """What ``work(connection, ...)`` returns, done only while the run of the operation lasts.

    Whatever a run writes beside its own row goes through here: a worker that was frozen and wakes
    after its lease finds that the run is over, and not a row that it could write.

    :raises LostClaim: as ``step``.
    """
    _own(connection, operation)
    return work(connection, *args, **kwargs)


def is_late(connection: sa.Connection, operation: Operation) -> bool:
    """Whether the operation's deadline has passed, by the database's clock."""
    query = sa.select(operations.c.id).where(
        operations.c.uuid == operation.uuid, operations.c.deadline_at < now()
    )
    return connection.execute(query).first() is not None


def is_hopeless(connection: sa.Connection, operation: Operation, *, after_s: float) -> bool:
    """Whether nothing has succeeded for so many seconds, by the database's clock."""
    query = sa.select(operations.c.id).where(
        operations.c.uuid == operation.uuid, operations.c.trouble_since < now(-after_s)
    )
    return connection.execute(query).first() is not None


def update(connection: sa.Connection, where: sa.ColumnElement[bool], **values: Any) -> int:
    """Write values to the operations that a condition finds; how many they are."""
    statement = operations.update().where(where).values(updated_at=utcnow(), **values)
    return connection.execute(statement).rowcount


def _own(connection: sa.Connection, operation: Operation, **values: Any) -> None:
    c = operations.c
    mine = sa.and_(
        c.uuid == operation.uuid,
        c.owner == operation.owner,
        c.fence == operation.fence,
        c.state.in_(OPEN),
    )
    if update(connection, mine, **values) != 1:
        raise LostClaim(operation=operation.uuid)
