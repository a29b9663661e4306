"""Certificate: a certificate authority of a cluster; its key is a secret elsewhere."""

from magnum_lite.objects.attribute import internal
from magnum_lite.objects.base import Registry, Resource, identity, stamps
from magnum_lite.objects.fields import DateTime, Integer, String, Text, Uuid


@Registry.register
class Certificate(Resource):
    """A CA: ``purpose`` is ``kubernetes``, ``etcd``, ``front_proxy`` or what a driver names."""

    # 1.0: first release
    # 1.1: cross_pem
    VERSION = '1.1'

    fields = {
        **identity(),
        'cluster_id': internal(Uuid(), doc='Uuid of the cluster.'),
        'purpose': internal(String(max=64), doc='What it signs for.'),
        'generation': internal(
            Integer(),
            default=1,
            doc='Counts the rotations, from 1; which of '
            'them signs, the cluster says; all that exist are trusted.',
        ),
        'pem': internal(Text(), doc='The certificate, PEM.'),
        'cross_pem': internal(
            Text(),
            nullable=True,
            added='1.1',
            doc='The same authority, signed by the generation before, PEM; null where none was.',
        ),
        'key_ref': internal(Uuid(), doc='The secret that holds the private key.'),
        'not_after': internal(DateTime(), doc='When it expires.'),
        'created_at': stamps()['created_at'],
    }
