"""The door of a manager: a real socat with real certificates, in front of an engine of ours."""

import http.server
import json
import os
import socketserver
import subprocess
import threading
import time

import pytest

from magnum_lite_swarm import files

pytestmark = pytest.mark.needs('jq', 'openssl', 'socat', 'curl')


class Engine(http.server.BaseHTTPRequestHandler):
    """What a door asks."""

    status, document = 200, {'JoinTokens': {'Worker': 'SWMTKN-w', 'Manager': 'SWMTKN-m'}}

    def do_GET(self):
        body = json.dumps(self.document if self.path == '/swarm' else {}).encode()
        self.send_response(self.status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    def address_string(self):
        return ''


@pytest.fixture
def door(make_node, tmp_path):
    """``door(document)``: (curl's exit status, what it printed), of one request by each kind."""
    node = make_node()
    node.boot('manager.sh')
    ended = []

    def open_door(document):
        path = str(tmp_path / 'docker.sock')
        engine = socketserver.ThreadingUnixStreamServer(
            path, type('Given', (Engine,), {'document': document})
        )
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        script = tmp_path / 'door.sh'
        script.write_text(files.text('scripts/door.sh').replace('/run/docker.sock', path))
        line = files.text('cloud_init/door.service').partition('ExecStart=')[2]
        command = line.partition('Restart=')[0].replace('\\\n', ' ').replace('"', '').split(None, 2)
        listen = command[1].replace(':2378', ':0,bind=127.0.0.1')
        listen = listen.replace('/etc/docker', str(node.pki))
        process = subprocess.Popen(
            ['/usr/bin/socat', '-dd', listen, f'EXEC:/bin/bash {script}'],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        ended.append(lambda: (process.terminate(), process.communicate(), engine.shutdown()))
        ended.append(engine.server_close)
        for said in process.stderr:
            if 'listening on' in said:
                return int(said.rpartition(':')[2])
        raise AssertionError('socat does not listen')

    yield node, open_door
    for end in ended:
        end()


def ask(node, port, *certificate):
    done = subprocess.run(
        ['curl', '-sS', '--max-time', '20', '--cacert', node.pki / 'ca.pem', '-w', ' %{http_code}']
        + [*certificate, f'https://127.0.0.1:{port}/'],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def client(node, authority, name):
    """Options of curl for a certificate that an authority has signed."""
    key, request, certificate = (node.root / f'{name}.{part}' for part in ('key', 'csr', 'pem'))
    node.openssl(
        *'req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x'.split(),
        *('-keyout', key, '-out', request),
    )
    node.openssl(
        *('x509', '-req', '-in', request, '-CA', node.pki / f'{authority}.pem', '-CAkey'),
        *(node.pki / f'{authority}-key.pem', '-set_serial', '7', '-days', '1', '-out', certificate),
    )
    return '--cert', certificate, '--key', key


def test_the_door_gives_the_token_of_workers_to_who_may_join_alone(door):
    node, open_door = door
    port = open_door(Engine.document)
    began = time.monotonic()
    assert ask(node, port, *client(node, 'join-ca', 'node')) == (0, '{"token":"SWMTKN-w"} 200')
    assert time.monotonic() - began < 5, 'nobody waits for what is asked'
    assert ask(node, port)[0] != 0
    node.authority('stranger', 'join')
    assert ask(node, port, *client(node, 'stranger', 'stranger'))[0] != 0


def test_a_manager_without_a_swarm_says_so(door):
    node, open_door = door
    port = open_door({'message': 'This node is not a swarm manager.'})
    status, text = ask(node, port, *client(node, 'join-ca', 'node'))
    assert (status, text) == (0, '{"message":"This node is not a swarm manager."} 503')
