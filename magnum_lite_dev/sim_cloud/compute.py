"""The compute API: key pairs, flavors and the small collections; servers have their own module."""

import base64
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from magnum_lite_dev.sim_cloud import seed, server_api
from magnum_lite_dev.sim_cloud.request import LATEST, Refusal, Reply, now
from magnum_lite_dev.sim_cloud.store import Row

VERSION = '{}.{}'.format(*LATEST)
# Since then key pairs have a type, and other codes tell that one is made or gone.
TYPED_KEYS = (2, 2)


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
    if request.path and request.path[0] != 'detail':
        return 200, {'flavor': cloud.store.get('flavors', request.path[0])}
    return 200, {'flavors': [] if request.is_page_after_the_last else cloud.store.rows('flavors')}


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
            {'zoneName': 'nova', 'zoneState': {'available': True}, 'hosts': None}
        ]
    }


def _keypairs(cloud, request) -> Reply:
    store = cloud.store
    is_typed = request.microversion >= TYPED_KEYS
    if request.method == 'POST':
        return 201 if is_typed else 200, {'keypair': _new_keypair(store, request)}
    if not request.path:
        return 200, {
            'keypairs': [
                {'keypair': _shown(row)}
                for row in store.rows('os-keypairs')
                if row['_user'] in (request.user, seed.EVERYBODY)
            ]
        }
    name = request.path[0]
    owner = (
        seed.EVERYBODY
        if f'{seed.EVERYBODY}/{name}' in store.tables['os-keypairs']
        else request.query.get('user_id', request.user)
    )
    if request.method == 'DELETE':
        store.drop('os-keypairs', f'{owner}/{name}')
        return 204 if is_typed else 202, None
    return 200, {'keypair': _shown(store.get('os-keypairs', f'{owner}/{name}'))}


def _new_keypair(store, request) -> Row:
    given = request.body['keypair']
    row_id = f'{request.user}/{given["name"]}'
    if row_id in store.tables['os-keypairs']:
        raise Refusal(409, f"Key pair '{given['name']}' already exists.")
    private = None
    public = given.get('public_key')
    if public is None:
        key = ed25519.Ed25519PrivateKey.generate()
        public = (
            key.public_key()
            .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
            .decode()
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        ).decode()
    row = store.put(
        'os-keypairs',
        {
            'id': row_id,
            'name': given['name'],
            'type': given.get('type', 'ssh'),
            'public_key': public,
            'fingerprint': _fingerprint(public),
            '_user': request.user,
        },
    )
    shown = dict(_shown(row), user_id=request.user)
    if request.microversion < TYPED_KEYS:
        del shown['id'], shown['type']
    # As in Nova, the private half is shown once and kept nowhere.
    return dict(shown, private_key=private) if private else shown


def _fingerprint(public_key) -> str:
    fields = public_key.split()
    try:
        blob = base64.b64decode(fields[1], validate=True)
    except (IndexError, ValueError) as error:
        raise Refusal(400, 'Keypair data is invalid: failed to generate fingerprint') from error
    return hashlib.md5(blob, usedforsecurity=False).hexdigest()


def _shown(row) -> Row:
    return dict(row, id=row['name'])


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
    'os-keypairs': _keypairs,
    'os-server-groups': _server_groups,
    'os-availability-zone': _zones,
}
