"""Hostile but legal values, read by those who really read them on a node: systemd, bash, curl and
Go's HTTP client, which is kubectl's.
"""

import base64
import http.server
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

SYSTEMD = '/usr/lib/systemd/systemd'
NOBODY = 65534
# What stands before the @ of a proxy -> user and password that it means.
USERS = {
    'ann:plain': 'ann:plain',
    'ann:p%40ss': 'ann:p@ss',
    'ann:50%25%25n': 'ann:50%%n',
    'ann:%2Fslash%3Fand%23more': 'ann:/slash?and#more',
    'ann:a@b': 'ann:a@b',
    'ann:$$two$(HOME)': 'ann:$$two$(HOME)',
    "ann:it's;&*=,!+~": "ann:it's;&*=,!+~",
    'ann:%22double%22%5Cback%60tick': 'ann:"double"\\back`tick',
    'ann:p%C3%A4ss%20word': 'ann:päss word',
    'b%3Aob:x:y': 'b:ob:x:y',
    'ann:': 'ann:',
}
HOSTS = (
    'proxy.example.org:3128',
    'proxy.example.org.:3128',
    '[fd00::5]:3128',
    '192.0.2.3',
    'xn--prxy-hra.example:3128',
    'a_b.internal:80',
)


def as_systemd_reads(drop_in):
    """{name: text}: the environment of a service with this drop-in, as systemd itself loads it."""
    # Not below pytest's own directory, which only its owner may enter; systemd refuses root.
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        root.chmod(0o755)
        (root / 'containerd.service.d').mkdir()
        (root / 'run').mkdir()
        (root / 'run').chmod(0o777)
        (root / 'containerd.service').write_text(
            '[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n'
        )
        (root / 'containerd.service.d/x.conf').write_text(drop_in)
        done = subprocess.run(
            [SYSTEMD, '--test', '--user', '--unit=containerd.service'],
            timeout=60,
            check=True,
            text=True,
            capture_output=True,
            **({'user': NOBODY, 'group': NOBODY, 'extra_groups': []} if os.geteuid() == 0 else {}),
            env={
                'SYSTEMD_UNIT_PATH': directory,
                'XDG_RUNTIME_DIR': f'{directory}/run',
                'HOME': directory,
                'SYSTEMD_LOG_TARGET': 'console',
                'PATH': os.environ['PATH'],
            },
        )
    assert 'ignoring' not in done.stderr, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    return dict(
        line.removeprefix('Environment: ').split('=', 1)
        for line in lines
        if line.startswith('Environment: ')
    )


def prepared(node):
    """{name: text}: the environment of what a node runs once its proxy is prepared."""
    parts = [
        f'. {node.root}/{path}'
        for path in (
            'usr/local/lib/magnum-lite/boot_lib.sh',
            'etc/magnum-lite/node.env',
            'etc/magnum-lite/stack.env',
            'usr/local/lib/magnum-lite/prepare.sh',
        )
    ]
    done = subprocess.run(
        [
            'bash',
            '-euc',
            '; '.join([*parts, 'prepare_proxy containerd.service "$API_INTERNAL" >&2', 'env -0']),
        ],
        check=True,
        text=True,
        capture_output=True,
        env={'PATH': f'{node.stubs}/bin:{os.environ["PATH"]}', 'STUB_LOG': str(node.stubs / 'log')},
    )
    found = dict(pair.split('=', 1) for pair in done.stdout.split('\0') if pair)
    return found | {'HOME': str(node.root)}


@pytest.fixture
def asked():
    """(URL without its scheme, ['METHOD target user:password', ...]) of a proxy that listens."""
    seen = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            _, _, user = self.headers.get('Proxy-Authorization', '').partition(' ')
            seen.append(f'{self.path} {base64.b64decode(user).decode()}')
            self.send_response(200)
            self.send_header('Content-Length', '2')
            self.end_headers()
            self.wfile.write(b'{}')

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f'127.0.0.1:{server.server_port}', seen
    server.shutdown()
    thread.join()
    server.server_close()


PROGRAMS = {
    'curl': lambda url: ['curl', '-sS', '--max-time', '2', url],
    'kubectl': lambda url: [
        'kubectl',
        '--kubeconfig',
        '/dev/null',
        '--request-timeout=2s',
        '--server',
        url,
        'get',
        '--raw',
        '/x',
    ],
}


