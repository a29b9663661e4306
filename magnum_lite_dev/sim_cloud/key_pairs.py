"""The key pairs of users, and the one that everybody has."""

import base64
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from magnum_lite_dev.sim_cloud import seed
from magnum_lite_dev.sim_cloud.request import Refusal, Reply
from magnum_lite_dev.sim_cloud.store import Row

TABLE = 'os-keypairs'
# Since then key pairs have a type, and other codes tell that one is made or gone.
TYPED = (2, 2)


def handle(cloud, request) -> Reply:
    """(status, reply) of ``/os-keypairs…``; the path begins after that word.

    :raises Refusal: 404; 409, the user has one of that name; 400, it is no key.
    """
    store = cloud.store
    is_typed = request.microversion >= TYPED
    if request.method == 'POST':
        return 201 if is_typed else 200, {'keypair': _new_keypair(store, request)}
    if not request.path:
        return 200, {
            'keypairs': [
                {'keypair': _shown(row)}
                for row in store.rows(TABLE)
                if row['_user'] in (request.user, seed.EVERYBODY)
            ]
        }
    name = request.path[0]
    ident = find(store, name, request.query.get('user_id', request.user))
    if request.method == 'DELETE':
        store.drop(TABLE, ident)
        return 204 if is_typed else 202, None
    return 200, {'keypair': _shown(store.get(TABLE, ident))}


def find(store, name, user) -> str:
    """Id of the row of a user's key pair, be there one or not; some belong to everybody."""
    common = f'{seed.EVERYBODY}/{name}'
    return common if common in store.tables[TABLE] else f'{user}/{name}'


def _new_keypair(store, request) -> Row:
    given = request.body['keypair']
    row_id = f'{request.user}/{given["name"]}'
    if row_id in store.tables[TABLE]:
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
        TABLE,
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
    if request.microversion < TYPED:
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
