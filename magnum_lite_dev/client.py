"""The ``openstack`` command: an environment of its own, and how it reaches the embedded service."""

import hashlib
import importlib.util
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

from magnum_lite_dev.state import TOKEN, beside_program
from magnum_lite_dev.trouble import Trouble

REQUIREMENTS = pathlib.Path(__file__).parent / 'client-requirements.txt'
# Settings of another cloud in the caller's shell would win over ours.
FOREIGN = (
    'OS_CLOUD',
    'OS_AUTH_URL',
    'OS_USERNAME',
    'OS_USER_ID',
    'OS_PASSWORD',
    'OS_PROJECT_NAME',
    'OS_PROJECT_ID',
    'OS_USER_DOMAIN_NAME',
    'OS_USER_DOMAIN_ID',
    'OS_PROJECT_DOMAIN_NAME',
    'OS_PROJECT_DOMAIN_ID',
    'OS_REGION_NAME',
    'OS_INTERFACE',
    'OS_APPLICATION_CREDENTIAL_ID',
    'OS_APPLICATION_CREDENTIAL_SECRET',
    'OS_SYSTEM_SCOPE',
)


def settings(api_url) -> dict[str, str]:
    """{variable: value} with which the client talks to the service without Keystone."""
    return {'OS_AUTH_TYPE': 'admin_token', 'OS_ENDPOINT': f'{api_url}/v1', 'OS_TOKEN': TOKEN}


def exports(api_url, program=None) -> str:
    """The same for a shell, as text; with the client's directory in PATH where there is one."""
    lines = [f'unset {" ".join(FOREIGN)}']
    lines += [f'export {name}={shlex.quote(value)}' for name, value in settings(api_url).items()]
    if program:
        lines.append(f'export PATH={shlex.quote(str(pathlib.Path(program).parent))}:"$PATH"')
    return '\n'.join(lines)


def home(state_directory, *, is_temporary=False) -> pathlib.Path:
    """Where the client's environment is, or else will be made.

    :param is_temporary: the state directory will be deleted: rather beside this program, if that
        is in an environment of its own, where the next run finds it.
    """
    own = pathlib.Path(state_directory) / 'client'
    shared = beside_program('openstack-client')
    if own.exists() or shared is None:
        return own
    return shared if is_temporary or Client(shared).is_ready else own


class Client:
    """The ``openstack`` command in ``directory``, or the given ``program``.

    :param directory: where the environment is, or will be made.
    :param program: path of a command that exists already.
    """

    def __init__(self, directory, program=None) -> None:
        self._directory = pathlib.Path(directory)
        self._given = program
        self.program = program or str(self._directory / 'bin' / 'openstack')

    @property
    def is_ready(self) -> bool:
        """Whether the command can be run, and is the one that the requirements describe."""
        if self._given:
            return shutil.which(self._given) is not None
        try:
            return (self._directory / 'made-from').read_text() == _fingerprint()
        except OSError:
            return False

    def make(self) -> None:
        """Make the environment, unless it is there.

        :raises Trouble: a given command that is missing; pip's own words.
        """
        if self.is_ready:
            return
        if self._given:
            raise Trouble(f'there is no command {self._given}')
        shutil.rmtree(self._directory, ignore_errors=True)
        python = str(self._directory / 'bin' / 'python')
        # The pip that is here can fill the new environment; making a second one takes longer.
        has_pip = importlib.util.find_spec('pip') is not None
        pip = (
            [sys.executable, '-m', 'pip', '--python', python] if has_pip else [python, '-m', 'pip']
        )
        _run(
            [
                sys.executable,
                '-m',
                'venv',
                *(['--without-pip'] if has_pip else []),
                str(self._directory),
            ]
        )
        _run(
            [
                *pip,
                'install',
                '--quiet',
                '--disable-pip-version-check',
                '--no-deps',
                '-r',
                str(REQUIREMENTS),
            ]
        )
        (self._directory / 'made-from').write_text(_fingerprint())

    def environment(self, api_url) -> dict[str, str]:
        """The variables of a process that runs the command."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith('OS_')}
        # python-magnumclient reads SHELL for "coe cluster config" and ends without it.
        return {'SHELL': '/bin/sh', **kept, **settings(api_url), 'PYTHONWARNINGS': 'ignore'}

    def run(self, arguments, api_url) -> tuple[int, str]:
        """(exit status, output with errors) of one command."""
        result = subprocess.run(
            [self.program, *arguments],
            env=self.environment(api_url),
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return result.returncode, result.stdout


def _fingerprint() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def _run(command) -> None:
    result = subprocess.run(
        command,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if result.returncode:
        raise Trouble(f'{shlex.join(command)} failed:\n{result.stdout.strip()}')
