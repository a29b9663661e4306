"""Secrets in the database: bound to their rows, sealed anew with a new key while others write."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from magnum_lite.cmd import secret
from magnum_lite.db.engine import Database
from magnum_lite.db.tables import METADATA, secrets
from magnum_lite.exceptions import KeysNeeded
from magnum_lite.secrets import keyfile, resealing
from magnum_lite.secrets.keyring import Keyring, Unreadable, new_key
from magnum_lite.secrets.sealing import Row
from magnum_lite.secrets.vault import Vault
from tests import fixtures

TOP = Path(__file__).parents[2]


@pytest.fixture
def connection():
    """Where the database is; None for SQLite."""
    return None


@pytest.fixture
def conf(tmp_path, connection):
    """A configuration with an empty database."""
    yield fixtures.make_conf(tmp_path, connection=connection)
    fixtures.forget_conf()


@pytest.fixture
def db(conf):
    """The database."""
    database = Database(conf)
    METADATA.create_all(database.engine)
    yield database
    database.dispose()


def sealed(db, ref):
    """What a row holds."""
    with db.read() as connection:
        return connection.execute(
            sa.select(secrets.c.sealed).where(secrets.c.ref == ref)
        ).scalar_one()


def put(db, ref, text):
    """Write into a row as somebody would who can write into the database."""
    db.write(
        lambda connection: connection.execute(
            secrets.update().where(secrets.c.ref == ref).values(sealed=text)
        )
    )


def read(db, vault, ref):
    """A secret."""
    with db.read() as connection:
        return vault.read(connection, ref)


def test_two_rows_that_were_swapped_do_not_open(conf, db):
    vault = Vault(conf)
    mine = db.write(vault.write, 'a', 'ca.kubernetes.key', 'mine')
    theirs = db.write(vault.write, 'b', 'ca.kubernetes.key', 'theirs')
    was = sealed(db, mine), sealed(db, theirs)
    put(db, mine, was[1])
    put(db, theirs, was[0])
    for ref in (mine, theirs):
        with pytest.raises(Unreadable):
            read(db, vault, ref)
    put(db, mine, was[0])
    assert read(db, vault, mine) == 'mine'


def test_what_release_1_0_can_read_is_written_while_it_runs(conf, db):
    conf.set_override('readable_by', '1.0', 'secrets')
    ref = db.write(Vault(conf).write, 'a', 'name', 'text')
    assert sealed(db, ref).startswith('gAAAA')
    conf.set_override('readable_by', '1.1', 'secrets')
    assert read(db, Vault(conf), ref) == 'text'
    assert sealed(db, db.write(Vault(conf).write, 'a', 'other', 'text')).startswith('2.')


def fill(conf, db, number):
    """References of so many new secrets; the text of each is its name."""
    vault = Vault(conf)
    return {
        db.write(vault.write, 'a', f'{number}-{n}', f'{number}-{n}'): f'{number}-{n}'
        for n in range(number)
    }


def later(conf):
    """Let the key file have been as it is for long."""
    os.utime(conf.secrets.key_file, (1, 1))


def left(conf, db):
    """How many secrets wait for the first key."""
    with db.read() as connection:
        return resealing.remaining(connection, Keyring(conf))


def test_an_interrupted_reseal_goes_on_and_then_the_old_key_may_go(conf, db, monkeypatch, capsys):
    monkeypatch.setattr(resealing, 'BATCH', 10)
    conf.set_override('readable_by', '1.0', 'secrets')
    texts = fill(conf, db, 15)
    conf.set_override('readable_by', '1.1', 'secrets')
    texts |= fill(conf, db, 12)
    keyfile.put_first(conf.secrets.key_file, new_key())
    assert next(resealing.reseal(db, Keyring(conf))).sealed == 10
    assert left(conf, db) == 17
    later(conf)
    with pytest.raises(KeysNeeded, match='17 secrets'):
        secret.retire(conf, None)
    secret.reseal(conf, None)
    assert 'all secrets are sealed with the first key' in capsys.readouterr().out
    secret.retire(conf, None)
    assert len(Path(conf.secrets.key_file).read_text().split()) == 1
    assert {ref: read(db, Vault(conf), ref) for ref in texts} == texts
    secret.status(conf, None)
    assert '(line 1): 27 secrets' in capsys.readouterr().out


KILLED = """
import sys
from magnum_lite import conf as options
from magnum_lite.cmd import secret
from magnum_lite.db.engine import Database
from magnum_lite.secrets import resealing
from magnum_lite.secrets.vault import Vault
from tests import dying
conf = options.load([], config_files=[sys.argv[1]])
resealing.BATCH = 4
for line in dying.deaths(resealing, lambda: secret.reseal(conf, None)):
    database = Database(conf)
    with database.read() as connection:
        texts = Vault(conf).values(connection, 'a')
    database.dispose()
    assert all(name == text for name, text in texts.items()) and len(texts) == 10, (line, texts)
