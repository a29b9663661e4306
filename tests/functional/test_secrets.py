"""Secrets in the database: bound to their rows, sealed anew with a new key while others write."""

import pytest
import sqlalchemy as sa

from magnum_lite.db.engine import Database
from magnum_lite.db.tables import METADATA, secrets
from magnum_lite.secrets.keyring import Unreadable
from magnum_lite.secrets.vault import Vault
from tests import fixtures


@pytest.fixture
def conf(tmp_path):
    """A configuration with an empty database."""
    yield fixtures.make_conf(tmp_path)
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
            sa.select(secrets.c.sealed).where(secrets.c.ref == ref)).scalar_one()


def put(db, ref, text):
    """Write into a row as somebody would who can write into the database."""
    db.write(lambda connection: connection.execute(
        secrets.update().where(secrets.c.ref == ref).values(sealed=text)))


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
