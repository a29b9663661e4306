"""magnum-lite-manage secret: the keys, and what they seal."""

import argparse
import contextlib
from collections.abc import Iterator

from oslo_config import cfg

from magnum_lite.db.engine import Database
from magnum_lite.exceptions import KeysNeeded
from magnum_lite.secrets import keyfile, resealing
from magnum_lite.secrets.keyring import Keyring, new_key
from magnum_lite.secrets.sealing import Key

RETIRE_AFTER_S = 600  # what was sealed with the key before is in the database by then


def key(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    """Put a new key first."""
    keyfile.put_first(conf.secrets.key_file, new_key())
    print(f'{conf.secrets.key_file} has a new first key; running processes take it by themselves')


def add(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    """Put a new key last, where it opens and does not seal."""
    line = new_key()
    keyfile.put_last(conf.secrets.key_file, line)
    print(
        f'{conf.secrets.key_file} has the new key {Key(line).id} as its last line. Once the file '
        f'of every host has it, run there: magnum-lite-manage secret use {Key(line).id}'
    )


def use(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    """Put a key of the file first."""
    keyfile.move_first(conf.secrets.key_file, arguments.id)
    print(
        f'key {arguments.id} is the first of {conf.secrets.key_file}; running processes take it '
        'by themselves'
    )


def status(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    """Show how many secrets each key seals."""
    keys = _keyring(conf).keys()
    with _database(conf) as database, database.read() as connection:
        counts = resealing.counts(connection)
    for number, found in enumerate(keys, 1):
        print(f'key {found.id} (line {number}): {counts.pop(found.prefix, 0)} secrets')
    if unbound := counts.pop('', 0):
        print(f'sealed as release 1.0 does, by any of the keys: {unbound} secrets')
    for prefix, number in sorted(counts.items()):
        print(f'key {prefix.split(".")[1]}, which the file does not have: {number} secrets')


def reseal(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    """Seal all secrets with the first key.

    :raises KeysNeeded: some are left.
    """
    if conf.secrets.readable_by == '1.0':
        raise KeysNeeded(
            reason='[secrets] readable_by is 1.0, and that release cannot read what is sealed anew'
        )
    keyring = _keyring(conf)
    unreadable: tuple[str, ...] = ()
    with _database(conf) as database:
        for progress in resealing.reseal(database, keyring):
            unreadable = progress.unreadable
            print(f'{progress.sealed} secrets are sealed anew', flush=True)
        with database.read() as connection:
            left = resealing.remaining(connection, keyring)
    for name in unreadable:
        print(f'no key opens {name}')
    if left:
        raise KeysNeeded(
            reason=f'{left} secrets are not sealed with the first key: '
            f'{len(unreadable)} that no key opens, the others written '
            'meanwhile by processes with another first key'
        )
    print('all secrets are sealed with the first key')


def retire(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    """Keep only the first key.

    :raises KeysNeeded: a secret needs another, or may be about to.
    """

    def check() -> None:
        with _database(conf) as database, database.read() as connection:
            left = resealing.remaining(connection, Keyring(conf))
        if left:
            raise KeysNeeded(
                reason=f'{left} secrets are not sealed with the first key. Run: '
                'magnum-lite-manage secret reseal'
            )

    age_s = keyfile.age_s(conf.secrets.key_file)
    if age_s < RETIRE_AFTER_S:
        raise KeysNeeded(
            reason=f'the key file changed {age_s:.0f} s ago, and processes may still '
            f'write what an old key sealed. Wait until {RETIRE_AFTER_S} s '
            'after the change'
        )
    gone = keyfile.keep_first(conf.secrets.key_file, check)
    print(f'{gone} keys are gone from {conf.secrets.key_file}; dumps from before need them')


def _keyring(conf: cfg.ConfigOpts) -> Keyring:
    """The keys of a file that was looked at: what ``Keyring`` says without them is for tenants.

    :raises BadKeyFile: it cannot be used.
    """
    keyfile.read(conf.secrets.key_file)
    return Keyring(conf)


@contextlib.contextmanager
def _database(conf: cfg.ConfigOpts) -> Iterator[Database]:
    database = Database(conf)
    try:
        yield database
    finally:
        database.dispose()


COMMANDS = {
    'key': (key, 'put a new key first into [secrets] key_file; makes the file'),
    'add': (add, 'put a new key last into [secrets] key_file: it opens, and does not seal yet'),
    'use': (use, 'put a key of the file first, so that it seals'),
    'status': (status, 'show how many secrets each key seals'),
    'reseal': (reseal, 'seal all secrets with the first key; may be stopped and run again'),
    'retire': (retire, 'drop all keys but the first, once no secret needs them'),
}