print(line)
"""


def test_a_reseal_that_is_killed_at_any_line_loses_no_secret_and_goes_on(conf, db):
    fill(conf, db, 10)
    keyfile.put_first(conf.secrets.key_file, new_key())
    ended = subprocess.run(
        [sys.executable, '-c', KILLED, *conf.default_config_files],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=TOP,
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout.split()[-1]) > 20
    assert left(conf, db) == 0


def test_a_key_that_was_first_a_moment_ago_stays(conf, db):
    keyfile.put_first(conf.secrets.key_file, new_key())
    with pytest.raises(KeysNeeded, match='Wait'):
        secret.retire(conf, None)


def test_a_reseal_takes_nothing_from_those_who_write_meanwhile(conf, db, monkeypatch):
    texts = fill(conf, db, 40)
    names = {text: text for text in texts.values()}
    keyfile.put_first(conf.secrets.key_file, new_key())
    monkeypatch.setattr(resealing, 'BATCH', 3)
    written = dict(names)

    def replace():
        vault = Vault(conf)
        for turn in range(3):
            for name in names:
                db.write(vault.replace, 'a', name, f'{name} {turn}')
                written[name] = f'{name} {turn}'

    writer = threading.Thread(target=replace)
    writer.start()
    while writer.is_alive():
        list(resealing.reseal(db, Keyring(conf)))
    writer.join()
    list(resealing.reseal(db, Keyring(conf)))
    with db.read() as connection:
        assert Vault(conf).values(connection, 'a') == written
    assert left(conf, db) == 0


def test_what_no_key_opens_is_named_and_left(conf, db, capsys):
    (lost,), kept = fill(conf, db, 1), fill(conf, db, 2)
    put(db, lost, sealed(db, next(iter(kept))))
    keyfile.put_first(conf.secrets.key_file, new_key())
    with pytest.raises(KeysNeeded, match='1 that no key opens'):
        secret.reseal(conf, None)
    assert 'no key opens a/1-0' in capsys.readouterr().out
    assert {ref: read(db, Vault(conf), ref) for ref in kept} == kept


def test_a_secret_that_changes_while_it_is_sealed_anew_keeps_the_change(conf, db, monkeypatch):
    (ref,), keyring = fill(conf, db, 1), Keyring(conf)
    keyfile.put_first(conf.secrets.key_file, new_key())
    with db.read() as connection:
        row = connection.execute(sa.select(secrets)).one()
    theirs = keyring.seal('theirs', Row((row.ref, row.cluster_id, row.name)))
    was_opened = keyring.open

    def open_late(*args):
        text = was_opened(*args)
        put(db, ref, theirs)
        return text

    monkeypatch.setattr(keyring, 'open', open_late)
    assert [progress.sealed for progress in resealing.reseal(db, keyring)] == [0]
    assert read(db, Vault(conf), ref) == 'theirs'
