"""Heat's client before a server whose answers are as a test wants them."""

import contextlib

from magnum_lite.cloud import identity
from magnum_lite.cloud.heat import Heat
from tests.fixtures import forget_conf, make_conf
from tests.rude import rude

WHO = {'mode': 'none', 'user_id': 'ann', 'project_id': 'red', 'roles': ['member']}
STACK = {
    'id': 'i1',
    'stack_name': 's',
    'stack_status': 'CREATE_COMPLETE',
    'stack_status_reason': 'ok',
    'tags': ['cluster:c1'],
    'outputs': [],
    'parameters': {},
}
ARGUMENTS = {'template': '{}', 'files': {}, 'environment': {}, 'parameters': {}, 'timeout_min': 5}
NOTHING = {'error': {'message': None}}


@contextlib.contextmanager
def rude_heat(folder, *actions, scheme='http', timeout_s=20):
    """(Heat's client, the server): what the server does is in ``actions``, as ``rude`` takes them.

    :param folder: where the configuration goes.
    """
    with rude(*actions) as server:
        url = f'{scheme}://127.0.0.1:{server.port}'
        conf = make_conf(
            folder,
            service_auth={'insecure': True},
            catalog={'orchestration': url},
            cloud={'heat_timeout_s': timeout_s},
        )
        yield Heat(conf, identity.session(conf, WHO, timeout_s=timeout_s)), server
    forget_conf()
