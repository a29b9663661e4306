"""Quota: how many of a resource a project may have."""

from magnum_lite.objects.attribute import attr
from magnum_lite.objects.base import Registry, Resource
from magnum_lite.objects.fields import DateTime, Integer, String

_UNSET = 'Absent where no quota was set.'


@Registry.register
class Quota(Resource):
    """A limit that an administrator set; without one the configured default holds."""

    # 1.0: first release
    VERSION = '1.0'
    collection = 'quotas'

    fields = {
        'id': attr(
            Integer(), nullable=True, create='ignored', sometimes=True, doc=f'Row id. {_UNSET}'
        ),
        'project_id': attr(String(min=1, max=255), create='required', doc='The project.'),
        'resource': attr(
            String(min=1, max=255), default='Cluster', create='optional', doc='Only Cluster.'
        ),
        'hard_limit': attr(
            Integer(min=0),
            default=1,
            create='optional',
            update=True,
            doc='The most that the project may have.',
        ),
        'created_at': attr(
            DateTime(), nullable=True, sometimes=True, unit='UTC', doc=f'When it was set. {_UNSET}'
        ),
        'updated_at': attr(
            DateTime(),
            nullable=True,
            sometimes=True,
            unit='UTC',
            doc=f'When it was changed last; null until then. {_UNSET}',
        ),
    }
