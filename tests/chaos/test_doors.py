"""What passes through the doors of the nemesis, fault by fault."""

import http.client
import socket
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from magnum_lite_dev.rig import doors
from magnum_lite_dev.rig.doors import BalancingDoor, Door
from tools.chaos.http_door import HttpDoor

PATIENCE_S = 30
# Long enough for an answer that would come at once, on a slow machine too late rather than never.
SILENCE_S = 0.3


class Echo(socketserver.BaseRequestHandler):
    """Sends back what it hears, and keeps it."""

    def handle(self):
        while lot := self.request.recv(1024):
            self.server.heard.append(lot)
            self.request.sendall(lot)


class Answer(BaseHTTPRequestHandler):
    """Answers every request with ten bytes, and keeps which it got."""

    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self.server.heard.append((self.command, self.headers['Host'], body))
        self.send_response(200)
        self.send_header('Content-Length', '10')
        self.end_headers()
        self.wfile.write(b'0123456789')

    do_POST = do_GET


@pytest.fixture
def behind():
    """Makes a door of a kind before a service of its own; (door, what the service heard)."""
    ends = []

    def make(kind, server, handler):
        inside = server(('127.0.0.1', 0), handler)
        inside.daemon_threads, inside.heard = True, []
        threading.Thread(target=inside.serve_forever, args=(0.05,), daemon=True).start()
        door = kind(*inside.server_address)
        ends.extend([(door.__exit__, ()), (inside.shutdown, ()), (inside.server_close, ())])
        return door, inside.heard

    yield make
    for end, args in ends:
        end(*args)


@pytest.fixture
def tcp(behind):
    door, heard = behind(Door, socketserver.ThreadingTCPServer, Echo)
    with socket.create_connection(('127.0.0.1', door.port), PATIENCE_S) as client:
        client.sendall(b'before')
        assert client.recv(1024) == b'before'
        heard.clear()
        yield door, heard, client


@pytest.fixture
def web(behind):
    door, heard = behind(HttpDoor, ThreadingHTTPServer, Answer)
    client = http.client.HTTPConnection('127.0.0.1', door.port, timeout=PATIENCE_S)
    yield door, heard, client
    client.close()


def ask(client, method='POST'):
    """(status, body) of an answer."""
    client.request(method, '/v1', b'body')
    reply = client.getresponse()
    return reply.status, reply.read()


def hears(client):
    """What comes within a short while; None when nothing does."""
    client.settimeout(SILENCE_S)
    try:
        return client.recv(1024)
    except TimeoutError:
        return None


def wait_for(condition):
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_cut_resets_what_is_open_and_what_comes(tcp):
    door, heard, client = tcp
    door.fault = 'cut'
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    # The reset may come while it connects.
    with (
        pytest.raises(ConnectionResetError),
        socket.create_connection(('127.0.0.1', door.port), PATIENCE_S) as late,
    ):
        late.recv(1)
    assert not heard and door.struck == 2


def test_a_stall_holds_back_and_gives_later(tcp):
    door, heard, client = tcp
    door.fault = 'stall'
    client.sendall(b'held')
    assert hears(client) is None and not heard
    door.fault = None
    client.settimeout(PATIENCE_S)
    assert client.recv(1024) == b'held'


def test_what_is_frozen_stays_silent_and_is_not_reset(tcp):
    door, heard, client = tcp
    door.fault = 'freeze'
    wait_for(lambda: door.struck)
    door.fault = None
    client.sendall(b'never')
    assert hears(client) is None and not heard
    with socket.create_connection(('127.0.0.1', door.port), PATIENCE_S) as late:
        late.sendall(b'new')
        assert late.recv(1024) == b'new'


def test_a_lost_answer_was_served(tcp):
    door, heard, client = tcp
    door.fault = 'lose'
    client.sendall(b'change')
    assert client.recv(1024) == b'' and heard == [b'change']


def test_a_truncated_answer_is_half_and_ends(tcp):
    door, _heard, client = tcp
    door.fault = 'truncate'
    client.sendall(b'01234567')
    assert client.recv(1024) == b'0123' and client.recv(1024) == b''


