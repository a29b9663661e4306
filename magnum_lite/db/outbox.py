"""Notifications that leave with the change they tell of: written here, sent afterwards.

One worker at a time sends, so that those of a cluster leave in the order of its changes: whoever
writes one holds the row of the cluster, so their ids have that order.
"""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from oslo_utils import uuidutils

from magnum_lite.db import leases
from magnum_lite.db.engine import Row
from magnum_lite.db.store import utcnow
from magnum_lite.db.tables import outbox
from magnum_lite.objects import Operation

LEASE = 'outbox'


def write(connection: sa.Connection, operation: Operation, outcome: str, reason: str = '') -> None:
    """Tell that an operation was accepted (``start``) or ended (``end``, ``error``).

    :param outcome: last part of the event type ``magnum_lite.cluster.<kind>.<outcome>``.
    :param reason: why it failed: an error code, or what came before it.
    """
    uuid = uuidutils.generate_uuid()
    connection.execute(
        outbox.insert().values(
            uuid=uuid,
            event_type=f'magnum_lite.cluster.{operation.kind}.{outcome}',
            payload=_cadf(uuid, operation, outcome, reason),
            created_at=utcnow(),
        )
    )


def unsent(connection: sa.Connection, *, limit: int, after: int = 0) -> Sequence[Row]:
    """Rows (id, event_type, payload) in the order of the changes.

    :param after: id of the last row looked at.
    """
    query = sa.select(outbox).where(outbox.c.sent_at.is_(None), outbox.c.id > after)
    return connection.execute(query.order_by(outbox.c.id).limit(limit)).all()


def sent(connection: sa.Connection, ids: Collection[int]) -> None:
    """Forget to send these again."""
    if ids:
        connection.execute(outbox.update().where(outbox.c.id.in_(ids)).values(sent_at=utcnow()))


def hold(connection: sa.Connection, ids: Collection[int], *, owner: str, lease_s: float) -> bool:
    """Mark what was sent, and be the only one to send for so many seconds more.

    What was sent is marked in any case: the broker has it.

    :returns: False while another worker sends.
    """
    held = leases.take(connection, LEASE, owner=owner, lease_s=lease_s)
    sent(connection, ids)
    return held


def release(connection: sa.Connection, ids: Collection[int], *, owner: str) -> None:
    """Mark what was sent, and let another worker send."""
    leases.give(connection, LEASE, owner=owner)
    sent(connection, ids)


def _cadf(uuid: str, operation: Operation, outcome: str, reason: str) -> dict[str, Any]:
    """A CADF activity event (DMTF DSP0262)."""
    outcomes = {'start': 'pending', 'end': 'success', 'error': 'failure'}
    actions = {'create': 'create', 'delete': 'delete'}
    event = {
        'typeURI': 'http://schemas.dmtf.org/cloud/audit/1.0/event',
        'id': uuid,
        'eventType': 'activity',
        'eventTime': utcnow().isoformat() + '+0000',
        'action': actions.get(operation.kind, 'update'),
        'outcome': outcomes[outcome],
        'initiator': {
            'typeURI': 'service/security/account/user',
            'id': operation.user_id,
            'project_id': operation.caller_project_id or operation.project_id,
            'request_id': operation.request_id,
        },
        'target': {
            'typeURI': 'service/magnum/cluster',
            'id': operation.cluster_id,
            'project_id': operation.project_id,
        },
        'observer': {'typeURI': 'service/magnum', 'id': 'target'},
        'attachments': [
            {
                'name': 'operation',
                'typeURI': 'mime:application/json',
                'content': {'uuid': operation.uuid, 'kind': operation.kind},
            }
        ],
    }
    if reason:
        event['reason'] = {'reasonType': 'magnum_lite', 'reasonCode': reason}
    return event
