"""magnum-lite-manage: what operators do by hand."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from oslo_config import cfg

from magnum_lite import startup
from magnum_lite.cmd import secret
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import migrate, purge, services, store
from magnum_lite.db.engine import AWAY, Database
from magnum_lite.exceptions import ServiceError
from magnum_lite.objects import DriverVersion
from magnum_lite.secrets import keyfile

PROG = 'magnum-lite-manage'
NO_DATABASE = (secret.key, secret.add, secret.use)
KEYS_FIRST = (secret.status, secret.reseal, secret.retire)  # before the database is looked at


def main() -> int:
    """Run one command; 0, or 1 with the reason on standard error."""
    arguments = _parser().parse_args()
    try:
        conf = startup.load([], config_files=arguments.config_file or None, prog=PROG)
        try:
            if arguments.command in KEYS_FIRST:
                keyfile.read(conf.secrets.key_file)
            if arguments.command not in NO_DATABASE:
                startup.check_connection(conf)
                if arguments.command not in NO_TABLES:
                    startup.check_tables(conf)
            arguments.command(conf, arguments)
        except AWAY as error:
            raise startup.trouble(conf, error) from error
        except keyfile.BadKeyFile as error:
            raise startup.bad_keys(conf, error) from error
    except (ServiceError, OSError, cfg.Error) as error:
        print(f'{PROG}: {error}', file=sys.stderr)
        return 1
    return 0


def _commands() -> dict[str, Any]:
    """``{noun: (text, {verb: (command, text)})}``."""
    return {
        'db': (
            'the database',
            {
                'upgrade': (_db_upgrade, 'bring the tables to this release'),
                'current': (_db_current, 'show the revision of the tables'),
                'purge': (
                    _db_purge,
                    'drop what ended long ago: operations with their journal, '
                    'versions of clusters, notifications that were sent',
                ),
            },
        ),
        'driver': (
            'the installed drivers',
            {
                'list': (_driver_list, 'show the versions that clusters may use'),
                'sync': (_driver_sync, 'make a new version of each driver whose package changed'),
            },
        ),
        'service': ('the conductors', {'list': (_service_list, 'show which are alive')}),
        'secret': ('the keys that seal secrets', secret.COMMANDS),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROG, description=__doc__)
    parser.add_argument('--version', action='version', version=startup.version(PROG))
    parser.add_argument(
        '--config-file',
        action='append',
        metavar='PATH',
        help='configuration; may be given more than once',
    )
    nouns = parser.add_subparsers(metavar='NOUN', required=True)
    for noun, (text, verbs) in _commands().items():
        verb_parsers = nouns.add_parser(noun, help=text, description=text).add_subparsers(
            metavar='VERB', required=True
        )
        for verb, (command, verb_text) in verbs.items():
            verb_parser = verb_parsers.add_parser(verb, help=verb_text, description=verb_text)
            verb_parser.set_defaults(command=command)
            if command is _db_purge:
                _add_purge_options(verb_parser)
            elif command is secret.use:
                verb_parser.add_argument('id', metavar='ID', help='as secret status shows it')
    return parser


def _add_purge_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--days',
        type=days,
        required=True,
        metavar='N',
        help='how many days of it are kept, 1 or more',
    )
    parser.add_argument('--dry-run', action='store_true', help='only count')


def days(text: str) -> int:
    """A number of days, of an argument.

    :raises ValueError: it is none that a date has.
    """
    number = int(text)
    if not 1 <= number <= 36500:
        raise ValueError(text)
    return number


def _db_upgrade(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    pending = migrate.pending(conf)
    if pending:
        migrate.upgrade(conf)
    print(f'ran {", ".join(pending)}' if pending else 'nothing to do')


def _db_current(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    print(f'{migrate.current(conf) or "none"} (this release: {migrate.head()})')


NO_TABLES = (_db_upgrade, _db_current)


def _db_purge(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    total: Counter[str] = Counter()
    for number, dropped in enumerate(
        purge.old(Database(conf), days=arguments.days, dry=arguments.dry_run), start=1
    ):
        total += dropped
        if number % 50 == 0:
            print(f'so far: {_counts(total)}', file=sys.stderr, flush=True)
    print(f'{"would drop" if arguments.dry_run else "dropped"}: {_counts(total)}')


def _counts(total: Counter[str]) -> str:
    return ', '.join(f'{count} of {table}' for table, count in sorted(total.items())) or 'nothing'


def _driver_list(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    with Database(conf).read() as connection:
        drivers = store.find(connection, DriverVersion)
    _table(
        ('name', 'version', 'coe', 'package', 'lifecycle', 'enabled'),
        [(d.name, d.version, d.coe, d.plugin_version, d.lifecycle, d.enabled) for d in drivers],
    )


def _driver_sync(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    made = Registry().sync(Database(conf))
    for name, version in made:
        print(f'driver {name}: version {version} is new')
    if not made:
        print('nothing to do')


def _service_list(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    with Database(conf).read() as connection:
        rows = services.rows(connection, down_s=conf.api.service_down_s)
    _table(
        ('host', 'binary', 'state', 'seen_at', 'versions'),
        [
            (
                row.host,
                row.binary,
                'up' if row.is_up else 'down',
                row.seen_at,
                ' '.join(f'{name}={version}' for name, version in row.plugins.items()),
            )
            for row in rows
        ],
    )


def _table(titles: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    texts = [titles, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(titles))]
    for row in texts:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print('  '.join(cells).rstrip())
