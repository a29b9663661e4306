"""Somebody who uses a service of a cluster, all the time, from its network."""

import http.client
import threading
import time

from magnum_lite_dev.nodes import namespace

EVERY_S = 0.1
RETRIES_S = 1


class Visitor:
    """A context manager: asks again and again, where it was answered last and then elsewhere.

    :param router: id of the router of the network.
    :param addresses: a function that gives the set of addresses where the service may answer.
    :ivar answers: how many requests were answered.
    :ivar failures: what went wrong with those that nobody answered within RETRIES_S.
    """

    def __init__(self, cloud, router, addresses, port):
        owner = namespace.tag(cloud.log.parent / 'nodes')
        self._namespace = namespace.name(owner, 'router', router)
        self._addresses, self._port = addresses, port
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self.answers, self.failures = 0, []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _visit(self):
        first = None
        while not self._done.wait(EVERY_S):
            began, told = time.monotonic(), {}
            # Everywhere at least once, however slow this machine is.
            while time.monotonic() - began < RETRIES_S or not self._addresses() <= told.keys():
                untold = [each for each in self._addresses() if each not in told] or list(told)
                address = first if first in untold else untold[0]
                told[address] = self._ask(address)
                if told[address] is None:
                    first = address
                    self.answers += 1
                    break
            else:
                self.failures.append(f'{time.strftime("%X")}: {told}')

    def _ask(self, address):
        """Why it does not answer; None if it does."""
        connection = http.client.HTTPConnection(address, self._port, timeout=2)
        try:
            namespace.within(self._namespace, connection.connect)
            connection.request('GET', '/')
            told = connection.getresponse().read()
            return None if told == b'answered' else f'{address}: {told}'
        except (OSError, http.client.HTTPException) as error:
            return f'{address}: {error}'
        finally:
            connection.close()
