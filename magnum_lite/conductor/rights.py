"""With whose rights a cluster is deleted whose owner is gone.

A user or a project may be deleted before the cluster is. Then the service user deletes what is
there, with a role in the project or as an administrator; what it may not reach counts as gone.
"""

from collections.abc import Mapping
from typing import Any

from magnum_lite.db import claims, journal, ledger
from magnum_lite.db.engine import Database
from magnum_lite.delegation import Delegations
from magnum_lite.driver_sdk.backend import Backend
from magnum_lite.objects import Operation


def for_deletion(
    backend: Backend, delegations: Delegations, database: Database, operation: Operation
) -> Mapping[str, Any] | None:
    """The first identity that may; None if none ever will, so that all counts as gone.

    :raises CloudError: the cluster's rights do not work now, though they still exist.
    :raises CloudUnavailable: Keystone or the backend does not answer.
    """
    who = delegations.for_deletion(operation, backend.look)
    if who is None:
        with database.read() as connection:
            parts = [
                entry.name
                for entry in ledger.open_entries(connection, operation.cluster_id)
                if entry.kind == ledger.PART
            ]
        _note(
            database,
            operation,
            'its owner is gone and the service user has no rights in its '
            f'project; these {backend.noun}s count as gone: '
            f'{", ".join(parts)}',
        )
    elif who != operation.identity:
        _note(
            database,
            operation,
            'the rights of its owner are gone: it is deleted with those of the service user',
        )
        # A backend may delete nothing whose trust is there and does not work: Heat is so.
        delegations.revoke_trusts(operation)
    return who


def _note(database: Database, operation: Operation, text: str) -> None:
    """Note it once; a deletion takes many steps."""
    with database.read() as connection:
        known = {step.text for step in journal.steps_of(connection, operation.uuid)}
    if text not in known:
        database.write(claims.fenced, operation, journal.note, operation, text)
