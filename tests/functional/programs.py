"""The programs of the service, run by hand with a configuration that may be wrong.

Most of a start is the import of what the programs need, so ours are forked from a process that has
imported it, once for all tests. ``start`` is without that.
"""

import atexit
import multiprocessing
import os
import subprocess
import sys
from importlib import metadata
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

FORKED = {
    name: metadata.entry_points(group='console_scripts', name=name)[name].module
    for name in (CONDUCTOR, MANAGE, STATUS, DEV)
}
FORKING = multiprocessing.get_context('forkserver')
FORKING.set_forkserver_preload(list(FORKED.values()))


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
    """How a program ended, in a minute at most: a loop of starts does not.

    The home directory is empty; the cache of entry points, most of a start, is the machine's.
    """
    if program not in FORKED:
        return start(program, *words, folder=folder, **environment)
    argv = [str(word) for word in (PROGRAMS / program, *words)]
    texts = [folder / f'{program}.{name}' for name in ('out', 'err')]
    process = FORKING.Process(
        target=_become, args=(program, argv, folder, _environ(folder, environment), texts)
    )
    process.start()
    process.join(60)
    if process.exitcode is None:
        process.kill()
        raise subprocess.TimeoutExpired(argv, 60)
    return subprocess.CompletedProcess(
        argv, process.exitcode, *(path.read_text() for path in texts)
    )


def start(program, *words, folder, **environment):
    """As ``run``, of any program, in an interpreter of its own."""
    return subprocess.run(
        [PROGRAMS / program, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env=_environ(folder, environment),
    )


def _environ(folder, environment):
    return os.environ | {'HOME': str(folder), 'XDG_CACHE_HOME': CACHE} | environment


def _become(program, argv, folder, environ, texts):
    # In the fork: nothing of this process but what it has imported is left.
    for number, path in enumerate(texts, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = argv
    (entry,) = metadata.entry_points(group='console_scripts', name=program)
    try:
        sys.exit(entry.load()())
    finally:
        atexit._run_exitfuncs()


def ours(ended):
    """The lines on standard error but for warnings of libraries."""
    return [line for line in ended.stderr.splitlines() if line.startswith('magnum-lite-')]
