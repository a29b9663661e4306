"""Which servers have fetched their secrets: each once, by the proof that it gave then."""

import sqlalchemy as sa
from oslo_db import exception as db_exc

from magnum_lite.db import journal, queue, store
from magnum_lite.db.tables import enrolments
from magnum_lite.exceptions import NotEnrolled, Unavailable


def enrol(
    connection: sa.Connection, cluster_id: str, server_id: str, node_group: str, fingerprint: str
) -> bool:
    """Note a server; whether it is new. The same proof again is the same node, whose answer was
    lost.

    :raises NotEnrolled: somebody has enrolled as that server with another proof, or the cluster was
        deleted while the cloud was asked.
    :raises Unavailable: somebody does at this moment.
    """
    if not queue.hold(connection, cluster_id):
        raise NotEnrolled(reason='it is not in the stacks of the cluster')
    row = connection.execute(
        sa.select(enrolments.c.fingerprint, enrolments.c.cluster_id).where(
            enrolments.c.server_id == server_id
        )
    ).first()
    if row:
        if (row.fingerprint, row.cluster_id) != (fingerprint, cluster_id):
            raise NotEnrolled(reason='the server has enrolled before')
        return False
    try:
        connection.execute(
            enrolments.insert().values(
                cluster_id=cluster_id,
                server_id=server_id,
                node_group=node_group,
                fingerprint=fingerprint,
                created_at=store.utcnow(),
            )
        )
    except db_exc.DBDuplicateEntry as error:  # at the same moment: the next try knows who won
        raise Unavailable(what='the place where nodes enrol') from error
    journal.note_cluster(
        connection, cluster_id, f'server {server_id} enrolled and was given its secrets'
    )
    return True


def knows(connection: sa.Connection, cluster_id: str, server_id: str, fingerprint: str) -> bool:
    """Whether that server of the cluster has enrolled by that proof."""
    query = sa.select(enrolments.c.id).where(
        enrolments.c.server_id == server_id,
        enrolments.c.cluster_id == cluster_id,
        enrolments.c.fingerprint == fingerprint,
    )
    return connection.execute(query).first() is not None


def refuse(connection: sa.Connection, cluster_id: str, server_id: str) -> None:
    """Tell the journal that somebody else asked as a server that has enrolled; once."""
    query = sa.select(enrolments.c.id).where(
        enrolments.c.cluster_id == cluster_id, enrolments.c.server_id == server_id
    )
    if connection.execute(query).first():
        journal.note_cluster(
            connection,
            cluster_id,
            among=journal.MOST,
            text=f'a second enrolment as server {server_id} was refused',
        )


def forget(connection: sa.Connection, cluster_id: str) -> None:
    """Drop the rows of a cluster that is gone."""
    connection.execute(enrolments.delete().where(enrolments.c.cluster_id == cluster_id))
