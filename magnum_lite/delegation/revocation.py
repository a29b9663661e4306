"""Revocation: the end of delegations, of clusters and of requests that broke off."""

import logging
from collections.abc import Callable

from magnum_lite.db import claims, journal, ledger
from magnum_lite.db.engine import Connection, Database
from magnum_lite.delegation.form import Form
from magnum_lite.objects import Operation

LOG = logging.getLogger(__name__)


def revoke(
    form: Form,
    database: Database,
    operation: Operation,
    *,
    keep: Callable[[str], bool] | None = None,
) -> None:
    """Delete the delegations of a cluster. What cannot be deleted counts as gone: the journal
    tells.

    :param keep: whether the one of an id stays. Then what belongs to a request that is not yet
        accepted stays too; None deletes all.
    :raises CloudUnavailable: Keystone does not answer.
    :raises LostClaim: the run of the operation is over.
    """
    with database.read() as connection:
        entries = [
            entry
            for entry in ledger.open_entries(connection, operation.cluster_id)
            if entry.kind == form.word
        ]
    notes = {}
    for entry in entries:
        if keep and (entry.external_id is None or keep(entry.external_id)):
            continue
        ident = entry.external_id or form.find(entry.name)
        if ident is None:
            notes[entry.name] = f'{form.noun} {entry.name} was never made'
            continue
        reason = form.delete(ident)
        notes[entry.name] = (
            f'{form.noun} {ident} is deleted'
            if reason is None
            else f'{form.noun} {ident} cannot be deleted and counts as gone: {reason}'
        )
    if notes:
        database.write(claims.fenced, operation, _close, operation, form.word, notes)


def revoke_strays(form: Form, database: Database, *, older_s: float) -> None:
    """Delete what requests made that broke off before they were accepted.

    :param older_s: seconds after which a request must be over.
    :raises CloudUnavailable: Keystone does not answer.
    """
    with database.read() as connection:
        strays = ledger.strays(connection, form.word, older_s=older_s)
    for stray in strays:
        ident = form.find(stray.name)
        if ident:
            reason = form.delete(ident)
            LOG.warning(
                '%s %s of an interrupted request %s',
                form.noun,
                ident,
                f'cannot be deleted: {reason}' if reason else 'is deleted',
            )
        database.write(ledger.close, stray.cluster_id, form.word, [stray.name])


def _close(connection: Connection, operation: Operation, kind: str, notes: dict[str, str]) -> None:
    ledger.close(connection, operation.cluster_id, kind, notes)
    for note in notes.values():
        journal.note(connection, operation, note)
