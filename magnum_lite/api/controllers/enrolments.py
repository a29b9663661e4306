"""Enrolments: a node fetches its secrets, which Heat's readers must not see.

No token: the server shows to be itself, see ``cloud/nodes``. A refusal says nothing about clusters
that are not the caller's.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from magnum_lite.api.document import NOTHING, Document
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.api.service import Service
from magnum_lite.certs import joining, signing
from magnum_lite.cloud import nodes
from magnum_lite.db import authorities, enrolments, journal, ledger, store
from magnum_lite.driver_sdk import enrolment
from magnum_lite.exceptions import NotEnrolled, NotFound, Unavailable
from magnum_lite.objects import Cluster, NodeGroup
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
        doc='A random text whose SHA-256 Nova has as the password of the server.',
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
    if not request.service.conf.enrolment.enabled:
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
        if entry.kind == ledger.PART
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
    return _given(service, cluster_id, server, roles[group])


def _given(service: Service, cluster_id: str, server: str, role: str) -> dict[str, str]:
    """What a server is given that has enrolled."""
    with service.db.read() as connection:
        try:  # again: other authorities may sign by now
            cluster = store.get(connection, Cluster, cluster_id)
        except NotFound as error:
            raise NotEnrolled(reason='the cluster is gone') from error
        known = authorities.of(connection, cluster)
        found = _secrets(service.vault, connection, cluster, known)
    if role == 'master':
        return found
    join = cluster.facts.get('join')
    if not join:
        return {name: text for name, text in found.items() if enrolment.joins(name)}
    authority = join['authority']
    certificate, key = joining.make(
        f'node-{server}',
        join['organization'],
        known[authority].signs.pem,
        found[f'ca.{authority}.key'],
        valid_s=service.conf.enrolment.window_s,
    )
    service.db.write(
        journal.note_cluster,
        cluster_id,
        f'server {server} had the {authority} authority sign {signing.described(certificate)}',
    )
    return {
        enrolment.JOIN_CERTIFICATE: certificate.public_bytes(Encoding.PEM).decode(),
        enrolment.JOIN_KEY: key,
        f'ca.{authority}.trusted': known[authority].trusted,
    }


def _secrets(
    vault: Any, connection: Any, cluster: Cluster, known: Mapping[str, authorities.Authority]
) -> dict[str, str]:
    """``{purpose: text}``: the authorities, keys too, and what the driver had made at random."""
    found: dict[str, str] = {}
    for purpose, authority in known.items():
        found |= {
            f'ca.{purpose}.key': vault.read(connection, authority.signs.key_ref),
            f'ca.{purpose}.cert': authority.signs.pem,
            f'ca.{purpose}.trusted': authority.trusted,
            f'ca.{purpose}.cross': authority.cross,
        }
    return found | {
        name: text
        for name, text in vault.values(connection, cluster.uuid).items()
        if not name.startswith(('ca.', 'application_credential.'))
    }
