"""Where secrets of clusters are kept: rows, found by reference, each sealed for itself alone."""

import sqlalchemy as sa
from oslo_config import cfg
from oslo_utils import uuidutils

from magnum_lite.db import engine
from magnum_lite.db.store import utcnow
from magnum_lite.db.tables import secrets
from magnum_lite.secrets.keyring import Keyring, Unreadable
from magnum_lite.secrets.sealing import Row


class Vault:
    """Writes and reads secrets."""

    def __init__(self, conf: cfg.ConfigOpts):
        self._keyring = Keyring(conf)

    def write(self, connection: sa.Connection, cluster_id: str, name: str, text: str) -> str:
        """Keep a secret; its reference.

        :param name: unique in the cluster.
        :raises oslo_db.exception.DBDuplicateEntry: the cluster has one of that name.
        """
        ref = uuidutils.generate_uuid()
        connection.execute(
            secrets.insert().values(
                ref=ref,
                cluster_id=cluster_id,
                name=name,
                created_at=utcnow(),
                sealed=self._keyring.seal(text, Row((ref, cluster_id, name))),
            )
        )
        return ref

    def replace(self, connection: sa.Connection, cluster_id: str, name: str, text: str) -> str:
        """As ``write``, for a secret that the cluster may have already."""
        connection.execute(
            secrets.delete().where(secrets.c.cluster_id == cluster_id, secrets.c.name == name)
        )
        return self.write(connection, cluster_id, name, text)

    def read(self, connection: sa.Connection, ref: str) -> str:
        """The secret.

        :raises Unreadable: there is none, or no key opens it.
        """
        row = connection.execute(sa.select(secrets).where(secrets.c.ref == ref)).first()
        if row is None:
            raise Unreadable
        return self._open(row)

    def refs(self, connection: sa.Connection, cluster_id: str) -> dict[str, str]:
        """``{name: reference}`` of all secrets of a cluster."""
        query = sa.select(secrets.c.name, secrets.c.ref).where(secrets.c.cluster_id == cluster_id)
        return {row.name: row.ref for row in connection.execute(query)}

    def values(self, connection: sa.Connection, cluster_id: str) -> dict[str, str]:
        """``{name: text}`` of all secrets of a cluster."""
        query = sa.select(secrets).where(secrets.c.cluster_id == cluster_id)
        return {row.name: self._open(row) for row in connection.execute(query)}

    def _open(self, row: engine.Row) -> str:
        return self._keyring.open(row.sealed, Row((row.ref, row.cluster_id, row.name)))
