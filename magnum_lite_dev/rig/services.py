"""The services that tests and benchmarks ask for: where they are, and why one cannot be used."""

import contextlib
import functools
import importlib.util
import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

from magnum_lite_dev.openstack import stores

# marker -> (environment variable that says where, default, port when the URL has none)
SERVICES = {
    'mariadb': ('MAGNUM_LITE_TEST_MARIADB', 'mysql+pymysql://root@127.0.0.1', 3306),
    'postgresql': ('MAGNUM_LITE_TEST_POSTGRESQL', 'postgresql+psycopg://postgres@127.0.0.1', 5432),
    'rabbitmq': ('MAGNUM_LITE_TEST_RABBITMQ', 'rabbit://guest:guest@127.0.0.1', 5672),
    'redis': ('MAGNUM_LITE_TEST_REDIS', 'redis://127.0.0.1', 6379),
}
# What else a test may need by a marker.
NEEDS = (*SERVICES, 'clients', 'cloud', 'keystone', 'root')


def is_ci() -> bool:
    """Whether what is missing is a failure instead of a skip."""
    return os.environ.get('MAGNUM_LITE_CI') == '1' or os.environ.get('CI') == 'true'


@functools.cache
def why_missing(marker: str) -> str | None:
    """Why what one of ``NEEDS`` names cannot be used on this machine; None when it can."""
    if marker == 'root':
        return None if os.geteuid() == 0 else 'not root'
    if marker == 'clients':
        found = os.environ.get('MAGNUM_LITE_TEST_CLIENTS')
        return None if found else 'no clients; tools/clients.py makes them'
    if marker == 'cloud':
        return _why_no_cloud()
    if marker == 'keystone':
        spec = importlib.util.find_spec('keystone')
        return None if spec else 'no Keystone; pip install magnum-lite[identity]'
    variable, default, port = SERVICES[marker]
    url = urlsplit(os.environ.get(variable, default))
    address = (url.hostname or '127.0.0.1', url.port or port)
    try:
        socket.create_connection(address, timeout=2).close()
    except OSError as error:
        return f'{marker} does not answer at {address[0]}:{address[1]} ({error}); set {variable}'
    return None


def _why_no_cloud() -> str | None:
    if 'MAGNUM_LITE_TEST_OPENSTACK' not in os.environ:
        return 'no services of OpenStack; tools/openstack.py makes them'
    programs = stores.missing()
    return f'there is no {", ".join(programs)}' if programs else None


def service_url(marker: str) -> str:
    """URL of the service of a marker, as the environment or the default says."""
    variable, default, _ = SERVICES[marker]
    return os.environ.get(variable, default)


@contextlib.contextmanager
def vhost(server_url) -> Iterator[str]:
    """Transport URL of a RabbitMQ vhost of its own, where this machine may make one."""
    if shutil.which('rabbitmqctl') is None or os.geteuid() != 0:
        yield f'{server_url}/'
        return
    name = f'magnum-lite-{uuid.uuid4().hex[:12]}'
    user = urlsplit(server_url).username
    for command in (['add_vhost', name], ['set_permissions', '-p', name, user, '.*', '.*', '.*']):
        subprocess.run(['rabbitmqctl', '-q', *command], check=True, timeout=60)
    try:
        yield f'{server_url}/{name}'
    finally:
        subprocess.run(['rabbitmqctl', '-q', 'delete_vhost', name], check=True, timeout=60)
