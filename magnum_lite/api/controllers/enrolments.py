"""Enrolments: a node fetches its secrets, which Heat's readers must not see.

No token: the server shows to be itself, see ``cloud/nodes``. A refusal says nothing about clusters
that are not the caller's.
"""

import hashlib
from typing import Any

from magnum_lite.api.document import NOTHING, Document
from magnum_lite.api.endpoint import Request, Service, endpoint
from magnum_lite.cloud import nodes
from magnum_lite.db import enrolments, ledger, store
from magnum_lite.driver_sdk import enrolment
from magnum_lite.exceptions import NotEnrolled, NotFound, Unavailable
from magnum_lite.objects import Certificate, Cluster, NodeGroup
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.fields import Enum, Json, String

_UUID = r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z'
_WHO = {
    'cluster': attr(
        String(pattern=_UUID, says='a uuid'), create='required', doc='Uuid of the cluster.'
    ),
    'server': attr(
        String(pattern=_UUID, says='a uuid'), create='required', doc='Id of the server.'
    ),
    'proof': attr(
        String(min=32, max=128, pattern=r'[0-9a-zA-Z]+\Z', says='letters and digits'),
        create='required',
        doc='A random text whose SHA-256 stands on the console of the server.',
    ),
}
_ASK = Document('EnrolmentRequest', _WHO)
_REPORT = Document(
    'NodeReport',
    {
        **_WHO,
        'status': attr(Enum('SUCCESS', 'FAILURE'), create='required', doc='How its boot ended.'),
        'reason': attr(String(max=2000), default='', create='optional', doc='What happened.'),
        'data': attr(String(max=255), default='', create='optional', doc='What the driver reads.'),
    },
)
_BUNDLE = Document(
    'Enrolment',
    {
        'secrets': attr(
            Json({'type': 'object', 'additionalProperties': {'type': 'string'}}),
            doc='By purpose, as the driver knows them.',
        ),
    },
)


@endpoint(
    'POST',
    '/enrolments',
    status=201,
    takes=_ASK,
    answers=_BUNDLE,
    errors=(NotEnrolled, Unavailable),
)
def enrol(request: Request) -> dict[str, Any]:
    """The secrets of a node, for that node."""
    given = request.given()
    if not request.service.conf.enrolment.public_url:
        raise NotEnrolled(reason='nodes do not enrol here')
    return {
        'secrets': _enrol(request.service, given['cluster'], given['server'], _fingerprint(given))
    }


@endpoint(
    'POST', '/enrolments/reports', takes=_REPORT, answers=NOTHING, errors=(NotEnrolled, Unavailable)
)
def report(request: Request) -> None:
    """Say how the boot of a node ended, with the proof by which it enrolled."""
    service, given = request.service, request.given()
    cluster_id, server = given['cluster'], given['server']
    with service.db.read() as connection:
        if not enrolments.knows(connection, cluster_id, server, _fingerprint(given)):
            raise NotEnrolled(reason='it has not enrolled')
        cluster = store.get(connection, Cluster, cluster_id)
        stacks = _stacks(connection, cluster_id)
    with service.enrolling.one(cluster.project_id):
        nodes.report(
            service.conf,
            cluster.identity,
            stacks,
            server,
            {'id': server, **{name: given.get(name, '') for name in ('status', 'reason', 'data')}},
        )


def _fingerprint(given: dict[str, Any]) -> str:
    return hashlib.sha256(given['proof'].encode()).hexdigest()


def _stacks(connection: Any, cluster_id: str) -> list[str]:
    return [
        entry.name
        for entry in ledger.open_entries(connection, cluster_id)
        if entry.kind == ledger.STACK
    ]


def _enrol(service: Service, cluster_id: str, server: str, fingerprint: str) -> dict[str, str]:
    with service.db.read() as connection:
        try:
            cluster = store.get(connection, Cluster, cluster_id)
        except NotFound as error:
            raise NotEnrolled(reason='it is not in the stacks of the cluster') from error
        stacks = _stacks(connection, cluster_id)
        roles = {
            group.uuid: group.role
            for group in store.rows(connection, NodeGroup, 'uuid', 'role', cluster_id=cluster_id)
        }
    try:
        with service.enrolling.one(cluster.project_id):
            group = nodes.group_of(service.conf, cluster.identity, stacks, server, fingerprint)
        if group not in roles:
            raise NotEnrolled(reason='it is in no node group of the cluster')
        service.db.write(enrolments.enrol, cluster_id, server, group, fingerprint)
    except NotEnrolled:
        service.db.write(enrolments.refuse, cluster_id, server)
        raise
    with service.db.read() as connection:
        found = _secrets(service.vault, connection, cluster)
    return {
        name: text
        for name, text in found.items()
        if roles[group] == 'master' or enrolment.joins(name)
    }


def _secrets(vault: Any, connection: Any, cluster: Cluster) -> dict[str, str]:
    """``{purpose: text}``: keys of the authorities and what the driver had made at random."""
    found = {
        f'ca.{row.purpose}.key': vault.read(connection, row.key_ref)
        for row in store.rows(
            connection, Certificate, cluster_id=cluster.uuid, generation=cluster.ca_generation
        )
    }
    return found | {
        name: text
        for name, text in vault.values(connection, cluster.uuid).items()
        if not name.startswith(('ca.', 'application_credential.'))
    }
