"""The rows of an operation: itself, the version that it makes, and what others are told of it.

A new cluster is written here too, with its first operation, in the one transaction that a 202
promises: quota, cluster, node groups, version, operation, notification.
"""

from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exc
from oslo_utils import uuidutils

from magnum_lite.db import store, usage
from magnum_lite.db.store import utcnow
from magnum_lite.db.tables import outbox
from magnum_lite.exceptions import NotFound
from magnum_lite.objects import Cluster, ClusterVersion, NodeGroup, Operation
from magnum_lite.objects.change import Change
from magnum_lite.objects.operation import RUN


def create(
    connection: sa.Connection,
    cluster: Cluster,
    operation: Operation,
    change: Change,
    *,
    timeout_min: int,
    quota: int,
) -> str:
    """Write a new cluster with its node groups, and let the operation that makes it run.

    :param timeout_min: minutes from its first claim until the operation is given up; 0 for never.
    :param quota: the limit of projects without one of their own.
    :returns: uuid of the operation.
    :raises QuotaExceeded: the project has as many clusters as it may.
    :raises NotFound: the template was deleted meanwhile.
    """
    usage.reserve(connection, cluster.project_id, default_limit=quota)
    try:
        store.insert(connection, cluster)
    except db_exc.DBReferenceError as error:
        raise NotFound(noun='ClusterTemplate', ident=cluster.cluster_template_id) from error
    store.insert(connection, *(NodeGroup.new(**values) for values in change.added.values()))
    operation.timeout_min, operation.slot = timeout_min, RUN
    return add(connection, operation, change, cluster.version)


def add(connection: sa.Connection, operation: Operation, change: Change, version: int) -> str:
    """Write an operation that was accepted; its uuid.

    :param version: that it makes of the cluster.
    """
    operation.cluster_version = version
    for column, value in change.columns().items():
        setattr(operation, column, value)
    note_version(connection, operation, change, version)
    store.insert(connection, operation)
    tell(connection, operation, 'start')
    return str(operation.uuid)


def note_version(
    connection: sa.Connection, operation: Operation, change: Change, version: int
) -> None:
    """Note what the operation makes of the cluster: only what changes, since a cluster may have
    many groups and many versions."""
    store.insert(
        connection,
        ClusterVersion.new(
            cluster_id=operation.cluster_id,
            version=version,
            reason=operation.reason,
            operation=operation.uuid,
            user_id=operation.user_id,
            request_id=operation.request_id,
            snapshot=change.snapshot(),
        ),
    )


def tell(connection: sa.Connection, operation: Operation, outcome: str, reason: str = '') -> None:
    """Tell that an operation was accepted (``start``) or ended (``end``, ``error``): a row of the
    outbox, which leaves only if the transaction stands.

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
