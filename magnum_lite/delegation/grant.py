"""Grant: what a caller gives to a cluster while a request is accepted.

A delegation is written down before it is made, so that a conductor finds it by its name if this
process dies, and revoked when the request is not accepted.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from magnum_lite.context import RequestContext
from magnum_lite.db import ledger
from magnum_lite.db.engine import AWAY, Connection, Database
from magnum_lite.delegation.form import Delegation, Form
from magnum_lite.exceptions import DelegationRefused, Unavailable
from magnum_lite.objects import Operation

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Grant:
    """What a cluster gets of a caller.

    :ivar identity: whose rights its operations use.
    :ivar application_credential: see the attribute of ``Cluster``.
    :ivar writes: what makes it the cluster's, in the transaction that accepts the request.
    """

    identity: dict[str, Any]
    application_credential: dict[str, Any]
    writes: tuple[Callable[[Connection, Operation], None], ...] = ()


@contextmanager
def made(
    form: Form, context: RequestContext, database: Database, cluster_id: str
) -> Iterator[tuple[str, Delegation]]:
    """A delegation by its name, for a cluster; revoked when the block raises.

    :raises DelegationRefused: the caller's token may not.
    :raises Unavailable: Keystone does not answer.
    """
    name = form.name(context)
    database.write(ledger.expect, cluster_id, form.word, [name])
    try:
        delegation = form.make(context, name)
    except DelegationRefused:
        with suppress(*AWAY):  # the look for strays finds that it was never made
            database.write(ledger.close, cluster_id, form.word, [name])
        raise
    try:
        yield name, delegation
    except Exception:
        _revoke(form, context, database, cluster_id, name, delegation)
        raise


def _revoke(
    form: Form,
    context: RequestContext,
    database: Database,
    cluster_id: str,
    name: str,
    delegation: Delegation,
) -> None:
    """Delete what no cluster got. What nobody can say anything of is left to a conductor: the
    cluster may have been accepted, though the answer to COMMIT was lost.
    """
    try:
        if not database.write(ledger.abandon, cluster_id, form.word, name):
            return
        form.revoke(context, delegation)
        database.write(ledger.close, cluster_id, form.word, [name])
    except (Unavailable, *AWAY) as error:
        LOG.warning('%s %s is left to a conductor: %s', form.noun, delegation.id, error)
