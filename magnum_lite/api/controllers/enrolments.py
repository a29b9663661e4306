"""Enrolments: a node fetches its secrets, which Heat's readers must not see.

No token: the server shows to be itself, see ``cloud/nodes``. A refusal says nothing about clusters
that are not the caller's.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from magnum_lite.api.document import Document
from magnum_lite.api.endpoint import Request, Service, endpoint
from magnum_lite.cloud import nodes
from magnum_lite.db import enrolments, ledger, store
from magnum_lite.driver_sdk import enrolment
from magnum_lite.exceptions import NotEnrolled, NotFound, Unavailable
from magnum_lite.objects import Certificate, Cluster, NodeGroup
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.fields import Json, String

_UUID = r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z'
_ASK = Document('EnrolmentRequest', {
    'cluster': attr(String(pattern=_UUID, says='a uuid'), create='required',
                    doc='Uuid of the cluster.'),
    'server': attr(String(pattern=_UUID, says='a uuid'), create='required',
                   doc='Id of the server.'),
    'proof': attr(String(min=32, max=128, pattern=r'[0-9a-zA-Z]+\Z', says='letters and digits'),
                  create='required',
                  doc='A random text whose SHA-256 stands on the console of the server.'),
})
_BUNDLE = Document('Enrolment', {
    'secrets': attr(Json({'type': 'object', 'additionalProperties': {'type': 'string'}}),
                    doc='By purpose, as the driver knows them.'),
})


@endpoint('POST', '/enrolments', status=201, takes=_ASK, answers=_BUNDLE,
          errors=(NotEnrolled, Unavailable))
def enrol(request: Request) -> dict[str, Any]:
    """The secrets of a node, for that node."""
    given = request.given()
    if not request.service.conf.enrolment.public_url:
        raise NotEnrolled(reason='nodes do not enrol here')
    return {'secrets': _enrol(request, given['cluster'], given['server'], given['proof'])}


def _enrol(request: Request, cluster_id: str, server: str, proof: str) -> dict[str, str]:
    service = request.service
    fingerprint = hashlib.sha256(proof.encode()).hexdigest()
    with service.db.read() as connection:
        try:
            cluster = store.get(connection, Cluster, cluster_id)
        except NotFound as error:
            raise NotEnrolled(reason='it is not in the stacks of the cluster') from error
        stacks = [entry.name for entry in ledger.open_entries(connection, cluster_id)
                  if entry.kind == ledger.STACK]
        roles = {group.uuid: group.role for group in store.rows(
            connection, NodeGroup, 'uuid', 'role', cluster_id=cluster_id)}
    try:
        with _place(service):
            group = nodes.group_of(service.conf, cluster.identity, stacks, server, fingerprint)
        if group not in roles:
            raise NotEnrolled(reason='it is in no node group of the cluster')
        service.db.write(enrolments.enrol, cluster_id, server, group, fingerprint)
    except NotEnrolled:
        service.db.write(enrolments.refuse, cluster_id, server)
        raise
    with service.db.read() as connection:
        found = _secrets(service.vault, connection, cluster)
    return {name: text for name, text in found.items()
            if roles[group] == 'master' or enrolment.joins(name)}


@contextmanager
def _place(service: Service) -> Iterator[None]:
    """One of the few places of those who make us ask the cloud: anybody may send requests."""
    if not service.enrolling.acquire(blocking=False):
        raise Unavailable(what='the place where nodes enrol')
    try:
        yield
    finally:
        service.enrolling.release()


def _secrets(vault: Any, connection: Any, cluster: Cluster) -> dict[str, str]:
    """``{purpose: text}``: keys of the authorities and what the driver had made at random."""
    found = {f'ca.{row.purpose}.key': vault.read(connection, row.key_ref) for row in store.rows(
        connection, Certificate, cluster_id=cluster.uuid, generation=cluster.ca_generation)}
    return found | {name: text for name, text in vault.values(connection, cluster.uuid).items()
                    if not name.startswith(('ca.', 'application_credential.'))}
