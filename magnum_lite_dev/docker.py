"""The ``docker`` command of a tenant, as ``openstack coe cluster config`` sets it up."""

import os
import re
import shlex
import subprocess

from magnum_lite_dev.trouble import Trouble

# For sh, and for csh; python-magnumclient looks at SHELL.
VARIABLE = re.compile(r'^(?:export|setenv) (DOCKER_\w+)[ =](.*)$', re.MULTILINE)
TIMEOUT_S = 60


def settings(text) -> dict[str, str]:
    """{variable: value} of what ``coe cluster config`` prints.

    :raises Trouble: it names no engine.
    """
    found = dict(VARIABLE.findall(text))
    if not found.get('DOCKER_HOST', '').startswith('tcp://'):
        raise Trouble(f'the docker command cannot be used, this names no engine: {text.strip()}')
    return found


class Docker:
    """The command with the variables of one cluster.

    :param variables: see :func:`settings`.
    """

    def __init__(self, variables) -> None:
        # Those of another engine in the caller's shell would win over ours.
        kept = {name: text for name, text in os.environ.items() if not name.startswith('DOCKER_')}
        self._environment = {**kept, **variables}

    def run(self, *words) -> tuple[int, str]:
        """(exit status, output with errors) of one command."""
        try:
            done = subprocess.run(
                ['docker', *words],
                env=self._environment,
                check=False,
                text=True,
                timeout=TIMEOUT_S,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except subprocess.TimeoutExpired:
            return 1, f'no end after {TIMEOUT_S} s'
        return done.returncode, done.stdout

    def ask(self, *words) -> list[str]:
        """The lines that a command prints.

        :raises Trouble: it failed.
        """
        status, output = self.run(*words)
        if status:
            raise Trouble(f'docker {shlex.join(words)} ended with status {status}:\n{output}')
        return output.splitlines()
