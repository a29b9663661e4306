"""Lending: a trust made while a request is accepted, and taken back when it is not."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from magnum_lite.api.endpoint import Request
from magnum_lite.cloud import trusts
from magnum_lite.db import ledger
from magnum_lite.exceptions import DelegationRefused, Unavailable

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loan:
    """A trust that was just made.

    :ivar identity: what the cluster keeps.
    """

    cluster_id: str
    mark: str
    identity: dict[str, Any]

    def accept(self, connection: Any) -> None:
        """Make it the cluster's, in the transaction that accepts the request."""
        ledger.identify(connection, self.cluster_id, ledger.TRUST, self.mark,
                        self.identity['trust_id'])


@contextmanager
def loan(request: Request, cluster_id: str) -> Iterator[Loan]:
    """A trust by the caller for a cluster; taken back when the block raises.

    Written down first: if this process dies, a conductor finds the trust by its mark.

    :raises DelegationRefused: the caller's token may not.
    :raises Unavailable: Keystone does not answer.
    """
    service, mark = request.service, uuid.uuid4().hex
    service.db.write(ledger.expect, cluster_id, ledger.TRUST, [mark])
    trust_id = None
    try:
        trust_id = service.trusts.make(request.context, mark)
        yield Loan(cluster_id, mark, trusts.document(request.context, trust_id))
    except DelegationRefused:
        service.db.write(ledger.close, cluster_id, ledger.TRUST, [mark])
        raise
    except Exception:
        _take_back(request, cluster_id, mark, trust_id)
        raise


def _take_back(request: Request, cluster_id: str, mark: str, trust_id: str | None) -> None:
    try:
        if trust_id:
            request.service.trusts.take_back(request.context, trust_id)
            request.service.db.write(ledger.close, cluster_id, ledger.TRUST, [mark])
    except Unavailable as error:
        LOG.warning('Trust %s is left to a conductor: %s', trust_id, error)
