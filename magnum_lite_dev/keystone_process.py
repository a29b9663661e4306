"""A real Keystone on SQLite under gunicorn, in a process group of its own, for tests.

It needs the extra ``identity`` and, as all here, neither root nor other services.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import requests

from magnum_lite_dev.directory import ACCOUNT, PASSWORD, Directory
from magnum_lite_dev.processes import QUIET, tail
from magnum_lite_dev.state import free_port

START_WITHIN_S = 120
STOP_WITHIN_S = 20
TIMEOUT_S = 10
CONF = """\
[DEFAULT]
log_dir = {state}
log_file = keystone.log
[identity]
# The default of 12 rounds makes a password token take 0.3 s.
password_hash_rounds = 4
[database]
connection = sqlite:///{state}/keystone.sqlite?timeout=60
sqlite_synchronous = false
[token]
provider = fernet
expiration = {token_s}
[fernet_tokens]
key_repository = {state}/fernet
[credential]
key_repository = {state}/credential
[cache]
enabled = true
backend = dogpile.cache.memory
"""
# Keystone takes the command line of its server for its own, so gunicorn gets none.
GUNICORN = """\
from magnum_lite_dev.processes import end_with
bind = '127.0.0.1:{port}'
# SQLite refuses who reads and then writes while another writes: one request at a time.
workers = 1
worker_class = 'gthread'
threads = 1
keepalive = 75
accesslog = '{state}/access.log'
access_log_format = '%(m)s %(U)s %(s)s'
wsgi_app = 'keystone.wsgi.api:application'
def on_starting(server):
    end_with({parent})
def post_fork(server, worker):
    # Keystone leaves it to foreign keys to delete what belongs to what it deletes.
    from keystone.common.sql.core import enable_sqlite_foreign_key
    enable_sqlite_foreign_key()
"""
# What the service is told of it; the project is for what the service user does as itself.
SERVICE = """\
[identity]
mode = keystone
[keystone_authtoken]
www_authenticate_uri = {url}
{account}
service_token_roles = service
service_token_roles_required = true
[service_auth]
{account}
"""


class KeystoneDidNotStart(RuntimeError):
    """Keystone ended or stayed silent; the text ends with the tail of its log."""


class RunningKeystone(Directory):
    """A Keystone that answers; what it knows is asked and changed by ``Directory``.

    :ivar url: with /v3.
    :ivar state: the directory of its files.
    """

    def __init__(self, url, state, process) -> None:
        super().__init__(url)
        self.state = state
        self._process = process

    def service_options(self) -> str:
        """What the configuration of a magnum_lite behind this Keystone says of identity."""
        return SERVICE.format(url=self.url, account=ACCOUNT.format(url=self.url, user='magnum'))

    @contextlib.contextmanager
    def token_lifetime(self, seconds) -> Iterator[None]:
        """Make tokens that are valid for so long, while the block runs.

        Clients buy a new token two minutes before the old one ends, so with less than that none is
        used twice and all is slow.
        """
        conf = self.state / 'keystone.conf'
        before = conf.read_text()
        lines = [
            f'expiration = {seconds}' if line.startswith('expiration = ') else line
            for line in before.splitlines()
        ]
        try:
            self._reload(conf, '\n'.join(lines))
            yield
        finally:
            self._reload(conf, before)

    def _reload(self, conf, text) -> None:
        conf.write_text(text)
        born = self._workers()
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + START_WITHIN_S
        while self._workers() & born or not self._workers():
            if time.monotonic() > deadline:
                raise KeystoneDidNotStart('Keystone does not take up its configuration')
            time.sleep(0.1)
        _wait(self._process, self)

    def _workers(self) -> set[int]:
        return {child.pid for child in psutil.Process(self._process.pid).children()}

    def calls(self) -> list[str]:
        """``METHOD path status`` of every call so far, oldest first."""
        return (self.state / 'access.log').read_text().splitlines()


@contextlib.contextmanager
def running_keystone(state, *, token_s=3600, port=None) -> Iterator[RunningKeystone]:
    """Start a Keystone over an empty directory, and stop it at the end.

    Beside what Keystone's own bootstrap makes, it has the service users ``heat`` and ``magnum``,
    the domain ``heat`` of stack users, and a user ``demo`` who is a member of the project ``demo``.

    :param token_s: seconds that a token is valid.
    :param port: where it answers; None takes a free one.
    :returns: context manager with a :class:`RunningKeystone`.
    :raises KeystoneDidNotStart: with the tail of the log.
    """
    state = pathlib.Path(state).resolve()
    port = port or free_port()
    url = f'http://127.0.0.1:{port}/v3'
    _prepare(state, url, port, token_s)
    with (state / 'keystone.out').open('ab') as log:
        process = subprocess.Popen(
            [pathlib.Path(sys.executable).parent / 'gunicorn'],
            cwd=state,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={
                **QUIET,
                'OS_KEYSTONE_CONFIG_DIR': str(state),
                'OS_KEYSTONE_CONFIG_FILES': 'keystone.conf',
            },
        )
    keystone = RunningKeystone(url, state, process)
    try:
        _wait(process, keystone)
        keystone.populate()
        yield keystone
    finally:
        _stop(process)


def _prepare(state, url, port, token_s) -> None:
    for folder in ('fernet', 'credential'):
        (state / folder).mkdir(mode=0o700, parents=True)
    conf = state / 'keystone.conf'
    conf.write_text(CONF.format(state=state, token_s=token_s))
    (state / 'gunicorn.conf.py').write_text(
        GUNICORN.format(port=port, state=state, parent=os.getpid())
    )
    owner = ('--keystone-user', str(os.getuid()), '--keystone-group', str(os.getgid()))
    urls = [
        text
        for kind in ('public', 'internal', 'admin')
        for text in (f'--bootstrap-{kind}-url', url)
    ]
    for command in (
        ('db_sync',),
        ('fernet_setup', *owner),
        ('credential_setup', *owner),
        (
            'bootstrap',
            '--bootstrap-password',
            PASSWORD,
            '--bootstrap-region-id',
            'RegionOne',
            *urls,
        ),
    ):
        _manage(conf, *command)


def _manage(conf, *command) -> None:
    done = subprocess.run(
        [pathlib.Path(sys.executable).parent / 'keystone-manage', '--config-file', conf, *command],
        capture_output=True,
        text=True,
        env=QUIET,
        check=False,
    )
    if done.returncode:
        raise KeystoneDidNotStart(f'keystone-manage {command[0]}: {done.stderr[-2000:]}')


def _wait(process, keystone) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(requests.RequestException):
            if requests.get(keystone.url, timeout=TIMEOUT_S).status_code == 200:
                return
        time.sleep(0.1)
    logs = '\n'.join(tail(keystone.state / name, 30) for name in ('keystone.out', 'keystone.log'))
    raise KeystoneDidNotStart(f'Keystone does not answer:\n{logs}')


def _stop(process) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
