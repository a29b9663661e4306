"""Whose rights a deletion uses when those of the cluster are gone, and the end of what was lent.

A user or a project may be deleted before the cluster is. Then the service user deletes what is
there, with a role in the project or as an administrator; what it may not reach counts as gone.
"""

import logging
from collections.abc import Callable
from typing import Any

from magnum_lite.cloud.lender import Lender
from magnum_lite.cloud.lending import Lending
from magnum_lite.cloud.trusts import Trusts
from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.cloud import LeasedHeat
from magnum_lite.db import claims, journal, ledger
from magnum_lite.db.engine import Connection, Database
from magnum_lite.driver_sdk import (
    DONE,
    CloudError,
    CloudUnavailable,
    Failed,
    Heat,
    Progress,
    Waiting,
)
from magnum_lite.driver_sdk.heat import cluster_tag
from magnum_lite.objects import Operation

LOG = logging.getLogger(__name__)


class NoHeat:
    """Stands for a Heat that nobody can ask any more: there is nothing in it."""

    def list(self, tag: str) -> list[Any]:
        """Nothing."""
        return []

    def get(self, stack: str) -> None:
        """Nothing."""


def heat_for_deletion(
    clients: Clients, lending: Lending, database: Database, operation: Operation
) -> Heat:
    """Heat with the first rights that work.

    :raises CloudError: the cluster's rights do not work now, though they still exist.
    :raises CloudUnavailable: Keystone or Heat does not answer.
    """
    who = operation.identity
    if who['mode'] == 'none' or lending.keystone.admits(who):
        return clients.heat(who)
    for other in (
        {'mode': 'service', 'project_id': who['project_id']},
        {'mode': 'own', 'project_id': who['project_id']},
    ):
        if other != who and lending.keystone.admits(other):
            try:
                clients.heat(other).list(cluster_tag(operation.cluster_id))
            except CloudUnavailable:
                raise
            except CloudError as error:
                LOG.info('Operation %s: Heat refuses the service user: %s', operation.uuid, error)
                continue
            _note(
                database,
                operation,
                'the rights of its owner are gone: it is deleted with those of the service user',
            )
            # Heat deletes no stack whose trust is there and does not work.
            end(lending.trusts, database, operation)
            return clients.heat(other)
    if who['mode'] != 'trust' or lending.trusts.trustor(who['trust_id']):
        raise CloudError(
            f'Keystone refuses the rights of the owner of cluster '
            f'{operation.cluster_id}, and the service user has none in project '
            f'{who["project_id"]}'
        )
    with database.read() as connection:
        stacks = [
            entry.name
            for entry in ledger.open_entries(connection, operation.cluster_id)
            if entry.kind == ledger.STACK
        ]
    _note(
        database,
        operation,
        'its owner is gone and the service user has no rights in its '
        f'project; these stacks count as gone: {", ".join(stacks)}',
    )
    return NoHeat()


def end(
    lender: Lender,
    database: Database,
    operation: Operation,
    *,
    keep: Callable[[str], bool] | None = None,
) -> None:
    """Delete what was lent to a cluster. What cannot be deleted counts as gone: the journal tells.

    :param keep: whether the thing of an id stays. Then what belongs to a request that is not yet
        accepted stays too; None deletes all.
    :raises CloudUnavailable: Keystone does not answer.
    """
    with database.read() as connection:
        entries = [
            entry
            for entry in ledger.open_entries(connection, operation.cluster_id)
            if entry.kind == lender.kind
        ]
    notes = {}
    for entry in entries:
        if keep and (entry.external_id is None or keep(entry.external_id)):
            continue
        ident = entry.external_id or lender.find(entry.name)
        if ident is None:
            notes[entry.name] = f'{lender.noun} {entry.name} was never made'
            continue
        reason = lender.delete(ident)
        notes[entry.name] = (
            f'{lender.noun} {ident} is deleted'
            if reason is None
            else f'{lender.noun} {ident} cannot be deleted and counts as gone: {reason}'
        )
    if notes:
        database.write(claims.fenced, operation, _close, operation, lender.kind, notes)


def rotate(trusts: Trusts, database: Database, operation: Operation, heat: LeasedHeat) -> Progress:
    """Take one step towards stacks that Heat changes with the rights of the cluster's new owner.

    Heat makes a new trust for itself when another user updates a stack, and never for the same
    user. What it keeps is made of an older trust by that user, which has to stay then.

    :raises CloudError: Heat refused.
    :raises CloudUnavailable: Keystone or Heat does not answer.
    """
    if operation.identity['mode'] == 'none':
        return DONE
    attempt = f'attempt:{operation.uuid}'
    waiting = []
    for stack in heat.list(cluster_tag(operation.cluster_id)):
        if stack.status == 'DELETE_COMPLETE':  # listed for a moment after it is gone
            continue
        if attempt not in stack.tags and not stack.in_progress:
            kept = sorted(tag for tag in stack.tags if not tag.startswith('attempt:'))
            heat.refresh(stack.id, [*kept, attempt])
            waiting.append(stack.name)
        elif stack.in_progress:
            waiting.append(stack.name)
        elif stack.failed:
            return Failed('stack-failed', f'stack {stack.name} is {stack.status}: {stack.reason}')
    if waiting:
        return Waiting(f'{len(waiting)} stacks get new credentials, next {waiting[0]}')
    owner = operation.identity.get('user_id')
    end(
        trusts,
        database,
        operation,
        keep=lambda ident: owner is not None and trusts.trustor(ident) == owner,
    )
    return DONE


def end_strays(lender: Lender, database: Database, *, older_s: float) -> None:
    """Delete what requests made that broke off before they were accepted.

    :param older_s: seconds after which a request must be over.
    :raises CloudUnavailable: Keystone does not answer.
    """
    with database.read() as connection:
        strays = ledger.strays(connection, lender.kind, older_s=older_s)
    for stray in strays:
        ident = lender.find(stray.name)
        if ident:
            reason = lender.delete(ident)
            LOG.warning(
                '%s %s of an interrupted request %s',
                lender.noun,
                ident,
                f'cannot be deleted: {reason}' if reason else 'is deleted',
            )
        database.write(ledger.close, stray.cluster_id, lender.kind, [stray.name])


def _close(connection: Connection, operation: Operation, kind: str, notes: dict[str, str]) -> None:
    ledger.close(connection, operation.cluster_id, kind, notes)
    for note in notes.values():
        journal.note(connection, operation, note)


def _note(database: Database, operation: Operation, text: str) -> None:
    """Note it once; a deletion takes many steps."""
    with database.read() as connection:
        known = {step.text for step in journal.steps_of(connection, operation.uuid)}
    if text not in known:
        database.write(claims.fenced, operation, journal.note, operation, text)
