"""magnum-lite-status: whether this release can be started on what is there."""

import sys

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from magnum_lite import conf as options
from magnum_lite import startup
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import migrate, store
from magnum_lite.db.engine import AWAY, Database
from magnum_lite.exceptions import Misconfigured, ServiceError
from magnum_lite.objects import Driver
from magnum_lite.secrets import keyfile

PROG = 'magnum-lite-status'
SUCCESS, WARNING, FAILURE = (
    upgradecheck.Code.SUCCESS,
    upgradecheck.Code.WARNING,
    upgradecheck.Code.FAILURE,
)


class Checks(upgradecheck.UpgradeCommands):
    """The checks of ``upgrade check``."""

    def _database(self) -> upgradecheck.Result:
        pending, problem = _pending()
        if problem:
            return upgradecheck.Result(FAILURE, problem)
        if pending:
            return upgradecheck.Result(
                FAILURE,
                f'migrations {", ".join(pending)} have to run: magnum-lite-manage db upgrade',
            )
        return upgradecheck.Result(SUCCESS)

    def _drivers(self) -> upgradecheck.Result:
        try:
            installed = Registry().names()
        except ServiceError as error:
            return upgradecheck.Result(FAILURE, str(error))
        pending, problem = _pending()
        if pending or problem:
            return upgradecheck.Result(WARNING, 'not known before the migrations have run')
        with Database(cfg.CONF).read() as connection:
            missing = {row.plugin_name for row in store.rows(connection, Driver)} - set(installed)
        if missing:
            return upgradecheck.Result(
                WARNING,
                f'clusters may need drivers that are not installed '
                f'here: {", ".join(sorted(missing))}',
            )
        return upgradecheck.Result(SUCCESS)

    def _secrets(self) -> upgradecheck.Result:
        try:
            keyfile.read(cfg.CONF.secrets.key_file)
        except ServiceError as error:
            return upgradecheck.Result(FAILURE, str(error))
        return upgradecheck.Result(SUCCESS)

    def _enrolment(self) -> upgradecheck.Result:
        url = cfg.CONF.enrolment.public_url
        if not url:
            return upgradecheck.Result(
                WARNING,
                '[enrolment] public_url is not set: readers of a '
                'project see the keys and tokens of its clusters '
                'in Heat. Set it to the URL of this API as nodes '
                'reach it, without /v1',
            )
        if not url.startswith('https:'):
            return upgradecheck.Result(
                WARNING, '[enrolment] public_url has no TLS: keys cross the network in clear'
            )
        return upgradecheck.Result(SUCCESS)

    _upgrade_checks = (
        ('Database', _database),
        ('Drivers', _drivers),
        ('Secrets', _secrets),
        ('Enrolment', _enrolment),
    )


def _pending() -> tuple[list[str], str]:
    """The migrations that have to run, and why they are not known."""
    try:
        startup.check_connection(cfg.CONF)
        return list(migrate.pending(cfg.CONF)), ''
    except Misconfigured as error:
        return [], str(error)
    except AWAY as error:
        return [], str(
            startup.refused(cfg.CONF, error)
            or 'the database does not answer: ' + startup.cause(error)
        )


def main() -> int:
    """Run ``upgrade check``; 0 fine, 1 warnings, 2 failures, as oslo.upgradecheck has it."""
    if sys.argv[1:] == ['--version']:
        print(startup.version(PROG))
        return 0
    options.register(cfg.CONF)
    try:
        return upgradecheck.main(cfg.CONF, project='magnum-lite', upgrade_command=Checks())
    except cfg.Error as error:
        print(f'{PROG}: {options.files(cfg.CONF)}: {error}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main())
