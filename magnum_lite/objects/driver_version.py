"""DriverVersion: one version of an installed driver with its configuration."""

from magnum_lite.objects.attribute import attr, internal
from magnum_lite.objects.base import LINKS, Registry, Resource, identity, stamps
from magnum_lite.objects.fields import (
    Boolean,
    DateTime,
    Enum,
    Integer,
    Json,
    String,
    StringList,
    Uuid,
)


@Registry.register
class DriverVersion(Resource):
    """A driver as clusters are pinned to it. A change is a new row; a row never changes."""

    # 1.0: first release
    # 1.1: limits
    VERSION = '1.1'
    noun, collection = 'Driver', 'drivers'

    fields = {
        **identity(),
        'name': attr(String(min=1, max=255), doc='With version, unique.'),
        'version': attr(Integer(min=1), default=1, doc='Counts by name, from 1.'),
        'plugin_name': attr(String(min=1, max=255), doc='Entry point of the driver package.'),
        'plugin_version': attr(String(max=255), doc='Version of the driver package.'),
        'public': attr(Boolean(), default=False, doc='Whether every project may use it.'),
        'enabled': attr(Boolean(), default=True, doc='Whether new clusters may use it.'),
        'lifecycle': attr(
            Enum('preview', 'supported', 'deprecated', 'withdrawn'),
            default='supported',
            doc='How long it is to be trusted.',
        ),
        'expires_at': attr(
            DateTime(), nullable=True, unit='UTC', doc='When its lifecycle state ends.'
        ),
        'coe': attr(String(max=255), doc='Container orchestration engine.'),
        'server_types': attr(StringList(), doc='Of vm and bm.'),
        'distros': attr(StringList(), doc='Values of os_distro that it boots.'),
        'capabilities': attr(StringList(), doc='What it can do beyond create and delete.'),
        'limits': attr(
            Json({'type': 'object', 'additionalProperties': {'type': 'integer'}}),
            nullable=True,
            default={},
            added='1.1',
            doc='The most that it can build: max_nodes of a cluster, max_master_count, '
            'max_node_count of a group. Null: not said.',
        ),
        'config': attr(Json({'type': 'object'}), default={}, doc='Its configuration.'),
        'config_schema': internal(Json({'type': 'object'}), doc='JSON Schema of labels.'),
        'deleted_at': internal(DateTime(), nullable=True, doc='When it was deleted.'),
        **stamps(),
    }
    computed = {
        'cluster_count': attr(
            Integer(min=0),
            doc='Clusters of the project that are pinned to it; those of all for an administrator.',
        ),
        'latest_version': attr(
            Uuid(), sometimes=True, doc='Uuid of the newest of that name; in show.'
        ),
        'links': LINKS,
    }