def test_a_delayed_lot_arrives_late(tcp, monkeypatch):
    door, _heard, client = tcp
    waited = []
    monkeypatch.setattr(doors, 'DELAY_S', 0.01)
    monkeypatch.setattr(doors.time, 'sleep', waited.append)
    door.fault = 'delay'
    client.sendall(b'late')
    assert client.recv(1024) == b'late' and 0.01 in waited


def test_a_dripping_answer_comes_a_byte_at_a_time(tcp, monkeypatch):
    door, _heard, client = tcp
    monkeypatch.setattr(doors, 'DRIP_S', 0.01)
    door.fault = 'drip'
    client.sendall(b'drops')
    assert [client.recv(1024) for _ in range(5)] == [b'd', b'r', b'o', b'p', b's']


def test_http_passes_unchanged_and_under_its_own_name(web):
    door, heard, client = web
    assert ask(client) == (200, b'0123456789')
    assert heard == [('POST', f'127.0.0.1:{door.port}', b'body')]


def test_only_a_changing_request_is_doubled(web):
    door, heard, client = web
    door.fault = 'double'
    assert ask(client) == ask(client, 'GET') == (200, b'0123456789')
    assert [method for method, *_ in heard] == ['POST', 'POST', 'GET']


def test_a_lost_http_answer_was_served(web):
    door, heard, client = web
    door.fault = 'lose'
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(client)
    assert len(heard) == 1


def test_a_cut_or_refused_request_is_not_served(web):
    door, heard, client = web
    door.fault = 'refuse'
    assert ask(client)[0] == 503
    door.fault = 'cut'
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(client)
    assert not heard and door.struck == 2


def test_a_truncated_body_is_shorter_than_its_length_says(web):
    door, _heard, client = web
    door.fault = 'truncate'
    with pytest.raises(http.client.IncompleteRead) as short:
        ask(client)
    assert short.value.partial == b'01234'


def test_a_frozen_request_gets_no_answer(web):
    door, heard, client = web
    door.fault = 'freeze'
    client.request('POST', '/v1', b'body')
    assert hears(client.sock) is None and not heard


def test_a_stalled_request_is_served_later(web):
    door, heard, client = web
    door.fault = 'stall'
    client.request('POST', '/v1', b'body')
    assert hears(client.sock) is None and not heard
    door.fault = None
    client.sock.settimeout(PATIENCE_S)
    assert client.getresponse().status == 200


class Name(socketserver.BaseRequestHandler):
    """Says which service it is, and stays."""

    def handle(self):
        self.request.sendall(b'%d' % self.server.server_address[1])
        self.request.recv(1)


@pytest.fixture
def balanced():
    """(a door before two services, their addresses)."""
    servers = [socketserver.ThreadingTCPServer(('127.0.0.1', 0), Name) for _ in range(2)]
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with BalancingDoor([server.server_address for server in servers]) as door:
        yield door, [server.server_address for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


def come(door):
    """(a connection through a door, the address of the service that it reached)."""
    client = socket.create_connection(('127.0.0.1', door.port), PATIENCE_S)
    return client, ('127.0.0.1', int(client.recv(10)))


def test_connections_go_to_one_service_after_the_other(balanced):
    door, addresses = balanced
    clients, reached = zip(*(come(door) for _ in range(4)), strict=True)
    assert sorted(reached) == sorted(2 * addresses)
    for client in clients:
        client.close()


def test_what_goes_to_a_service_that_is_not_used_any_more_is_reset_and_nothing_else(balanced):
    door, (used, other) = balanced
    clients = dict(reversed(come(door)) for _ in range(2))
    door.use([used])
    with pytest.raises(ConnectionResetError):
        clients[other].recv(1)
    assert hears(clients[used]) is None
    late = [come(door) for _ in range(3)]
    assert {reached for _client, reached in late} == {used}
    for client in (*clients.values(), *(client for client, _reached in late)):
        client.close()


def test_nothing_behind_a_door_is_a_reset(balanced):
    door, _addresses = balanced
    door.use([])
    # The reset may come while it connects.
    with (
        pytest.raises(ConnectionResetError),
        socket.create_connection(('127.0.0.1', door.port), PATIENCE_S) as late,
    ):
        late.recv(1)
