"""The file with the keys: how it is written, who may read it, and when a change is taken."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.secrets import keyfile
from magnum_lite.secrets.keyring import Keyring, Unreadable, new_key
from magnum_lite.secrets.sealing import Row

ROW = Row(('ref', 'cluster', 'name'))
PROGRAMS = Path(sys.executable).parent
TOP = Path(__file__).parents[2]


@pytest.fixture
def keys(tmp_path):
    """The path of a file with one key."""
    path = tmp_path / 'etc' / 'keys'
    path.parent.mkdir()
    keyfile.put_first(str(path), new_key())
    return path


@pytest.fixture
def conf(keys, tmp_path):
    """A configuration that names it."""
    conf = cfg.ConfigOpts()
    options.register(conf)
    file = tmp_path / 'magnum-lite.conf'
    file.write_text(
        f'[database]\nconnection = sqlite:///{tmp_path}/m.sqlite\n[secrets]\nkey_file = {keys}\n'
    )
    conf([], default_config_files=[str(file)])
    return conf


def program(conf, name, *words, before=()):
    """How a program of ours ended."""
    command = [*before, PROGRAMS / name, '--config-file', *conf.default_config_files, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


# Lets a program write no byte into a file.
FULL_DISK = ('sh', '-c', 'ulimit -f 0; exec "$0" "$@"')


def test_a_full_disk_takes_no_key(conf, keys):
    before = keys.read_bytes()
    ended = program(conf, 'magnum-lite-manage', 'secret', 'key', before=FULL_DISK)
    assert ended.returncode == 1
    assert re.fullmatch(
        rf'magnum-lite-manage: .+: \[secrets\] key_file {keys} cannot be written, '
        'and stays as it is: File too large\n',
        ended.stderr,
    )
    assert keys.read_bytes() == before
    assert list(keys.parent.iterdir()) == [keys]


@pytest.mark.parametrize('step', ['os.fchown', 'os.fsync', 'Path.rename'])
def test_a_writer_that_ends_at_any_step_takes_no_key(keys, monkeypatch, step):
    def end(*args):
        raise KeyboardInterrupt

    before = keys.read_bytes()
    monkeypatch.setattr(f'magnum_lite.secrets.keyfile.{step}', end)
    with pytest.raises(KeyboardInterrupt):
        keyfile.put_first(str(keys), new_key())
    assert keys.read_bytes() == before and list(keys.parent.iterdir()) == [keys]


KILLED = """
import json, pathlib, sys
from magnum_lite.secrets import keyfile
from tests import dying
path, found = pathlib.Path(sys.argv[1]), []
before = path.read_text()
for _ in dying.deaths(keyfile, lambda: keyfile.{call}):
    found.append(path.read_text().split())
    last = path.read_text()
    path.write_text(before)
