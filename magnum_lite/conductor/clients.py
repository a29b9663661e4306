"""Sessions with the cloud, one for each identity: they keep their token and their connections."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from keystoneauth1.session import Session
from oslo_config import cfg

from magnum_lite.cloud import identity, transport
from magnum_lite.cloud.lookups import Lookups, Memory, facts
from magnum_lite.conductor import trace
from magnum_lite.context import RequestContext
from magnum_lite.driver_sdk import CloudUnavailable

MOST = 200  # identities whose connections stay open
T = TypeVar('T')


class Kept(Generic[T]):
    """Makes one thing for each identity, and keeps those used last.

    :param make: called with an identity.
    """

    def __init__(self, make: Callable[[Mapping[str, Any]], T]):
        self._make = make
        self._lock = threading.Lock()
        self._things: OrderedDict[str, T] = OrderedDict()

    def get(self, who: Mapping[str, Any]) -> T:
        """That of an identity."""
        key = json.dumps(who, sort_keys=True)
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return self._things[key]
        made = self._make(who)  # asks Keystone: outside of the lock, which all steps take
        with self._lock:
            found = self._things.setdefault(key, made)
            while len(self._things) > MOST:
                self._things.popitem(last=False)
            return found


class Clients:
    """Sessions, and what is asked with them whatever the backend is."""

    def __init__(self, conf: cfg.ConfigOpts):
        self._conf = conf
        self._sessions: Kept[Session] = Kept(
            lambda who: identity.session(conf, who, timeout_s=conf.cloud.heat_timeout_s)
        )
        self._memory = Memory(0)  # remembers nothing: it has the threads

    def session(self, who: Mapping[str, Any]) -> Session:
        """A session in the project of an identity."""
        return self._sessions.get(who)

    def image(self, who: Mapping[str, Any], ident: str) -> dict[str, Any]:
        """Look up an image with the rights of an identity: ``id``, ``name``, ``os_distro``.

        :raises CloudUnavailable: Glance does not answer, or the worker is to stop.
        :raises ServiceError: there is none that can be used; see ``Lookups.image``.
        """
        transport.admit()  # it is asked in another thread
        session = identity.session(self._conf, who, timeout_s=self._conf.cloud.lookup_timeout_s)
        context = RequestContext(
            user_id=who.get('user_id'),
            project_id=who['project_id'],
            request_id=trace.request_id(),
            overwrite=False,
        )
        context.token_auth = session.auth
        with Lookups(self._conf, context, self._memory) as lookups:
            found = lookups.image(ident)
        if found is None:
            raise CloudUnavailable('Glance does not answer')
        image: dict[str, Any] = facts(found)['image']
        return image
