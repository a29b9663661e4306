"""Clients of the cloud, one for each identity: sessions keep their token and their connections."""

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from magnum_lite.cloud import identity, transport
from magnum_lite.cloud.heat import Heat
from magnum_lite.cloud.lookups import Lookups, Memory
from magnum_lite.conductor import trace
from magnum_lite.context import RequestContext
from magnum_lite.driver_sdk import CloudUnavailable

MOST = 200  # identities whose connections stay open


class Clients:
    """Makes clients and keeps those used last."""

    def __init__(self, conf: cfg.ConfigOpts):
        self._conf = conf
        self._lock = threading.Lock()
        self._heats: OrderedDict[str, Heat] = OrderedDict()
        self._memory = Memory(0)  # remembers nothing: it has the threads

    def heat(self, who: Mapping[str, Any]) -> Heat:
        """Heat in the project of an identity."""
        key = json.dumps(who, sort_keys=True)
        with self._lock:
            if key in self._heats:
                self._heats.move_to_end(key)
                return self._heats[key]
        made = self._make(who)  # asks Keystone: outside of the lock, which all steps take
        with self._lock:
            found = self._heats.setdefault(key, made)
            while len(self._heats) > MOST:
                self._heats.popitem(last=False)
            return found

    def _make(self, who: Mapping[str, Any]) -> Heat:
        session = identity.session(self._conf, who, timeout_s=self._conf.cloud.heat_timeout_s)
        return Heat(self._conf, session, who['project_id'] if who['mode'] == 'own' else None)

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
        return {'id': found.id, 'name': found.name, 'os_distro': found.os_distro}
