"""Keystone trusts: the rights of a cluster's owner, delegated to the service user.

A trust has no name, so each carries its *mark* in an attribute that Keystone keeps without knowing
it: it finds the trust of a request that broke off before it could write down the id. An expiry
could be no mark: Keystone accepts one trust only of the same people and the same expiry, and
Heat's trusts inherit it.
"""

import uuid

from magnum_lite.cloud.keystone import REFUSALS, Keystone
from magnum_lite.context import RequestContext
from magnum_lite.db import ledger
from magnum_lite.delegation.form import Delegation, Form
from magnum_lite.driver_sdk import CloudUnavailable
from magnum_lite.exceptions import DelegationRefused, Unavailable

_PATH = '/OS-TRUST/trusts'
_MARK = 'magnum_lite_mark'


class Trusts(Form):
    """The trusts to this service's user. An id is the trust's; a name its mark."""

    word = ledger.TRUST
    noun = 'trust'

    def __init__(self, keystone: Keystone):
        self._keystone = keystone

    def name(self, context: RequestContext) -> str:
        """A new mark."""
        return uuid.uuid4().hex

    def make(self, context: RequestContext, name: str) -> Delegation:
        """Delegate the rights of a request's token to the service user.

        Heat makes a trust of its own of it, and asks for all roles at once: so all are
        delegated, the implied ones too, and may be once more.
        """
        access = context.token_auth.user
        if access.application_credential_id:
            raise DelegationRefused(reason='tokens of application credentials cannot make one')
        try:
            trustee = self._keystone.service_user()
        except CloudUnavailable as error:
            raise Unavailable(what='Keystone') from error
        body = {
            'trust': {
                'trustee_user_id': trustee,
                'trustor_user_id': context.user_id,
                'project_id': context.project_id,
                'impersonation': True,
                'allow_redelegation': True,
                'redelegation_count': 1,
                'roles': [{'id': role} for role in access.role_ids],
                _MARK: name,
            }
        }
        try:
            with self._keystone.of_caller(context) as keystone:
                return Delegation(keystone.post(_PATH, json=body).json()['trust']['id'])
        except REFUSALS as error:
            raise DelegationRefused(reason=f'Keystone says: {error.message}') from error

    def revoke(self, context: RequestContext, made: Delegation) -> None:
        """Delete a trust with the token that made it."""
        self._keystone.delete_for(context, f'{_PATH}/{made.id}')

    def trustor(self, trust_id: str) -> str | None:
        """The user who made a trust; None if it is gone, for instance with its user.

        :raises CloudUnavailable: Keystone does not answer, or not to the service user.
        """
        found = self._keystone.look(f'{_PATH}/{trust_id}')
        return found['trust']['trustor_user_id'] if found else None

    def find(self, name: str) -> str | None:
        """The trust with that mark."""
        found = self._keystone.look(_PATH, trustee_user_id=self._keystone.service_user())
        trusts = found['trusts'] if found else []
        return next((trust['id'] for trust in trusts if trust.get(_MARK) == name), None)

    def delete(self, ident: str) -> str | None:
        """As its owner, through it, else with the service user's own rights."""
        return self._keystone.delete(f'{_PATH}/{ident}', {'mode': 'trust', 'trust_id': ident})
