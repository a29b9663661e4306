"""Keystone, asked by a caller's token, with the rights of an identity, or by the service user."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ksa_exc
from keystoneauth1 import session as ksa
from oslo_config import cfg

from magnum_lite.cloud import answers, identity, transport
from magnum_lite.context import RequestContext
from magnum_lite.driver_sdk import CloudUnavailable
from magnum_lite.exceptions import Unavailable

# The answers that mean no; any other failure means that it may be tried again.
REFUSALS = (
    ksa_exc.Unauthorized,
    ksa_exc.Forbidden,
    ksa_exc.NotFound,
    ksa_exc.BadRequest,
    ksa_exc.Conflict,
)
T = TypeVar('T')


class Keystone:
    """Connects at first use."""

    def __init__(self, conf: cfg.ConfigOpts):
        self._conf = conf
        self._own: ksa.Session | None = None

    @contextmanager
    def of_caller(self, context: RequestContext) -> Iterator[adapter.Adapter]:
        """Keystone by the token of a request. Refusals are the block's to handle.

        :raises Unavailable: Keystone does not answer.
        """
        session = transport.session(
            self._conf, context.token_auth, timeout_s=self._conf.cloud.lookup_timeout_s
        )
        try:
            yield self._adapter(session)
        except REFUSALS:
            raise
        except answers.FROM_CLIENTS as error:
            raise Unavailable(what='Keystone') from error
        finally:
            session.session.close()

    def delete_for(self, context: RequestContext, path: str) -> None:
        """Delete what is at a path by the token of a request; nothing there is fine.

        :raises Unavailable: it could not be done.
        """
        try:
            with self.of_caller(context) as keystone:
                keystone.delete(path)
        except ksa_exc.NotFound:
            pass
        except REFUSALS as error:
            raise Unavailable(what='Keystone') from error

    def service_user(self) -> str:
        """Id of the service user.

        :raises CloudUnavailable: as ``look``.
        """
        return str(_asked(lambda: self._session().get_user_id()))

    def admits(self, who: Mapping[str, Any]) -> bool:
        """Whether Keystone lets an identity into a project now; asks it each time.

        :raises CloudUnavailable: Keystone does not answer.
        """
        session = identity.session(self._conf, who, timeout_s=self._conf.cloud.lookup_timeout_s)
        try:
            return session.get_project_id() is not None
        except (ksa_exc.Unauthorized, ksa_exc.Forbidden, ksa_exc.NotFound):
            return False
        except answers.FROM_CLIENTS as error:
            raise CloudUnavailable(str(answers.meaning(error, 'Keystone'))) from error
        finally:
            session.session.close()

    def has_project(self, project_id: str) -> bool:
        """Whether there is a project of that id, which may be any text.

        :raises CloudUnavailable: as ``look``.
        """
        return self.look(f'/projects/{quote(project_id, safe="")}') is not None

    def look(self, path: str, **query: str) -> Any:
        """What the service user finds at a path, decoded; None if there is nothing.

        :raises CloudUnavailable: Keystone does not answer, or not to the service user.
        """

        def get() -> Any:
            try:
                return self._adapter(self._session()).get(path, params=query).json()
            except ksa_exc.NotFound:
                return None

        return _asked(get)

    def delete(self, path: str, *identities: Mapping[str, Any]) -> str | None:
        """Delete what is at a path, with the first of the rights that may; the service user's last.

        :returns: None when it is gone, else why it cannot be deleted.
        :raises CloudUnavailable: as ``look``.
        """
        reason = None
        for who in (*identities, None):
            session = (
                self._session()
                if who is None
                else identity.session(self._conf, who, timeout_s=self._conf.cloud.lookup_timeout_s)
            )
            try:
                self._adapter(session).delete(path)
                return None
            except REFUSALS as error:
                reason = error.message
            except answers.FROM_CLIENTS as error:
                raise CloudUnavailable(str(answers.meaning(error, 'Keystone'))) from error
            finally:
                if session is not self._own:
                    session.session.close()
        return reason if self._may_exist(path) else None

    def public_url(self, context: RequestContext) -> str | None:
        """Where Keystone is for everybody, as the catalog of a request's token says."""
        with self.of_caller(context) as keystone:
            found = keystone.session.get_endpoint(
                service_type='identity',
                interface='public',
                skip_discovery=True,
                region_name=self._conf.cloud.region_name,
            )
        return str(found) if found else None

    def _may_exist(self, path: str) -> bool:
        """Whether the service user cannot be sure that nothing is at a path."""

        def get() -> bool:
            try:
                self._adapter(self._session()).get(path)
            except ksa_exc.NotFound:
                return False
            except ksa_exc.Forbidden:
                pass
            return True

        return _asked(get)

    def _session(self) -> ksa.Session:
        if self._own is None:
            self._own = identity.service_session(
                self._conf, timeout_s=self._conf.cloud.lookup_timeout_s
            )
        return self._own

    def _adapter(self, session: ksa.Session) -> adapter.Adapter:
        return adapter.Adapter(
            session,
            service_type='identity',
            min_version='3.0',
            max_version='3.latest',
            interface=self._conf.cloud.interface,
            region_name=self._conf.cloud.region_name,
        )


def _asked(call: Callable[[], T]) -> T:
    try:
        return call()
    except answers.FROM_CLIENTS as error:
        raise CloudUnavailable(
            f'the service user has no answer: {answers.meaning(error, "Keystone")}'
        ) from error
