"""Keystone trusts: the rights of a cluster's owner, lent to the service user.

A trust has no name, so each carries a *mark* in an attribute that Keystone keeps without knowing
it: it finds the trust of a request that broke off before it could write down the id. An expiry
could be no mark: Keystone accepts one trust only of the same people and the same expiry, and
Heat's trusts inherit it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ksa_exc
from keystoneauth1 import session as ksa
from oslo_config import cfg

from magnum_lite.cloud import identity
from magnum_lite.context import RequestContext
from magnum_lite.driver_sdk import CloudUnavailable
from magnum_lite.exceptions import DelegationRefused, Unavailable

_REFUSALS = (ksa_exc.Unauthorized, ksa_exc.Forbidden, ksa_exc.NotFound, ksa_exc.BadRequest,
             ksa_exc.Conflict)
_PATH = '/OS-TRUST/trusts'
_MARK = 'magnum_lite_mark'


class Trusts:
    """The trusts that lend to this service's user. Connects at first use."""

    def __init__(self, conf: cfg.ConfigOpts):
        self._conf = conf
        self._own: ksa.Session | None = None

    def make(self, context: RequestContext, mark: str) -> str:
        """Lend the rights of a request's token to the service user; the trust's id.

        Heat makes a trust of its own of it, and asks for all roles at once: so all are lent, the
        implied ones too, and may be lent once more.

        :raises DelegationRefused: the token may not.
        :raises Unavailable: Keystone does not answer.
        """
        access = context.token_auth.user
        if access.application_credential_id:
            raise DelegationRefused(reason='tokens of application credentials cannot make one')
        body = {'trust': {
            'trustee_user_id': self._trustee(), 'trustor_user_id': context.user_id,
            'project_id': context.project_id, 'impersonation': True,
            'allow_redelegation': True, 'redelegation_count': 1,
            'roles': [{'id': role} for role in access.role_ids], _MARK: mark}}
        session = self._of(context)
        try:
            return self._keystone(session).post(_PATH, json=body).json()['trust']['id']
        except _REFUSALS as error:
            raise DelegationRefused(reason=f'Keystone says: {error.message}') from error
        except ksa_exc.ClientException as error:
            raise Unavailable(what='Keystone') from error
        finally:
            session.session.close()

    def take_back(self, context: RequestContext, trust_id: str) -> None:
        """Delete a trust with the token that made it.

        :raises Unavailable: it could not be done.
        """
        session = self._of(context)
        try:
            self._keystone(session).delete(f'{_PATH}/{trust_id}')
        except ksa_exc.NotFound:
            pass
        except ksa_exc.ClientException as error:
            raise Unavailable(what='Keystone') from error
        finally:
            session.session.close()

    def trustor(self, trust_id: str) -> str | None:
        """The user who made a trust; None if it is gone, for instance with its user.

        :raises CloudUnavailable: Keystone does not answer, or not to the service user.
        """
        def look() -> str | None:
            try:
                found = self._keystone(self._session()).get(f'{_PATH}/{trust_id}')
            except ksa_exc.NotFound:
                return None
            return found.json()['trust']['trustor_user_id']
        return _asked(look)

    def find(self, mark: str) -> str | None:
        """The id of the trust with that mark, None if there is none.

        :raises CloudUnavailable: as ``trustor``.
        """
        def look() -> str | None:
            session = self._session()
            query = {'trustee_user_id': session.get_user_id()}
            found = self._keystone(session).get(_PATH, params=query).json()['trusts']
            return next((trust['id'] for trust in found if trust.get(_MARK) == mark), None)
        return _asked(look)

    def delete(self, trust_id: str) -> str | None:
        """Delete a trust: as its owner, through it, else with the service user's own rights.

        :returns: None when it is gone, else why it cannot be deleted.
        :raises CloudUnavailable: as ``trustor``.
        """
        through = identity.session(self._conf, {'mode': 'trust', 'trust_id': trust_id},
                                   timeout_s=self._conf.cloud.lookup_timeout_s)
        reason = None
        for session in (through, self._session()):
            try:
                self._keystone(session).delete(f'{_PATH}/{trust_id}')
                return None
            except _REFUSALS as error:
                reason = error.message
            except ksa_exc.ClientException as error:
                raise CloudUnavailable(f'Keystone does not answer: {error}') from error
            finally:
                through.session.close()
        return reason if self.trustor(trust_id) else None

    def _of(self, context: RequestContext) -> ksa.Session:
        return identity.caller_session(self._conf, context.token_auth,
                                       timeout_s=self._conf.cloud.lookup_timeout_s)

    def _trustee(self) -> str:
        try:
            return self._session().get_user_id()
        except ksa_exc.ClientException as error:
            raise Unavailable(what='Keystone') from error

    def _session(self) -> ksa.Session:
        if self._own is None:
            self._own = identity.service_session(self._conf,
                                                 timeout_s=self._conf.cloud.lookup_timeout_s)
        return self._own

    def _keystone(self, session: ksa.Session) -> adapter.Adapter:
        return adapter.Adapter(session, service_type='identity', min_version=(3, 0),
                               max_version=(3, 'latest'), interface=self._conf.cloud.interface,
                               region_name=self._conf.cloud.region_name)


def _asked(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ksa_exc.ClientException as error:
        raise CloudUnavailable(f'Keystone does not answer the service user: {error}') from error


def document(context: RequestContext, trust_id: str) -> Mapping[str, Any]:
    """The identity of a cluster whose owner lent its rights."""
    return {'mode': 'trust', 'trust_id': trust_id, 'user_id': context.user_id,
            'project_id': context.project_id}
