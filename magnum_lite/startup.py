"""Mistakes of a configuration, told in one line before a process begins to work.

What is only away is none: a database or a broker that does not answer now may do so later, and the
processes wait for it as they do when it goes away while they run.
"""

import logging
import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata

import oslo_messaging
import sqlalchemy as sa
from oslo_config import cfg
from oslo_log.log import LogConfigError

from magnum_lite import conf as options
from magnum_lite.db.engine import AWAY, Database
from magnum_lite.exceptions import Misconfigured
from magnum_lite.secrets import keyfile

LOG = logging.getLogger(__name__)
_CONNECTION = '[database] connection'
_BROKER = '[DEFAULT] transport_url'
# Of an address that nobody has; a name server that does not answer says something else.
_NO_HOST = (socket.EAI_NONAME, getattr(socket, 'EAI_NODATA', socket.EAI_NONAME))
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
        conf = options.load(argv, config_files=config_files, prog=prog, version=version(prog))
    except cfg.ConfigFilesNotFoundError as error:
        raise Misconfigured(
            f'{", ".join(error.config_files)}, named by {named_by}, cannot be read'
        ) from error
    except cfg.ConfigFileParseError as error:
        raise Misconfigured(_line(error)) from error
    except LogConfigError as error:
        raise Misconfigured(
            f'{options.files()}: [DEFAULT] log_config_append: {_line(error)}'
        ) from error
    except (cfg.Error, ValueError) as error:
        raise Misconfigured(f'{options.files()}: {_line(error)}') from error
    if not conf.config_file and not conf.config_dir:
        raise Misconfigured(
            'there is no configuration file: write '
            f'/etc/magnum-lite/magnum-lite.conf, or name one by {named_by}'
        )
    _check_values(conf, conf)
    return conf


def check(conf: cfg.ConfigOpts) -> None:
    """Look at what a server needs: keys, database, broker.

    :raises Misconfigured: one of them is a mistake, and not only away.
    """
    try:
        keyfile.read(conf.secrets.key_file)
    except keyfile.BadKeyFile as error:
        raise Misconfigured(f'{options.files(conf)}: {error}') from error
    check_connection(conf)
    database = Database(conf, patient=False)
    try:
        with database.read():
            pass
    except AWAY as error:
        found = refused(conf, error)
        if found:
            raise found from error
        LOG.warning('The database of %s does not answer yet: %s', _CONNECTION, cause(error))
    finally:
        database.dispose()
    _check_broker(conf)


def check_connection(conf: cfg.ConfigOpts) -> None:
    """Look at the URL of the database.

    :raises Misconfigured: it is none.
    """
    if not conf.database.connection:
        raise _mistake(conf, _CONNECTION, 'is not set')
    try:
        sa.make_url(conf.database.connection).get_dialect().import_dbapi()
    except (sa.exc.ArgumentError, ImportError, ValueError) as error:
        # The text of the error may show the whole URL with its password.
        reason = (
            'is no URL of a database'
            if isinstance(error, sa.exc.ArgumentError)
            and not isinstance(error, sa.exc.NoSuchModuleError)
            else f'cannot be used: {error}'
        )
        raise _mistake(conf, _CONNECTION, reason) from error


def refused(conf: cfg.ConfigOpts, error: Exception) -> Misconfigured | None:
    """The mistake that an error of the database shows; None if it may be gone with the next try."""
    found = _cause(error)
    gone = getattr(getattr(found, 'original_exception', None), 'errno', None)
    text = cause(error)
    if (
        found.args[:1]
        and found.args[0] in _REFUSED_MYSQL
        or gone in _NO_HOST
        or _REFUSED_TEXT.search(text)
    ):
        return _mistake(conf, _CONNECTION, f'is refused: {text}')
    return None


def cause(error: Exception) -> str:
    """What the server of the database said, in one line."""
    found = _cause(error)
    return _line(found.args[1] if len(found.args) > 1 else found)


def _check_broker(conf: cfg.ConfigOpts) -> None:
    try:
        transport = oslo_messaging.get_rpc_transport(conf)
        transport.cleanup()
        hosts = oslo_messaging.TransportURL.parse(conf).hosts
    except (oslo_messaging.MessagingException, ValueError) as error:
        raise _mistake(conf, _BROKER, f'cannot be used: {_line(error)}') from error
    unknown, silent = [], []
    for host in hosts:
        if not host.hostname:
            continue
        try:
            socket.create_connection((host.hostname, host.port or 5672), timeout=2).close()
            return
        except socket.gaierror as error:
            (unknown if error.errno in _NO_HOST else silent).append(host.hostname)
        except OSError:
            silent.append(f'{host.hostname}:{host.port or 5672}')
    if unknown and not silent:
        raise _mistake(conf, _BROKER, f'names a host that nobody knows: {", ".join(unknown)}')
    if silent:
        LOG.warning(
            'No broker of %s answers yet (%s): changes begin a little later until one does',
            _BROKER,
            ', '.join(silent),
        )


def _check_values(
    conf: cfg.ConfigOpts, values: Mapping[str, object], group: str = 'DEFAULT'
) -> None:
    for name in values:
        try:
            value = values[name]
        except (cfg.ConfigSourceValueError, cfg.DefaultValueError) as error:
            reason = _line(error).partition(' is not valid: ')[2] or _line(error)
            raise _mistake(conf, f'[{group}] {name}', f'is not valid: {reason}') from error
        if isinstance(value, cfg.ConfigOpts.GroupAttr):
            _check_values(conf, value, name)


def _mistake(conf: cfg.ConfigOpts, option: str, reason: str) -> Misconfigured:
    return Misconfigured(f'{options.files(conf)}: {option} {reason}')


def _cause(error: BaseException) -> BaseException:
    """What the driver of the database raised."""
    while True:
        inner = getattr(error, 'inner_exception', None) or getattr(error, 'orig', None)
        if inner is None:
            return error
        error = inner


def _line(text: object) -> str:
    words: Iterable[str] = str(text).split()
    return ' '.join(words)
