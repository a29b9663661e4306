"""magnum-lite-status: whether this release can be started on what is there."""

import sys

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from magnum_lite import startup
from magnum_lite.cloud import address, answers, identity
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import migrate, services, store
from magnum_lite.db.engine import AWAY, Database
from magnum_lite.driver_sdk import CloudError
from magnum_lite.exceptions import Misconfigured, NoAddress, ServiceError
from magnum_lite.objects import DriverVersion
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
            known = {row.plugin_name for row in store.rows(connection, DriverVersion)}
        missing = known - set(installed)
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
        if cfg.CONF.secrets.readable_by != '1.0' and (hosts := _of_release_1_0()):
            return upgradecheck.Result(
                WARNING,
                f'{hosts} cannot read what this release seals: set '
                '[secrets] readable_by = 1.0 until none runs',
            )
        return upgradecheck.Result(SUCCESS)

    def _enrolment(self) -> upgradecheck.Result:
        if not cfg.CONF.enrolment.enabled:
            return upgradecheck.Result(WARNING, startup.OPEN)
        if hosts := _of_release_1_0():
            return upgradecheck.Result(
                WARNING,
                f'{hosts} cannot go on with clusters whose nodes '
                'enrol: set [enrolment] enabled = false until none '
                'runs',
            )
        try:
            with answers.understood('Keystone'):
                session = identity.service_session(
                    cfg.CONF, timeout_s=cfg.CONF.cloud.lookup_timeout_s
                )
            url = address.of_api(cfg.CONF, session)
        except NoAddress as error:
            return upgradecheck.Result(FAILURE, str(error))
        except CloudError as error:
            return upgradecheck.Result(
                WARNING,
                f'where nodes reach this API is not known while the catalog is not: {error}',
            )
        if not url.startswith('https:'):
            return upgradecheck.Result(
                WARNING,
                f'nodes fetch their keys at {url}, which has no '
                'TLS: keys cross the network in clear',
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
        return [], str(startup.trouble(cfg.CONF, error))


def _of_release_1_0() -> str:
    """The conductors of release 1.0 that live, in words; '' without any, or if nobody can say."""
    if any(_pending()):
        return ''
    seen_s = cfg.CONF.api.service_down_s
    with Database(cfg.CONF).read() as connection:
        hosts = services.of_release_1_0(connection, down_s=seen_s)
    return (
        f'conductors of release 1.0, seen in the last {seen_s} s on {", ".join(hosts)},'
        if hosts
        else ''
    )


def main() -> int:
    """Run ``upgrade check``; 0 fine, 1 warnings, 2 failures, as oslo.upgradecheck has it."""
    upgradecheck.register_cli_options(cfg.CONF, Checks())
    try:
        return upgradecheck.run(startup.load(sys.argv[1:], prog=PROG))
    except Misconfigured as error:
        print(f'{PROG}: {error}', file=sys.stderr)
        return FAILURE


if __name__ == '__main__':
    sys.exit(main())
