"""MariaDB and RabbitMQ, which the other services share."""

import contextlib
import os
import pathlib
import shutil
import socket
import time

from magnum_lite_dev.openstack.site import START_WITHIN_S, ServiceDidNotStart

# Nobody looks at what a power loss would leave.
MARIADB = """\
[mariadbd]
datadir = {state}/mariadb
socket = {state}/mariadb.sock
port = {mariadb_port}
bind-address = 127.0.0.1
skip-name-resolve
max_connections = 1000
innodb_flush_log_at_trx_commit = 0
innodb_doublewrite = 0
innodb_buffer_pool_size = 256M
log-error = {state}/mariadb.log
pid-file = {state}/mariadb.pid
"""
ENABLED = '[].\n'
# The one in sbin becomes a user of its own, who may not write here.
RABBITMQ = pathlib.Path('/usr/lib/rabbitmq/bin/rabbitmq-server')
PROGRAMS = ('mariadbd', 'mariadb-install-db', 'mariadb', 'rabbitmq-server', 'epmd', 'setpriv')


def missing() -> list[str]:
    """Which programs this machine lacks."""
    path = f'{os.environ["PATH"]}:/usr/sbin'
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


def start_database(site, *names) -> None:
    """Start a MariaDB with these databases, all of a user ``cloud`` without a password.

    :raises ServiceDidNotStart: it does not answer.
    """
    site.port('mariadb')
    # It refuses root who does not say so, and others cannot become it.
    user = () if os.geteuid() else ('--user=root',)
    conf = site.write('mariadb.cnf', MARIADB)
    site.run(
        'mariadb-install-db',
        f'--defaults-file={conf}',
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        *user,
    )
    site.spawn('mariadb', site.program('mariadbd'), f'--defaults-file={conf}', *user)
    _wait_port(site, 'mariadb')
    statements = [f'CREATE DATABASE {name} CHARACTER SET utf8mb3' for name in names]
    statements += ["CREATE USER cloud@'127.0.0.1'", "GRANT ALL ON *.* TO cloud@'127.0.0.1'"]
    site.run(
        'mariadb',
        f'--defaults-file={conf}',
        '-S',
        site.state / 'mariadb.sock',
        '-uroot',
        '-e',
        ';'.join(statements),
    )


def start_broker(site) -> None:
    """Start a RabbitMQ, whose user ``guest`` may do everything; :func:`wait_broker` follows."""
    ports = {name: site.port(name) for name in ('rabbitmq', 'rabbitmq_distribution', 'epmd')}
    folder = site.state / 'rabbitmq'
    folder.mkdir()
    enabled = site.write('rabbitmq/enabled_plugins', ENABLED)
    # RabbitMQ would start one that outlives it.
    site.spawn('epmd', site.program('epmd'), '-port', ports['epmd'], '-address', '127.0.0.1')
    site.spawn(
        'rabbitmq',
        RABBITMQ if RABBITMQ.exists() else site.program('rabbitmq-server'),
        HOME=str(folder),
        RABBITMQ_NODENAME=f'cloud-{ports["rabbitmq"]}@localhost',
        RABBITMQ_NODE_IP_ADDRESS='127.0.0.1',
        RABBITMQ_NODE_PORT=str(ports['rabbitmq']),
        RABBITMQ_DIST_PORT=str(ports['rabbitmq_distribution']),
        ERL_EPMD_PORT=str(ports['epmd']),
        RABBITMQ_MNESIA_BASE=str(folder / 'mnesia'),
        RABBITMQ_LOG_BASE=str(folder),
        RABBITMQ_PID_FILE=str(folder / 'pid'),
        RABBITMQ_ENABLED_PLUGINS_FILE=str(enabled),
        RABBITMQ_CONFIG_FILE=str(folder / 'none'),
    )


def wait_broker(site) -> None:
    """Go on when the RabbitMQ takes connections.

    :raises ServiceDidNotStart: it does not in time.
    """
    _wait_port(site, 'rabbitmq')


def _wait_port(site, name) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(('127.0.0.1', site.port(name)), 2).close()
            return
        time.sleep(0.1)
    raise ServiceDidNotStart(f'{name} does not answer:\n{site.log(name)}')
