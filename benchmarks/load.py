"""A closed loop of HTTP requests, cheap enough to share two cores with what it measures.

Processes of four threads send prepared bytes over connections that stay open. What ``run`` starts
is this module: it takes the calls from standard input, says ``ready``, and begins at the next line.
"""

import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

TIMEOUT_S = 60


@dataclass(frozen=True)
class Call:
    """A request.

    :ivar body: JSON, or None.
    """

    method: str
    path: str
    token: str
    body: dict | None = None

    def encode(self, host):
        """Its bytes."""
        body = b'' if self.body is None else json.dumps(self.body).encode()
        return (
            f'{self.method} {self.path} HTTP/1.1\r\nHost: {host}\r\n'
            f'X-Auth-Token: {self.token}\r\nAccept: application/json\r\n'
            f'OpenStack-API-Version: container-infra latest\r\n'
            f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n'
        ).encode() + body


@dataclass(frozen=True)
class Result:
    """What a loop saw.

    :ivar rate: answers per second.
    :ivar median_ms: time to an answer.
    :ivar slow_ms: 99 of 100 answers took less.
    :ivar client_cores: processor time of the clients, in cores.
    """

    rate: float
    median_ms: float
    slow_ms: float
    client_cores: float


def run(url, calls, *, seconds, processes=2, connections=4):
    """Repeat calls for some seconds; a ``Result``.

    :param connections: of each process; each has one request under way.
    :raises RuntimeError: an answer was no 2xx.
    """
    plan = json.dumps(
        {
            'address': urlsplit(url).netloc,
            'seconds': seconds,
            'connections': connections,
            'calls': [asdict(call) for call in calls],
        }
    )
    clients = [
        subprocess.Popen(
            [sys.executable, '-m', __name__],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(processes)
    ]
    try:
        for number, client in enumerate(clients):
            client.stdin.write(f'{plan}\n{number}\n')
            client.stdin.flush()
        for client in clients:
            client.stdout.readline()
        for client in clients:
            client.stdin.write('go\n')
            client.stdin.flush()
        answers = [client.communicate(timeout=seconds + 2 * TIMEOUT_S)[0] for client in clients]
    finally:
        for client in clients:
            client.kill()
            client.wait()
    if any(client.returncode for client in clients):
        raise RuntimeError('the clients could not finish')
    found = [json.loads(answer) for answer in answers]
    times = sorted(second for one in found for second in one['times'])
    return Result(
        rate=sum(len(one['times']) / one['wall'] for one in found),
        median_ms=1000 * statistics.median(times),
        slow_ms=1000 * times[int(len(times) * 0.99)],
        client_cores=sum(one['cpu'] / one['wall'] for one in found),
    )


class Connection(threading.Thread):
    """One caller.

    :ivar times: seconds until each answer.
    :ivar trouble: why it ended early, or None.
    """

    def __init__(self, address, requests, first):
        super().__init__(daemon=True)
        self.times = []
        self.trouble = None
        self.until = 0.0
        self._address = address
        self._requests = requests
        self._next = first
        self._socket = None

    def run(self):
        """Call until the end."""
        try:
            while time.perf_counter() < self.until:
                began = time.perf_counter()
                self._call(self._requests[self._next % len(self._requests)])
                self.times.append(time.perf_counter() - began)
                self._next += 1
        except (OSError, ValueError) as error:
            self.trouble = str(error)

    def _call(self, request):
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        head, _, body = self._receive(b'').partition(b'\r\n\r\n')
        length, is_last = 0, False
        for line in head.split(b'\r\n')[1:]:
            name, _, value = line.partition(b':')
            if name.lower() == b'content-length':
                length = int(value)
            is_last = is_last or line.lower() == b'connection: close'
        while len(body) < length:
            body += self._more()
        if head[9:10] != b'2':
            raise ValueError(f'{head[:40]!r}: {body[:500]!r}')
        if is_last:
            self._socket.close()
            self._socket = None

    def _receive(self, data):
        while b'\r\n\r\n' not in data:
            data += self._more()
        return data

    def _more(self):
        data = self._socket.recv(1 << 18)
        if not data:
            raise ValueError('the server closed the connection')
        return data


def main():
    """Be one process of clients."""
    plan, number = json.loads(sys.stdin.readline()), int(sys.stdin.readline())
    host, _, port = plan['address'].partition(':')
    requests = [Call(**call).encode(plan['address']) for call in plan['calls']]
    callers = [
        Connection((host, int(port)), requests, 7919 * (number * 4 + index))
        for index in range(plan['connections'])
    ]
    print('ready', flush=True)
    sys.stdin.readline()
    began, cpu = time.perf_counter(), time.process_time()
    for caller in callers:
        caller.until = began + plan['seconds']
        caller.start()
    for caller in callers:
        caller.join()
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    if trouble := next((caller.trouble for caller in callers if caller.trouble), None):
        sys.exit(trouble)
    json.dump(
        {
            'wall': wall,
            'cpu': cpu,
            'times': [second for caller in callers for second in caller.times],
        },
        sys.stdout,
    )


if __name__ == '__main__':
    main()