path.write_text(last)
print(json.dumps(found))
"""


def killed_at_each_line(keys, call):
    """The keys in the file, for each line of ``call`` at which a kill ended it."""
    command = [sys.executable, '-c', KILLED.format(call=call), keys]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=TOP
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    'call, after',
    [
        ("put_first(path, '{new}')", ('new', 'one', 'two')),
        ("put_last(path, '{new}')", ('one', 'two', 'new')),
        ("move_first(path, keyfile.Key('{two}').id)", ('two', 'one')),
        ('keep_first(path, list)', ('one',)),
    ],
)
def test_a_kill_at_any_line_takes_no_key_and_leaves_none_beside(keys, call, after):
    """SIGKILL: no handler of the writer runs."""
    named = {name: new_key() for name in ('one', 'two', 'new')}
    old, new = [named['one'], named['two']], [named[name] for name in after]
    keys.write_text('\n'.join(old) + '\n')
    found = killed_at_each_line(keys, call.format(**named))
    changed = found.index(new)
    assert changed > 9 and found == [old] * changed + [new] * (len(found) - changed)
    assert list(keys.parent.iterdir()) == [keys]


def test_a_new_key_comes_first_and_keeps_owner_and_link(conf, keys, tmp_path):
    if os.getuid() == 0:
        os.chown(keys, 65534, 65534)
    link = tmp_path / 'link'
    link.symlink_to(keys)
    owner, old = keys.stat().st_uid, keys.read_text()
    keyfile.put_first(str(link), new_key())
    assert link.is_symlink() and keys.read_text().endswith('\n' + old)
    assert keys.stat().st_uid == owner and keys.stat().st_mode & 0o777 == 0o600


def test_hosts_one_by_one_take_a_new_key_and_open_what_any_of_them_seals(conf, keys, tmp_path):
    other = tmp_path / 'other'
    other.write_bytes(keys.read_bytes())
    other.chmod(0o600)
    here = Keyring(conf)
    conf.set_override('key_file', str(other), 'secrets')
    there = Keyring(conf)

    def seals_with():
        ids = []
        for sealing in (here, there):
            sealed = sealing.seal('text', ROW)
            assert here.open(sealed, ROW) == there.open(sealed, ROW) == 'text'
            ids.append(sealed.split('.')[1])
        return ids

    (old,) = set(seals_with())
    added = program(conf, 'magnum-lite-manage', 'secret', 'add')
    new = added.stdout.split()[-1]
    assert added.returncode == 0 and new != old and seals_with() == [old, old]
    copy = tmp_path / 'copy'
    copy.write_bytes(keys.read_bytes())
    copy.chmod(0o600)
    copy.rename(other)
    assert seals_with() == [old, old]
    keyfile.move_first(str(other), new)
    assert seals_with() == [old, new]
    program(conf, 'magnum-lite-manage', 'secret', 'use', new)
    program(conf, 'magnum-lite-manage', 'secret', 'use', new)  # again: no change
    assert seals_with() == [new, new] and len(keys.read_text().split()) == 2


def test_a_key_that_the_file_does_not_have_cannot_be_used(conf, keys):
    before = keys.read_bytes()
    ended = program(conf, 'magnum-lite-manage', 'secret', 'use', '0123abcd')
    assert ended.returncode == 1 and 'has no key 0123abcd' in ended.stderr
    assert keys.read_bytes() == before


@pytest.mark.parametrize('mode', [0o640, 0o604, 0o620])
def test_a_key_file_that_others_may_use_is_refused(keys, mode):
    keys.chmod(mode)
    with pytest.raises(keyfile.BadKeyFile, match='chmod 0600'):
        keyfile.read(str(keys))


def test_programs_do_not_start_with_keys_that_others_may_use(conf, keys):
    keys.chmod(0o640)
    ended = program(conf, 'magnum-lite-conductor')
    assert ended.returncode == 1 and 'chmod 0600' in ended.stderr
    assert 'chmod 0600' in program(conf, 'magnum-lite-manage', 'secret', 'key').stderr


@pytest.mark.parametrize('text, reason', [('', 'is empty'), ('x\n', 'no key in line 1')])
def test_a_broken_key_file_is_refused_and_stays(keys, text, reason):
    keys.write_text(text)
    with pytest.raises(keyfile.BadKeyFile, match=reason):
        keyfile.put_first(str(keys), new_key())
    assert keys.read_text() == text


def test_a_running_process_takes_new_keys(conf, keys):
    old, running = Keyring(conf), Keyring(conf)
    sealed = running.seal('text', ROW)
    keyfile.put_first(str(keys), new_key())
    fresh = Keyring(conf).seal('text', ROW)
    assert running.open(fresh, ROW) == running.open(sealed, ROW) == 'text'
    keys.write_text(keys.read_text().splitlines()[0])
    with pytest.raises(Unreadable):
        running.open(sealed, ROW)
    assert old.open(fresh, ROW) == 'text'


def test_a_running_process_keeps_its_keys_while_the_file_is_away(conf, keys):
    running = Keyring(conf)
    sealed = running.seal('text', ROW)
    keys.rename(keys.with_name('away'))
    assert running.open(sealed, ROW) == 'text'


def test_tenants_are_not_told_where_the_keys_are(conf, keys):
    keys.unlink()
    with pytest.raises(Unreadable) as caught:
        Keyring(conf).seal('text', ROW)
    assert str(keys) not in str(caught.value) and 'key_file' not in str(caught.value)
