"""The authorities of a cluster: of which generation one signs, and which all are trusted.

The cluster names the generation that signs. A newer one is to sign next, an older one has signed
what is not replaced yet; all that exist are trusted.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from magnum_lite.db import store
from magnum_lite.db.engine import Row
from magnum_lite.objects import Certificate, Cluster


@dataclass(frozen=True)
class Authority:
    """That of one purpose.

    :ivar signs: its row of ``certificates``.
    :ivar rows: all generations, the newest first.
    """

    signs: Row
    rows: tuple[Row, ...]

    @property
    def generations(self) -> tuple[int, ...]:
        """Their numbers, the newest first."""
        return tuple(row.generation for row in self.rows)

    @property
    def trusted(self) -> str:
        """The certificates that nodes have to trust, PEM, in that order: the same text while a new
        one is to sign and when it does."""
        return _bundle(row.pem for row in self.rows)

    @property
    def cross(self) -> str:
        """The certificates, PEM, by which those who trust older generations alone believe what
        signs: each is of the authority that has signed the one before it. '' without older ones."""
        older = [row for row in self.rows if row.generation <= self.signs.generation][:-1]
        # None is there where the one before had expired: what is older than that leads nowhere.
        return _bundle(itertools.takewhile(bool, (row.cross_pem for row in older)))

    @property
    def shown(self) -> str:
        """The same for clients, of which some read the first alone: that which signs."""
        others = (row.pem for row in self.rows if row is not self.signs)
        return _bundle((self.signs.pem, *others))


def of(connection: sa.Connection, cluster: Cluster) -> dict[str, Authority]:
    """``{purpose: authority}`` of those that are there."""
    found: dict[str, list[Row]] = {}
    for row in store.rows(connection, Certificate, cluster_id=cluster.uuid):
        found.setdefault(row.purpose, []).append(row)
    return {
        purpose: Authority(row, tuple(sorted(rows, key=lambda row: -row.generation)))
        for purpose, rows in found.items()
        for row in rows
        if row.generation == cluster.ca_generation
    }


def _bundle(pems: Iterable[str]) -> str:
    return ''.join(f'{pem.rstrip()}\n' for pem in pems)
