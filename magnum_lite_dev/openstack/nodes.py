"""What would run on servers, since the fake driver boots nothing: each enrols and reports."""

import fnmatch
import logging
import threading
import time

import requests
from keystoneauth1 import exceptions as ksa_exc

from magnum_lite_dev.sim_cloud import enrolment

LOG = logging.getLogger(__name__)
POLL_S = 0.5


class Nodes:
    """The nodes of all servers of a cloud.

    :param session: of an administrator.
    :param metadata: Nova's metadata service.
    :ivar failing: globs of names whose nodes report that they did not come up.
    """

    def __init__(self, session, metadata) -> None:
        self.failing = []
        self._session, self._metadata = session, metadata
        self._seen = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name='nodes', daemon=True)

    def start(self) -> None:
        """Bring up the nodes of all servers that there are and will be."""
        self._thread.start()

    def stop(self) -> None:
        """No more nodes come up."""
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(POLL_S):
            try:
                found = self._session.get(
                    '/servers/detail?all_tenants=1&status=ACTIVE',
                    endpoint_filter={'service_type': 'compute'},
                ).json()['servers']
            except ksa_exc.ClientException as error:
                LOG.warning('Nova does not list servers: %s', error)
                continue
            for server in found:
                if server['id'] not in self._seen:
                    self._seen.add(server['id'])
                    threading.Thread(target=self._run, args=(server,), daemon=True).start()

    def _run(self, server) -> None:
        who = server['id'], server['tenant_id']
        try:
            text = self._metadata.user_data(*who).decode('utf-8', 'surrogateescape')
            row = {'id': server['id'], 'name': server['name'], '_user_data': text}
            self._heard(
                lambda: enrolment.enrol(
                    row, keep=lambda password: self._metadata.keep_password(*who, password)
                )
            )
            self._heard(lambda: enrolment.report(row, self._verdict(server['name'])))
        except requests.RequestException as error:
            LOG.warning('node %s: %s', server['name'], error)

    def _heard(self, ask) -> None:
        """Ask until the service hears it, or the node gives up."""
        while not self._stopping.is_set():
            try:
                return ask()
            except enrolment.Unheard as error:
                time.sleep(error.after_s)

    def _verdict(self, name) -> dict[str, str]:
        if any(fnmatch.fnmatchcase(name, each) for each in self.failing):
            return {'status': 'FAILURE', 'reason': 'simulated failure', 'data': ''}
        return {'status': 'SUCCESS', 'reason': 'node up', 'data': ''}
