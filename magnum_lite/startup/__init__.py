"""Mistakes of a configuration, told in one line before a process begins to work.

What is only away is none: a database or a broker that does not answer now may do so later, and the
processes wait for it as they do when it goes away while they run.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata

import sqlalchemy as sa
from keystoneauth1 import exceptions as ksa_exc
from keystoneauth1 import loading
from oslo_config import cfg
from oslo_db import exception as db_exc
from oslo_log.log import LogConfigError
from oslo_messaging import opts as messaging_opts

from magnum_lite import conf as options
from magnum_lite.db import migrate
from magnum_lite.db.engine import AWAY, Database
from magnum_lite.exceptions import Misconfigured
from magnum_lite.secrets import keyfile
from magnum_lite.startup import broker, parsed_first
from magnum_lite.startup.mistake import ESCAPED, NO_HOST, line, mistake

LOG = logging.getLogger(__name__)
OPEN = (
    '[enrolment] enabled is false: readers of a project see the keys and tokens of its '
    'clusters in Heat'
)
_CONNECTION = '[database] connection'
_VARIABLE = 'has a $ that names no option: write $$ for a $'
_PASSWORDS = {'pymysql': 'latin-1'}  # what a driver encodes passwords as, by its name
# Whose further options depend on the plugin that they name, and are not there before it is.
_AUTHENTICATING = (options.SERVICE_AUTH, 'keystone_authtoken')
_REFUSED_MYSQL = (1044, 1045, 1049, 1698)  # access denied (three ways), unknown database
# psycopg has no code for what fails before a session is there.
_REFUSED_TEXT = re.compile(
    'password authentication failed|no password supplied|'
    'no pg_hba.conf entry|(database|role) ".*" does not exist|'
    '(Name or service not known|No address associated)|'
    'unable to open database file'
)


def version(prog: str) -> str:
    """What ``--version`` prints."""
    return f'{prog} {metadata.version("magnum-lite")}'


def load(
    argv: Sequence[str],
    *,
    prog: str,
    config_files: Sequence[str] | None = None,
    named_by: str = '--config-file',
) -> cfg.ConfigOpts:
    """As ``conf.load``, and every value is one that its option takes.

    :param named_by: what names the configuration files of this process.
    :raises Misconfigured: they cannot be used.
    """
    try:
        conf = options.load(
            argv,
            config_files=config_files,
            prog=prog,
            version=version(prog),
            check=_check_all_values,
        )
    except cfg.ConfigFilesNotFoundError as error:
        files = ', '.join(error.config_files)
        raise Misconfigured(f'{files}, named by {named_by}, cannot be read') from error
    except cfg.ConfigFileParseError as error:
        raise Misconfigured(line(error)) from error
    except LogConfigError as error:
        raise Misconfigured(_of_the_log('log_config_append', error)) from error
    except (
        cfg.NoSuchOptError,
        cfg.NoSuchGroupError,
        cfg.TemplateSubstitutionError,
        RecursionError,
    ) as error:
        where = parsed_first.wrong(error, argv, config_files)
        raise Misconfigured(f'{where} {_VARIABLE}') from error
    except OSError as error:  # of the log: nothing else is opened yet
        raise Misconfigured(_of_the_log('log_dir, log_file', error)) from error
    except (cfg.Error, ValueError) as error:
        raise Misconfigured(f'{options.files()}: {line(error)}') from error
    if not conf.config_file and not conf.config_dir:
        raise Misconfigured(
            'there is no configuration file: write '
            f'/etc/magnum-lite/magnum-lite.conf, or name one by {named_by}'
        )
    return conf


def _of_the_log(names: str, error: Exception) -> str:
    return f'{options.files()}: [DEFAULT] {names}: {line(error)}'


def check(conf: cfg.ConfigOpts, *, migrates: bool = False, waits: bool = False) -> None:
    """Look at what a server needs: keys, broker, database.

    :param migrates: whether the server brings the tables to this release by itself.
    :param waits: whether it is of no use without a database, and waits for one that is away as
        long as ``[database] max_retries`` says.
    :raises Misconfigured: one of them is a mistake, and not only away.
    """
    try:
        keyfile.read(conf.secrets.key_file)
    except keyfile.BadKeyFile as error:
        raise bad_keys(conf, error) from error
    if not conf.enrolment.enabled:
        LOG.warning(OPEN)
    check_connection(conf)
    broker.check(conf)
    check_tables(conf, migrates=migrates, waits=waits)


def check_tables(conf: cfg.ConfigOpts, *, migrates: bool = False, waits: bool = False) -> None:
    """Look whether the database has the tables of this release, or of a later one.

    :param migrates: as ``check``.
    :param waits: as ``check``.
    :raises Misconfigured: it lacks some, or refuses us.
    """
    missing = _missing_migrations(conf)
    if missing is None and waits:
        missing = _missing_migrations(conf, patient=True)
    if missing and not migrates:
        raise mistake(
            conf,
            _CONNECTION,
            f'is a database that lacks migrations '
            f'{", ".join(missing)}, run: magnum-lite-manage db upgrade',
        )


def bad_keys(conf: cfg.ConfigOpts, error: keyfile.BadKeyFile) -> Misconfigured:
    """The mistake that a key file shows, with the file that names it."""
    return Misconfigured(f'{options.files(conf)}: {error}')


def check_connection(conf: cfg.ConfigOpts) -> None:
    """Look at the URL of the database.

    :raises Misconfigured: it is none.
    """
    if not conf.database.connection:
        raise mistake(conf, _CONNECTION, 'is not set')
    try:
        url = sa.make_url(conf.database.connection)
        url.get_dialect().import_dbapi()
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        raise mistake(conf, _CONNECTION, f'cannot be used: {error}') from error
    except (sa.exc.ArgumentError, ValueError) as error:
        raise mistake(conf, _CONNECTION, f'is no URL of a database: {ESCAPED}') from error
    try:
        (url.password or '').encode(_PASSWORDS.get(url.get_driver_name(), 'utf-8'))
    except UnicodeError as error:
        raise mistake(
            conf,
            _CONNECTION,
            'has a password that PyMySQL cannot send: it may have characters of Latin-1',
        ) from error
    if '@' in (url.host or ''):  # errors would show it, which is the end of a password
        raise mistake(conf, _CONNECTION, f'is no URL of a database: {ESCAPED}')


def refused(conf: cfg.ConfigOpts, error: Exception) -> Misconfigured | None:
    """The mistake that an error of the database shows; None if it may be gone with the next try."""
    found = _cause(error)
    gone = getattr(getattr(found, 'original_exception', None), 'errno', None)
    text = cause(error)
    if (
        found.args[:1]
        and found.args[0] in _REFUSED_MYSQL
        or gone in NO_HOST
        or _REFUSED_TEXT.search(text)
    ):
        return mistake(conf, _CONNECTION, f'is refused: {text}')
    return None


def trouble(conf: cfg.ConfigOpts, error: Exception) -> Misconfigured:
    """What an error of the database shows to who runs a command by hand, in one line."""
    is_away = isinstance(error, db_exc.DBConnectionError)
    return refused(conf, error) or mistake(
        conf, _CONNECTION, f'{"does not answer" if is_away else "gives an error"}: {cause(error)}'
    )


def cause(error: Exception) -> str:
    """What the server of the database said, in one line."""
    found = _cause(error)
    return line(found.args[1] if len(found.args) > 1 else found)


def _missing_migrations(conf: cfg.ConfigOpts, *, patient: bool = False) -> list[str] | None:
    """Those that have to run; None of a database that is away.

    :raises Misconfigured: the database refuses us.
    """
    database = Database(conf, patient=patient)
    try:
        with database.read() as connection:
            return migrate.missing(connection)
    except AWAY as error:
        found = refused(conf, error)
        if found:
            raise found from error
        LOG.warning('The database of %s does not answer yet: %s', _CONNECTION, cause(error))
        return None
    finally:
        database.dispose()


def _check_all_values(conf: cfg.ConfigOpts) -> None:
    """Also of options that are not there before somebody uses them."""
    for group, found in messaging_opts.list_opts():
        conf.register_opts(found, group=group)
    _check_values(conf, conf)  # what follows reads some of them
    for group in _AUTHENTICATING:
        if group in conf:
            loading.register_auth_conf_options(conf, group)  # now that auth_section is known
            section = conf[group].auth_section or group
            with suppress(ksa_exc.NoMatchingPlugin):  # who loads it tells of that
                if conf[section].auth_type:
                    conf.register_opts(
                        loading.get_auth_plugin_conf_options(conf[section].auth_type), group=section
                    )
    _check_values(conf, conf)


def _check_values(
    conf: cfg.ConfigOpts, values: Mapping[str, object], group: str = 'DEFAULT'
) -> None:
    for name in values:
        try:
            value = values[name]
        except (cfg.ConfigSourceValueError, cfg.DefaultValueError) as error:
            reason = line(error).partition(' is not valid: ')[2] or line(error)
            raise mistake(conf, f'[{group}] {name}', f'is not valid: {reason}') from error
        except (cfg.Error, RecursionError) as error:  # their texts show parts of a password
            raise mistake(conf, f'[{group}] {name}', _VARIABLE) from error
        if isinstance(value, cfg.ConfigOpts.GroupAttr):
            _check_values(conf, value, name)


def _cause(error: BaseException) -> BaseException:
    """What the driver of the database raised."""
    while True:
        inner = getattr(error, 'inner_exception', None) or getattr(error, 'orig', None)
        if inner is None:
            return error
        error = inner
