"""Delegations in Keystone: a trust by the owner or a role of the service user, and for nodes an
application credential."""

import functools
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from oslo_config import cfg

from magnum_lite.cloud.keystone import Keystone
from magnum_lite.context import RequestContext
from magnum_lite.db import journal, ledger
from magnum_lite.db.engine import Connection, Database
from magnum_lite.delegation import grant
from magnum_lite.delegation.application_credentials import ApplicationCredentials
from magnum_lite.delegation.delegations import FOR_NODES, Delegations
from magnum_lite.delegation.form import Delegation, Form
from magnum_lite.delegation.revocation import revoke, revoke_strays
from magnum_lite.delegation.trusts import Trusts
from magnum_lite.driver_sdk import DONE, CloudError, CloudUnavailable, Done, Progress
from magnum_lite.exceptions import CredentialRefused, DelegationRefused, NoRole
from magnum_lite.objects import Cluster, Operation
from magnum_lite.secrets.vault import Vault

LOG = logging.getLogger(__name__)
_Made = Sequence[tuple[Form, str, Delegation]]  # with the name of each


class InKeystone(Delegations):
    """Those of ``[identity] mode = keystone``; connects at first use."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, vault: Vault):
        self._conf = conf
        self._database = database
        self._vault = vault
        self.keystone = Keystone(conf)
        self.trusts = Trusts(self.keystone)
        self.application_credentials = ApplicationCredentials(conf, self.keystone)

    @contextmanager
    def grant(
        self, context: RequestContext, cluster: Cluster, capabilities: Collection[str]
    ) -> Iterator[grant.Grant]:
        """A trust, or the word of the service user that it has a role; a credential for nodes."""
        by_trust = self._conf.identity.delegation == 'trust'
        who: dict[str, Any] = {'mode': 'service', 'project_id': cluster.project_id}
        credential = cluster.application_credential
        if not by_trust:
            self._check_role(who)
        forms: list[Form] = [self.trusts] if by_trust else []
        if FOR_NODES in capabilities:
            forms.append(self.application_credentials)
            credential = {
                'generation': credential.get('generation', 0) + 1,
                'auth_url': self.keystone.public_url(context),
                'region_name': self._conf.cloud.region_name,
            }
        if forms and context.project_id != cluster.project_id:
            refused = DelegationRefused if by_trust else CredentialRefused
            raise refused(reason='your token is for another project')
        with ExitStack() as stack:
            made = [
                (
                    form,
                    *stack.enter_context(grant.made(form, context, self._database, cluster.uuid)),
                )
                for form in forms
            ]
            if by_trust:
                who = {
                    'mode': 'trust',
                    'trust_id': made[0][2].id,
                    'user_id': context.user_id,
                    'project_id': context.project_id,
                }
            yield grant.Grant(who, credential, (functools.partial(_keep, self._vault, made),))

    def foreseen(self, capabilities: Collection[str]) -> dict[str, Any]:
        """A credential of nodes that have one."""
        if FOR_NODES not in capabilities:
            return {}
        return {'application_credential': {'generation': 1, 'auth_url': 'lent when accepted'}}

    def has_project(self, project_id: str) -> bool:
        """As Keystone says."""
        return self.keystone.has_project(project_id)

    def for_deletion(
        self,
        operation: Operation,
        look: Callable[[Mapping[str, Any]], object],
    ) -> Mapping[str, Any] | None:
        """The cluster's own, or that of the service user, in the project or as it is configured."""
        who = operation.identity
        if self.keystone.admits(who):
            return who
        for other in (
            {'mode': 'service', 'project_id': who['project_id']},
            {'mode': 'own', 'project_id': who['project_id']},
        ):
            if other != who and self.keystone.admits(other):
                try:
                    look(other)
                except CloudUnavailable:
                    raise
                except CloudError as error:
                    LOG.info(
                        'Operation %s: the service user may not look: %s', operation.uuid, error
                    )
                    continue
                return other
        if who['mode'] != 'trust' or self.trusts.trustor(who['trust_id']):
            raise CloudError(
                f'Keystone refuses the rights of the owner of cluster '
                f'{operation.cluster_id}, and the service user has none in project '
                f'{who["project_id"]}'
            )
        return None

    def renew(
        self, operation: Operation, refresh: Callable[[], Progress], credential: str | None
    ) -> Progress:
        """What others gave, or gave before, is revoked once the cloud needs it no more."""
        progress = refresh()
        if not isinstance(progress, Done):
            return progress
        owner = operation.identity.get('user_id')
        revoke(
            self.trusts,
            self._database,
            operation,
            keep=lambda ident: owner is not None and self.trusts.trustor(ident) == owner,
        )
        revoke(
            self.application_credentials,
            self._database,
            operation,
            keep=lambda ident: credential is not None and ident.endswith(f'/{credential}'),
        )
        return DONE

    def revoke(self, operation: Operation) -> None:
        """Trusts last: what Heat made of them goes with them."""
        revoke(self.application_credentials, self._database, operation)
        revoke(self.trusts, self._database, operation)

    def revoke_trusts(self, operation: Operation) -> None:
        """Those of the cluster, whoever made them."""
        revoke(self.trusts, self._database, operation)

    def revoke_strays(self, *, older_s: float) -> None:
        """Found in Keystone by their names."""
        for form in (self.trusts, self.application_credentials):
            revoke_strays(form, self._database, older_s=older_s)

    def _check_role(self, who: dict[str, Any]) -> None:
        """Refuse at once what no operation could do; a silent Keystone lets it in."""
        with suppress(CloudUnavailable):
            if not self.keystone.admits(who):
                raise NoRole(user=self.keystone.service_user(), project=who['project_id'])


def _keep(vault: Vault, made: _Made, connection: Connection, operation: Operation) -> None:
    """Make delegations the cluster's, in the transaction that accepts the request."""
    for form, name, delegation in made:
        ledger.identify(connection, operation.cluster_id, form.word, name, delegation.id)
        for purpose, text in delegation.secrets.items():
            vault.replace(connection, operation.cluster_id, purpose, text)
        if delegation.note:
            journal.note(connection, operation, delegation.note)
