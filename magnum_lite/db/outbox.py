"""Notifications that leave with the change they tell of: written here, sent afterwards."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from oslo_utils import uuidutils

from magnum_lite.db.store import utcnow
from magnum_lite.db.tables import outbox
from magnum_lite.objects import Operation


def write(connection: sa.Connection, operation: Operation, outcome: str, reason: str = '') -> None:
    """Tell that an operation was accepted (``start``) or ended (``end``, ``error``).

    :param outcome: last part of the event type ``magnum_lite.cluster.<kind>.<outcome>``.
    :param reason: why it failed: an error code, or what came before it.
    """
    uuid = uuidutils.generate_uuid()
    connection.execute(outbox.insert().values(
        uuid=uuid, event_type=f'magnum_lite.cluster.{operation.kind}.{outcome}',
        payload=_cadf(uuid, operation, outcome, reason), created_at=utcnow()))


def unsent(connection: sa.Connection, *, limit: int) -> Sequence[sa.Row]:
    """Rows (id, event_type, payload) in the order of the changes."""
    query = sa.select(outbox).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id).limit(limit)
    return connection.execute(query).all()


def sent(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Forget to send these again."""
    connection.execute(outbox.update().where(outbox.c.id.in_(ids)).values(sent_at=utcnow()))


def _cadf(uuid: str, operation: Operation, outcome: str, reason: str) -> dict[str, Any]:
    """A CADF activity event (DMTF DSP0262)."""
    outcomes = {'start': 'pending', 'end': 'success', 'error': 'failure'}
    actions = {'create': 'create', 'delete': 'delete'}
    event = {
        'typeURI': 'http://schemas.dmtf.org/cloud/audit/1.0/event', 'id': uuid,
        'eventType': 'activity', 'eventTime': utcnow().isoformat() + '+0000',
        'action': actions.get(operation.kind, 'update'), 'outcome': outcomes[outcome],
        'initiator': {'typeURI': 'service/security/account/user', 'id': operation.user_id,
                      'project_id': operation.caller_project_id or operation.project_id,
                      'request_id': operation.request_id},
        'target': {'typeURI': 'service/magnum/cluster', 'id': operation.cluster_id,
                   'project_id': operation.project_id},
        'observer': {'typeURI': 'service/magnum', 'id': 'target'},
        'attachments': [{'name': 'operation', 'typeURI': 'mime:application/json',
                         'content': {'uuid': operation.uuid, 'kind': operation.kind}}],
    }
    if reason:
        event['reason'] = {'reasonType': 'magnum_lite', 'reasonCode': reason}
    return event
