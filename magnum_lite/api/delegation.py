"""Lending: what a caller's token makes for a cluster while a request is accepted.

It is written down first, so that a conductor finds it by its name if this process dies, and taken
back when the request is not accepted.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from magnum_lite.api.endpoint import Request
from magnum_lite.cloud import identity, trusts
from magnum_lite.cloud.lender import Lender, Lent
from magnum_lite.db import journal, ledger
from magnum_lite.db.engine import AWAY
from magnum_lite.driver_sdk import CloudUnavailable
from magnum_lite.exceptions import CredentialRefused, DelegationRefused, NoRole, Unavailable
from magnum_lite.objects import Cluster, Operation
from magnum_lite.secrets.vault import Vault

LOG = logging.getLogger(__name__)
# The capability of drivers whose nodes authenticate at the cloud.
FOR_NODES = 'application_credential'


@dataclass(frozen=True)
class Loan:
    """What a cluster gets of a caller.

    :ivar identity: whose rights its operations use.
    :ivar application_credential: see the attribute of ``Cluster``.
    """

    identity: dict[str, Any]
    application_credential: dict[str, Any]
    _vault: Vault
    _made: tuple[tuple[Lender, str, Lent], ...]

    def accept(self, connection: Any, operation: Operation) -> None:
        """Make it the cluster's, in the transaction that accepts the request."""
        cluster_id = operation.cluster_id
        for lender, name, lent in self._made:
            ledger.identify(connection, cluster_id, lender.kind, name, lent.id)
            for purpose, text in lent.secrets.items():
                self._vault.replace(connection, cluster_id, purpose, text)
            if lent.note:
                journal.note(connection, operation, lent.note)


@contextmanager
def loan(request: Request, cluster: Cluster, capabilities: Collection[str]) -> Iterator[Loan]:
    """What the caller lends to a cluster; taken back when the block raises.

    :param capabilities: of the cluster's driver.
    :raises DelegationRefused: the caller's token may not.
    :raises Unavailable: Keystone does not answer.
    """
    context, conf, lending = request.context, request.service.conf, request.service.lending
    who, credential = identity.service(cluster.project_id), cluster.application_credential
    by_trust = conf.identity.delegation == 'trust'
    if not by_trust:
        _check_role(request, who)
    lenders: list[Lender] = [lending.trusts] if by_trust else []
    if FOR_NODES in capabilities:
        lenders.append(lending.application_credentials)
        credential = {
            'generation': credential.get('generation', 0) + 1,
            'auth_url': lending.keystone.public_url(context),
            'region_name': conf.cloud.region_name,
        }
    if lenders and context.project_id != cluster.project_id:
        refused = DelegationRefused if by_trust else CredentialRefused
        raise refused(reason='your token is for another project')
    with ExitStack() as stack:
        made = tuple(
            stack.enter_context(_lent(request, cluster.uuid, lender)) for lender in lenders
        )
        if by_trust:
            who = trusts.document(context, made[0][2].id)
        yield Loan(who, credential, request.service.vault, made)


def _check_role(request: Request, who: Mapping[str, Any]) -> None:
    """Refuse at once what no operation could do; a silent Keystone lets it in."""
    keystone = request.service.lending.keystone
    with suppress(CloudUnavailable):
        if not keystone.admits(who):
            raise NoRole(user=keystone.service_user(), project=who['project_id'])


@contextmanager
def _lent(request: Request, cluster_id: str, lender: Lender) -> Iterator[tuple[Lender, str, Lent]]:
    """One thing."""
    write, name = request.service.db.write, lender.name(request.context)
    write(ledger.expect, cluster_id, lender.kind, [name])
    try:
        lent = lender.make(request.context, name)
    except DelegationRefused:
        with suppress(*AWAY):  # the look for strays finds that it was never made
            write(ledger.close, cluster_id, lender.kind, [name])
        raise
    try:
        yield lender, name, lent
    except Exception:
        _take_back(request, cluster_id, lender, name, lent)
        raise


def _take_back(request: Request, cluster_id: str, lender: Lender, name: str, lent: Lent) -> None:
    """Delete what no cluster got. What nobody can say anything of is left to a conductor: the
    cluster may have been accepted, though the answer to COMMIT was lost.
    """
    write = request.service.db.write
    try:
        if not write(ledger.abandon, cluster_id, lender.kind, name):
            return
        lender.take_back(request.context, lent)
        write(ledger.close, cluster_id, lender.kind, [name])
    except (Unavailable, *AWAY) as error:
        LOG.warning('%s %s is left to a conductor: %s', lender.noun, lent.id, error)
