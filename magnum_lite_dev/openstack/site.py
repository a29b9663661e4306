"""The directory that services run from: their files, programs and processes."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

import requests

from magnum_lite_dev.processes import QUIET, tail
from magnum_lite_dev.state import free_port

START_WITHIN_S = 180
STOP_WITHIN_S = 20
TIMEOUT_S = 10
# Each ends with what started it, even if that is killed.
WITH_PARENT = ('setpriv', '--pdeathsig', 'SIGTERM')
# The services take the command line of their server for their own, so gunicorn gets none.
GUNICORN = """\
bind = '127.0.0.1:{port}'
workers = 1
worker_class = 'gthread'
threads = {threads}
timeout = 300
keepalive = 75
wsgi_app = '{module}:application'
"""


class ServiceDidNotStart(RuntimeError):
    """A service or one of its commands failed; the text ends with what it said."""


class Site:
    """Where all services of one cloud run from.

    :param state: an empty directory.
    :param venv: the environment that has the services.
    :ivar values: what the texts of configurations are filled in with; ports among them.
    """

    def __init__(self, state, venv) -> None:
        self.state, self.venv = pathlib.Path(state).resolve(), pathlib.Path(venv).resolve()
        self.state.mkdir(parents=True, exist_ok=True)
        self.values = {'state': self.state, 'etc': self.venv / 'etc'}
        # What lies there is found by the services' interpreter.
        self.packages = self.state / 'packages'
        self.environ = {
            **{name: text for name, text in QUIET.items() if not name.lower().endswith('_proxy')},
            'PYTHONPATH': str(self.packages),
        }
        self._processes = {}

    def port(self, name) -> int:
        """A free port, the same one for each call of a name."""
        return self.values.setdefault(f'{name}_port', free_port())

    def write(self, name, text, **more) -> pathlib.Path:
        """Write a file whose text is filled in with ``values``; its path."""
        path = self.state / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(**self.values, **more))
        return path

    def package(self, name, text, entry_points) -> None:
        """Let services find a module of ours by its entry points.

        :param text: of the module.
        :param entry_points: {group: line}.
        """
        self.packages.mkdir(exist_ok=True)
        (self.packages / f'{name}.py').write_text(text)
        told = self.packages / f'{name}-1.dist-info'
        told.mkdir()
        (told / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1\n')
        lines = [f'[{group}]\n{line}\n' for group, line in entry_points.items()]
        (told / 'entry_points.txt').write_text(''.join(lines))

    def program(self, name) -> str:
        """Path of a program of the services' environment, or else of this machine.

        :raises ServiceDidNotStart: there is none.
        """
        found = shutil.which(name, path=f'{self.venv}/bin:{os.environ["PATH"]}:/usr/sbin')
        if found is None:
            raise ServiceDidNotStart(f'there is no program {name}')
        return found

    def run(self, name, *words, **options) -> str:
        """What a command prints; it runs in the directory of the site.

        :raises ServiceDidNotStart: it failed.
        """
        done = subprocess.run(
            [self.program(name), *map(str, words)],
            cwd=self.state,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        if done.returncode:
            raise ServiceDidNotStart(f'{name} {words}: {(done.stdout + done.stderr)[-3000:]}')
        return done.stdout

    def spawn(self, name, *command, folder='.', **environ) -> None:
        """Start a process; what it prints goes to ``<name>.out``.

        From the main thread alone: the process ends with the thread that has started it.
        """
        with (self.state / f'{name}.out').open('ab') as output:
            self._processes[name] = subprocess.Popen(
                [*WITH_PARENT, *map(str, command)],
                cwd=self.state / folder,
                env={**self.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def serve(self, name, module, *, threads=4, **environ) -> str:
        """Start a WSGI application under gunicorn; its URL."""
        port = self.port(name)
        self.write(f'{name}/gunicorn.conf.py', GUNICORN, port=port, module=module, threads=threads)
        self.spawn(name, self.program('gunicorn'), folder=name, **environ)
        return f'http://127.0.0.1:{port}'

    def wait(self, name, url) -> None:
        """Go on when a process answers HTTP with anything but an error of its own.

        :raises ServiceDidNotStart: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline and self._processes[name].poll() is None:
            with contextlib.suppress(requests.RequestException):
                if requests.get(url, timeout=TIMEOUT_S).status_code < 500:
                    return
            time.sleep(0.2)
        raise ServiceDidNotStart(f'{name} does not answer:\n{self.log(name)}')

    def log(self, name) -> str:
        """The end of what a process has told."""
        files = [self.state / f'{name}.out', *sorted((self.state / name).glob('*.log'))]
        return '\n'.join(tail(file, 40) for file in files)

    def close(self) -> None:
        """End all processes, the last that came first."""
        for process in reversed(self._processes.values()):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        for process in self._processes.values():
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes.clear()
