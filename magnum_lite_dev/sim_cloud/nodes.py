"""Machines of servers: those that boot have a fleet; the others serve an API, and signal."""

import concurrent.futures
import heapq
import logging
import threading
import time
from typing import Any

import requests

from magnum_lite_dev.sim_cloud import enrolment, user_data
from magnum_lite_dev.sim_cloud.kube_server import KubeServers

LOG = logging.getLogger(__name__)
TIMEOUT_S = 60
# What a node still tries to report is told again, as a script with curl --retry would.
ATTEMPTS = 5
PAUSE_S = 1
KEPT_REPORTS = 1000


class Nodes:
    """The nodes of one cloud; ``signal_seconds`` is how long one takes from ACTIVE to its signal.

    ``sent`` lists the last (server name, URL, HTTP status or error text). ``fleet`` runs the
    servers that boot; None where none does.
    """

    def __init__(self, store, signal_seconds, workers=8) -> None:
        self.signal_seconds = signal_seconds
        self.sent = []
        self.fleet = None
        self._store = store
        self._apis = KubeServers(store, self._is_near)
        self._due = []
        self._sequence = 0
        self._changed = threading.Condition()
        self._pool = concurrent.futures.ThreadPoolExecutor(workers, 'node')
        threading.Thread(target=self._watch, name='nodes', daemon=True).start()

    def _is_near(self, address) -> bool:
        return address.is_loopback or bool(self.fleet and self.fleet.is_near(address))

    def start(self, row) -> None:
        """Run the node of this server when its time has come."""
        due = row['_active_at'] + self.signal_seconds
        if self.fleet and self.fleet.boots_from(row):
            row['_waits_for_node'] = True
            due = row['_active_at']
        self._put(row, due)

    def _put(self, row, due) -> None:
        with self._changed:
            self._sequence += 1
            heapq.heappush(self._due, (due, self._sequence, row))
            self._changed.notify()

    def stop(self, row) -> None:
        """End what the node of this server runs."""
        self._apis.close(row)
        if row.get('_has_node'):
            self.fleet.destroy(row)

    def resume(self) -> None:
        """Start every node that had not come up when the cloud was stopped, and the APIs again."""
        with self._store.lock:
            rows = self._store.rows('servers')
        for row in rows:
            if row.get('_has_node'):
                if self.fleet:
                    self.fleet.resume(row)
            elif row['_fault'] or row['_deleted_at']:
                continue
            elif row['_is_up']:
                self._apis.open(row)
            else:
                self.start(row)

    def _watch(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.time():
                    self._changed.wait(self._due[0][0] - time.time() if self._due else None)
                row = heapq.heappop(self._due)[2]
            self._pool.submit(self._run, row).add_done_callback(tell)

    def _run(self, row) -> None:
        with self._store.lock:
            if row['_deleted_at'] or row['_is_up']:
                return
            boots = row.get('_waits_for_node')
            if not boots and '_fault_of_boot' not in row:
                row['_fault_of_boot'] = self._store.faults.take(
                    row['name'], 'no_signal', 'signal_failure'
                )
        if boots:
            self.fleet.start(row)
            row.update(_is_up=True, _waits_for_node=False)
            self._store.changes += 1
            return
        try:
            self._come_up(row)
        except enrolment.Unheard as error:
            # A node that waits is in no other's way, however many ask a service that is gone.
            self._put(row, time.time() + error.after_s)
            return
        row['_is_up'] = True
        self._store.changes += 1

    def _come_up(self, row) -> None:
        fault = row['_fault_of_boot']
        is_silent = fault and fault['kind'] == 'no_signal'
        if not is_silent:
            enrolment.enrol(row)
        if not fault:
            # Before it signals: who hears of it may ask at once.
            self._apis.open(row)
        if not is_silent:
            enrolment.report(row, _verdict(row, fault))
            for signal in user_data.signals(row['_user_data'].encode('utf-8', 'surrogateescape')):
                self._send(row, signal, _verdict(row, fault))

    def _send(self, row, signal, verdict) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                token = signal.token or _buy_token(signal.credentials)
                reply = requests.post(
                    signal.url,
                    json=verdict,
                    timeout=TIMEOUT_S,
                    headers={'X-Auth-Token': token} if token else {},
                )
                outcome = reply.status_code
            except requests.RequestException as error:
                outcome = str(error)
            self.sent = [*self.sent, (row['name'], signal.url, outcome)][-KEPT_REPORTS:]
            # A refusal stays one; what may pass is an engine that is busy or just starting.
            if isinstance(outcome, int) and outcome < 500:
                break
            if row['_deleted_at'] or attempt == ATTEMPTS:
                break
            time.sleep(PAUSE_S)
        if outcome not in (200, 204):
            LOG.warning('node %s could not signal %s: %s', row['name'], signal.url, outcome)


def tell(work) -> None:
    """Put into the log why work in the background ended, if it was an error."""
    if not work.cancelled() and work.exception():
        LOG.error('work of a node failed', exc_info=work.exception())


def _verdict(row, fault) -> dict[str, Any]:
    if fault:
        return {
            'status': 'FAILURE',
            'id': row['name'],
            'data': '',
            'reason': fault.get('message', 'simulated failure'),
        }
    return {'status': 'SUCCESS', 'id': row['name'], 'data': '', 'reason': 'node up'}


def _buy_token(credentials) -> str:
    if not credentials:
        return ''
    reply = requests.post(
        credentials['auth_url'].rstrip('/') + '/auth/tokens',
        timeout=TIMEOUT_S,
        json={
            'auth': {
                'identity': {
                    'methods': ['password'],
                    'password': {
                        'user': {'id': credentials['user_id'], 'password': credentials['password']}
                    },
                },
                'scope': {'project': {'id': credentials['project_id']}},
            }
        },
    )
    reply.raise_for_status()
    return reply.headers['X-Subject-Token']
