"""The rows of conductors: who lives, and which drivers they have."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from oslo_db import exception as db_exc

from magnum_lite.db.engine import Row, now
from magnum_lite.db.locks import free_rows
from magnum_lite.db.store import utcnow
from magnum_lite.db.tables import services

CONDUCTOR = 'magnum-conductor'  # the name that clients know (contract 3.7)
SERVICE = 'magnum-lite'  # what names the release of a conductor among its plugins


def report(connection: sa.Connection, *, host: str, plugins: Mapping[str, str]) -> None:
    """Note that the conductor of a host lives; its workers share one row.

    :param plugins: ``{driver: version of its package}``, and of SERVICE its release.
    """
    c = services.c
    known = connection.execute(
        sa.select(c.id).where(c.host == host, c.binary == CONDUCTOR)
    ).scalar()
    if known is not None:
        # Where another worker is at it, that one reports for both.
        for ident in free_rows(connection, services, [known]):
            connection.execute(
                services.update()
                .where(c.id == ident)
                .values(
                    report_count=c.report_count + 1,
                    seen_at=now(),
                    updated_at=utcnow(),
                    plugins=dict(plugins),
                )
            )
        return
    try:
        connection.execute(
            services.insert().values(
                host=host,
                binary=CONDUCTOR,
                report_count=1,
                disabled=False,
                plugins=dict(plugins),
                seen_at=now(),
                created_at=utcnow(),
            )
        )
    except db_exc.DBDuplicateEntry as error:  # another worker of the host was first
        raise db_exc.RetryRequest(error) from error


def rows(connection: sa.Connection, *, down_s: float) -> Sequence[Row]:
    """All conductors, each with ``is_up``: seen in the last ``down_s`` seconds of the database."""
    is_up = sa.and_(services.c.disabled.is_(False), services.c.seen_at >= now(-down_s))
    return connection.execute(
        sa.select(services, is_up.label('is_up')).order_by(services.c.id)
    ).all()


def of_release_1_0(connection: sa.Connection, *, down_s: float) -> list[str]:
    """Hosts whose conductors live and are of release 1.0, which does not say so."""
    return sorted(
        row.host
        for row in rows(connection, down_s=down_s)
        if row.is_up and SERVICE not in row.plugins
    )
