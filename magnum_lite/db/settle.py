"""Ending an operation: its outcome, the cluster's status and the notification, in one transaction.

Every function is fenced by ``claims.end``: a worker that lost its claim changes nothing.
"""

import sqlalchemy as sa

from magnum_lite.db import claims, journal, ledger, outbox, store, usage
from magnum_lite.db.tables import secrets
from magnum_lite.driver_sdk.status import Status
from magnum_lite.objects import Certificate, Cluster, NodeGroup, Operation

PHASE = {'create': 'CREATE', 'delete': 'DELETE'}


def observe(connection: sa.Connection, operation: Operation, status: Status) -> None:
    """Write what the cloud shows of the cluster; what it does not show is left as it is."""
    seen = {'stack_id': status.backend_id, 'api_address': status.api_address,
            'coe_version': status.coe_version, 'container_version': status.container_version}
    values = {name: value for name, value in seen.items() if value is not None}
    if values:
        store.update(connection, Cluster, values, uuid=operation.cluster_id)
    for uuid in status.group_backend_ids.keys() | status.group_addresses.keys():
        values = {'node_addresses': list(status.group_addresses.get(uuid, ()))}
        if uuid in status.group_backend_ids:
            values['stack_id'] = status.group_backend_ids[uuid]
        store.update(connection, NodeGroup, values, uuid=uuid, cluster_id=operation.cluster_id)


def done(connection: sa.Connection, operation: Operation, status: Status) -> str | None:
    """The change was made.

    :returns: uuid of the operation that may run next, if one was queued.
    :raises LostClaim: the operation is another's now.
    """
    claims.end(connection, operation, state='DONE', progress='done')
    complete = f'{PHASE.get(operation.kind, "UPDATE")}_COMPLETE'
    observe(connection, operation, status)
    _set(connection, operation, complete, None, _affected(operation))
    return _close(connection, operation, 'end', 'done')


def failed(connection: sa.Connection, operation: Operation, *, code: str, text: str,
           status: Status | None) -> str | None:
    """The change could not be made; node counts go back to what they were.

    :returns: as ``done``.
    :raises LostClaim: as ``done``.
    """
    claims.end(connection, operation, state='FAILED', error_code=code, error_text=text,
               progress='failed')
    if status:
        observe(connection, operation, status)
    for uuid, values in operation.restore.items():
        store.update(connection, NodeGroup, dict(values), uuid=uuid)
    phase = PHASE.get(operation.kind, 'UPDATE')
    _set(connection, operation, f'{phase}_FAILED', text, _affected(operation))
    whole = [uuid for uuid, state in (status.group_states if status else {}).items()
             if state == 'COMPLETE']
    if whole and phase != 'DELETE':
        store.update(connection, NodeGroup, {'status': f'{phase}_COMPLETE', 'status_reason': None},
                     cluster_id=operation.cluster_id, uuid=whole, status=f'{phase}_FAILED')
    return _close(connection, operation, 'error', f'failed ({code}): {text}', code)


def gone(connection: sa.Connection, operation: Operation) -> None:
    """The cluster is deleted: its rows go, its journal stays.

    :raises LostClaim: as ``done``.
    :raises RuntimeError: the ledger says that something may still exist.
    """
    claims.end(connection, operation, state='DONE', progress='done')
    if ledger.open_entries(connection, operation.cluster_id):
        raise RuntimeError(f'the ledger of cluster {operation.cluster_id} is not empty')
    store.delete(connection, NodeGroup, cluster_id=operation.cluster_id)
    store.delete(connection, Certificate, cluster_id=operation.cluster_id)
    connection.execute(secrets.delete().where(secrets.c.cluster_id == operation.cluster_id))
    store.delete(connection, Cluster, uuid=operation.cluster_id)
    usage.release(connection, operation.project_id)
    journal.note(connection, operation, 'done')
    outbox.write(connection, operation, 'end')


def _affected(operation: Operation) -> list[str] | None:
    """Uuids of the groups that the operation changes; None for all."""
    if operation.kind in PHASE:
        return None
    return list(operation.restore)


def _set(connection: sa.Connection, operation: Operation, status: str, reason: str | None,
         groups: list[str] | None) -> None:
    values = {'status': status, 'status_reason': reason}
    store.update(connection, Cluster, values, uuid=operation.cluster_id)
    where = {'cluster_id': operation.cluster_id}
    if groups is not None:
        where['uuid'] = groups
    store.update(connection, NodeGroup, values, **where)


def _close(connection: sa.Connection, operation: Operation, outcome: str, note: str,
           reason: str = '') -> str | None:
    journal.note(connection, operation, note)
    outbox.write(connection, operation, outcome, reason)
    return claims.promote(connection, operation.cluster_id)
