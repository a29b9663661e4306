"""Cluster: what a tenant asked for, and how far it is."""

from magnum_lite.objects import shape
from magnum_lite.objects.attribute import attr, internal
from magnum_lite.objects.base import LINKS, Registry, Resource, identity, stamps
from magnum_lite.objects.fields import (
    Boolean,
    Enum,
    Integer,
    Json,
    String,
    StringList,
    StringMap,
    Text,
    Uuid,
)
from magnum_lite.objects.statuses import HEALTH, STATUSES

MAX_TIMEOUT = 30 * 24 * 60  # minutes
# Clients write the name into YAML as it is, where these are truths or nothing; in three spellings.
_NO_NAMES = '|'.join(
    f'{word}|{word.title()}|{word.upper()}'
    for word in ('y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null')
)
NAME = rf'^(?!({_NO_NAMES})\Z)[a-zA-Z][a-zA-Z0-9_.\-]*\Z'  # contract 4.1; $ allows a newline
_NAME = (
    'a letter, then letters, digits, "_", "." and "-", and no word of YAML like yes or null, '
    'such as my-cluster.1,'
)


@Registry.register
class Cluster(Resource):
    """A container cluster."""

    # 1.0: first release
    # 1.1: name, labels, create_timeout, docker_volume_size and discovery_url have limits
    VERSION = '1.1'
    collection = 'clusters'

    fields = {
        **identity(create='ignored'),
        'name': attr(
            String(min=1, max=242, pattern=NAME, says=_NAME),
            create='optional',
            blank=True,
            doc='Need not be unique; made up when absent.',
        ),
        'cluster_template_id': attr(
            Uuid(), create='required', doc='The template, uuid or name when given.'
        ),
        **shape.overrides(),
        'labels': attr(
            StringMap(),
            default={},
            create='optional',
            doc="Driver configuration; replaces the template's labels.",
        ),
        'create_timeout': attr(
            Integer(min=0, max=MAX_TIMEOUT),
            nullable=True,
            default=60,
            create='optional',
            unit='minutes',
            doc='How long the creation may take; 0: no limit.',
        ),
        'status': attr(Enum(*STATUSES), create='ignored', doc='How far it is.'),
        'status_reason': attr(Text(), nullable=True, create='ignored', doc='Why it failed.'),
        'health_status': attr(
            Enum(*HEALTH), nullable=True, create='optional', update=True, doc='Health of the COE.'
        ),
        'health_status_reason': attr(
            StringMap(strict=True),
            default={},
            create='optional',
            update=True,
            doc='Finding by component.',
        ),
        'stack_id': attr(String(max=255), nullable=True, doc='Id of the base stack in Heat.'),
        'discovery_url': attr(
            Text(max=4096),
            nullable=True,
            create='optional',
            doc='Kept for clients; discovery needs no service here.',
        ),
        'api_address': attr(String(max=255), nullable=True, doc="URL of the COE's API."),
        'coe_version': attr(String(max=255), nullable=True, doc='Version of the COE.'),
        'container_version': attr(
            String(max=255), nullable=True, doc='Version of the container runtime.'
        ),
        'project_id': attr(String(max=255), doc='The project that owns it.'),
        'user_id': attr(String(max=255), doc='The user who created it.'),
        'version': attr(Integer(), default=1, doc='Counts the changes, from 1.'),
        'version_reason': attr(Text(), nullable=True, doc='Why this version was made.'),
        'driver': attr(String(max=255), doc='Name of the driver.'),
        'driver_version': attr(Integer(), doc='Version of the driver that it is pinned to.'),
        'facts': internal(
            Json({'type': 'object'}),
            default={},
            doc='What was looked up once, so that a plan does not change when a name '
            'does: image (id, name, os_distro). And what the driver says of '
            'certificates to join by: join (authority, organization).',
        ),
        'ca_generation': internal(
            Integer(), default=1, doc='Which generation of its certificate authorities signs.'
        ),
        'ssh_public_key': internal(
            Text(), nullable=True, doc='Public half of the key pair, read while accepting.'
        ),
        'identity': internal(
            Json({'type': 'object'}),
            default={},
            doc='Whose rights its operations use; no secret in clear.',
        ),
        'application_credential': internal(
            Json({'type': 'object'}),
            default={},
            doc='What its nodes reach the cloud with: generation, auth_url, region_name. Id and '
            'secret are in the vault; empty where the driver asks for none.',
        ),
        **stamps(),
    }
    computed = {
        'node_count': attr(
            Integer(min=0),
            default=1,
            create='optional',
            update=True,
            unit='nodes',
            doc='Workers, over all groups.',
        ),
        'master_count': attr(
            Integer(min=1),
            default=1,
            create='optional',
            unit='nodes',
            doc='Control-plane nodes; odd.',
        ),
        'merge_labels': attr(
            Boolean(), create='optional', doc="Whether given labels are laid over the template's."
        ),
        'cluster_id': attr(
            String(max=255),
            nullable=True,
            since='1.13',
            doc='As stack_id: the id of the base stack in Heat.',
        ),
        'node_addresses': attr(StringList(), doc='Addresses of the workers.'),
        'master_addresses': attr(StringList(), doc='Addresses of the control plane.'),
        'faults': attr(
            StringMap(),
            create='ignored',
            sometimes=True,
            doc='Reason by node group that failed; in show, of a failed cluster.',
        ),
        'labels_overridden': attr(StringMap(), doc="The template's values of labels that differ."),
        'labels_added': attr(StringMap(), doc='Labels that the template lacks.'),
        'labels_skipped': attr(StringMap(), doc='Labels that only the template has.'),
        'links': LINKS,
    }


@Registry.register
class ClusterVersion(Resource):
    """A version of a cluster: what it was to be from then on, and why."""

    # 1.0: first release
    VERSION = '1.0'

    fields = {
        'id': internal(Integer(), nullable=True, doc='Row id.'),
        'cluster_id': attr(Uuid(), doc='The cluster.'),
        'version': attr(Integer(), doc='The version that began here.'),
        'reason': attr(Text(), doc='Why it was made.'),
        'operation': attr(Uuid(), doc='The operation that made it.'),
        'snapshot': attr(
            Json({'type': 'object'}),
            doc='The state after the change, as what differs from the version '
            'before: cluster, and groups by uuid. What was made is there as a '
            'whole, of a change the new values, null of what is to go.',
        ),
        'user_id': attr(String(max=255), doc='Who asked.'),
        'request_id': attr(String(max=255), nullable=True, doc='By which request.'),
        'created_at': stamps()['created_at'],
    }
