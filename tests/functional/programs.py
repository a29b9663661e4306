"""The programs of the service, run by hand with a configuration that may be wrong."""

import os
import subprocess
import sys
from pathlib import Path

from magnum_lite.secrets import keyfile
from magnum_lite.secrets.keyring import new_key

PROGRAMS = Path(sys.executable).parent
CACHE = os.environ.get('XDG_CACHE_HOME') or str(Path.home() / '.cache')
CONDUCTOR, MANAGE, STATUS, DEV = (
    f'magnum-lite-{name}' for name in ('conductor', 'manage', 'status', 'dev')
)
RIGHT = {
    'DEFAULT': {'transport_url': 'fake://'},
    'database': {'connection': 'sqlite:///{folder}/m.sqlite'},
    'identity': {'mode': 'development'},
    'secrets': {'key_file': '{folder}/keys'},
}


def written(folder, **groups):
    """The path of a configuration that is right but for some values; None leaves one out."""
    path = folder / 'magnum-lite.conf'
    keyfile.put_first(str(folder / 'keys'), new_key())
    text = ''
    for group in RIGHT | groups:
        values = RIGHT.get(group, {}) | groups.get(group, {})
        text += f'[{group}]\n' + ''.join(
            f'{name} = {value}\n' for name, value in values.items() if value is not None
        )
    path.write_text(text.replace('{folder}', str(folder)))
    return path


def run(program, *words, folder, **environment):
    """How it ended, in a minute at most: a loop of starts does not.

    The home directory is empty; the cache of entry points, most of a start, is the machine's.
    """
    return subprocess.run(
        [PROGRAMS / program, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env=os.environ | {'HOME': str(folder), 'XDG_CACHE_HOME': CACHE} | environment,
    )


def ours(ended):
    """The lines on standard error but for warnings of libraries."""
    return [line for line in ended.stderr.splitlines() if line.startswith('magnum-lite-')]
