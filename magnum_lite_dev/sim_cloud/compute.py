"""The compute API: flavors and the small collections; servers have a module of their own."""

from magnum_lite_dev.sim_cloud import key_pairs, quotas, seed, server_api
from magnum_lite_dev.sim_cloud.request import LATEST, Reply, new_id, now
from magnum_lite_dev.sim_cloud.store import Row

VERSION = '{}.{}'.format(*LATEST)


def handle(cloud, request) -> Reply:
    """(status, reply) of the compute API.

    :raises Refusal: what Nova would refuse.
    """
    if len(request.path) < 2:
        version = {
            'id': 'v2.1',
            'status': 'CURRENT',
            'version': VERSION,
            'min_version': '2.1',
            'updated': now(),
            'links': [{'rel': 'self', 'href': f'{request.base}/v2.1/'}],
        }
        if request.path:
            return 200, {'version': version}
        return 300, {'versions': [version]}
    request = request.below()
    answer = _ANSWERS.get(request.path[0])
    if answer is None:
        raise request.unknown()
    return answer(cloud, request.below())


def _flavors(cloud, request) -> Reply:
    if request.path[1:] == ('os-extra_specs',):
        return 200, {'extra_specs': {}}
    if request.method == 'POST':
        return 200, {'flavor': _new_flavor(cloud.store, request)}
    if request.method == 'DELETE':
        cloud.store.drop('flavors', request.path[0])
        return 202, None
    if request.path and request.path[0] != 'detail':
        return 200, {'flavor': cloud.store.get('flavors', request.path[0])}
    return 200, {'flavors': [] if request.is_page_after_the_last else cloud.store.rows('flavors')}


def _new_flavor(store, request) -> Row:
    sizes = {name: request.body['flavor'][name] for name in ('name', 'vcpus', 'ram', 'disk')}
    return seed.put_flavor(store, new_id(), **sizes)


def _quotas(cloud, request) -> Reply:
    return quotas.handle(cloud.store, request, 'compute')


def _limits(cloud, request) -> Reply:
    return 200, {
        'limits': {
            'rate': [],
            'absolute': {
                'maxTotalInstances': -1,
                'maxPersonality': 5,
                'maxServerMeta': 128,
                'maxPersonalitySize': 10240,
                'maxTotalCores': -1,
                'maxTotalRAMSize': -1,
            },
        }
    }


def _zones(cloud, request) -> Reply:
    return 200, {
        'availabilityZoneInfo': [
            {'zoneName': name, 'zoneState': {'available': True}, 'hosts': None}
            for name in seed.ZONES
        ]
    }


def _server_groups(cloud, request) -> Reply:
    store = cloud.store
    if request.method == 'POST':
        return 200, {
            'server_group': store.put(
                'os-server-groups', {**request.body['server_group'], 'members': [], 'metadata': {}}
            )
        }
    if not request.path:
        return 200, {'server_groups': store.rows('os-server-groups')}
    if request.method == 'DELETE':
        store.drop('os-server-groups', request.path[0])
        return 204, None
    return 200, {'server_group': store.get('os-server-groups', request.path[0])}


_ANSWERS = {
    'servers': server_api.handle,
    'flavors': _flavors,
    'limits': _limits,
    'os-keypairs': key_pairs.handle,
    'os-quota-sets': _quotas,
    'os-server-groups': _server_groups,
    'os-availability-zone': _zones,
}