def ask(program, url, environment):
    """Run a real program with the environment that kubeadm had."""
    wanted = {
        name: text
        for name, text in environment.items()
        if name == 'HOME' or name.lower().endswith('_proxy')
    }
    subprocess.run(
        PROGRAMS[program](url),
        env={'PATH': os.environ['PATH'], **wanted},
        timeout=60,
        check=False,
        capture_output=True,
    )


# No distribution has kubectl, so that its absence is no failure in CI either.
ASKED = [
    pytest.param('curl', marks=pytest.mark.needs('curl')),
    pytest.param(
        'kubectl',
        marks=pytest.mark.skipif(
            shutil.which('kubectl') is None, reason='kubectl is not installed: it was not asked'
        ),
    ),
]


@pytest.mark.needs(SYSTEMD)
@pytest.mark.parametrize('proxy', [*(f'{user}@{HOSTS[0]}' for user in USERS), *HOSTS])
def test_systemd_hands_on_the_proxy_that_the_scripts_have(make_node, driver, make_spec, proxy):
    given = {'http_proxy': f'http://{proxy}', 'https_proxy': f'https://{proxy}'}
    driver.validate(make_spec(**given))
    node = make_node(**given)
    environment = prepared(node)
    read = as_systemd_reads(
        node.read('etc/systemd/system/containerd.service.d/magnum-lite-proxy.conf')
    )
    assert read == {name: environment[name] for name in ('HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY')}
    assert environment['https_proxy'] == f'https://{proxy}' or '@' in proxy


@pytest.mark.parametrize('program', ASKED)
@pytest.mark.parametrize('user', USERS)
def test_programs_sign_in_to_the_proxy_as_the_user_meant(make_node, asked, program, user):
    where, seen = asked
    environment = prepared(make_node(http_proxy=f'http://{user}@{where}'))
    # What Kubernetes would expand, or halve, in the environment of a pod.
    assert '$' not in environment['HTTP_PROXY']
    ask(program, 'http://198.51.100.7', environment)
    assert {line.partition(' ')[2] for line in seen} == {USERS[user]}


@pytest.mark.needs('curl')
def test_the_artifact_is_asked_for_by_the_url_that_was_given(make_node, asked):
    where, seen = asked
    path = '/$signal/a{b,c}[1-2]/m.tar.gz?x=%40&y=%25%n&z=`id`"$(id)"\\'
    node = make_node(
        config={'manifests_url': f'http://{where}{path}', 'manifests_sha256': '0' * 64}
    )
    stub = node.stubs / 'bin/curl'
    stub.write_text(
        stub.read_text().replace(
            'curl*manifests.tar.gz*)',
            f'curl*m.tar.gz*) exec {shutil.which("curl")} "$@" ;;\n*none*)',
        )
    )
    node.boot('control_plane.sh')
    assert seen == [f'{path} ']


# no_proxy -> (hosts asked without the proxy, hosts asked through it)
EXCEPTIONS = {
    '': (
        ['10.0.0.7', '10.0.15.254', '10.254.0.1', '10.130.1.2', '[fd00:1::d]'],
        ['10.0.16.1', '198.51.100.7', 'example.org'],
    ),
    'example.org.': (['example.org'], ['example.com']),
    '*.example.org': (['a.example.org'], ['example.com']),
    '.example.org,,198.51.100.0/24': (['a.example.org', '198.51.100.7'], ['198.51.101.7']),
    'EXAMPLE.org': (['example.org', 'a.example.org'], []),
    'fd00:3::5': (['[fd00:3::5]'], ['[fd00:3::6]']),
    'a.b,*': (['198.51.100.7', 'example.org', '10.0.16.1'], []),
}


@pytest.mark.parametrize('program', ASKED)
@pytest.mark.parametrize('no_proxy', EXCEPTIONS)
def test_programs_know_who_is_asked_without_the_proxy(
    make_node, driver, make_spec, asked, program, no_proxy
):
    where, seen = asked
    given = {'http_proxy': f'http://{where}', 'no_proxy': no_proxy}
    driver.validate(make_spec(**given))
    node = make_node(**given)
    (node.root / 'etc/magnum-lite/stack.env').write_text(
        "API_INTERNAL='fd00:1::d'\nAPI_EXTERNAL=''\n"
    )
    environment = prepared(node)
    direct, through = EXCEPTIONS[no_proxy]
    threads = [
        threading.Thread(target=ask, args=(program, f'http://{host}', environment))
        for host in (*direct, *through)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {line.split('/')[2] for line in seen} == set(through)
