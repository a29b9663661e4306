"""Certificates: show the authorities of a cluster, let them sign, replace them."""

import logging
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from magnum_lite.api import changes
from magnum_lite.api.document import ACCEPTED, NOTHING, Document
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.api.links import links
from magnum_lite.certs import signing
from magnum_lite.db import authorities, journal, store
from magnum_lite.exceptions import BadRequest, Conflict, Invalid, NotFound
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup, deadline, kinds
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.base import LINKS
from magnum_lite.objects.change import Change, Values
from magnum_lite.objects.fields import Integer, Text, Uuid
from magnum_lite.objects.statuses import STATUSES

LOG = logging.getLogger(__name__)
_PURPOSES = {'etcd': 'etcd', 'front_proxy': 'front_proxy', 'front-proxy': 'front_proxy'}
_DEFAULT = ''  # the first that the driver asks for; any other text means it too
# A status of a later release may be one in which the authorities are still to be made.
_ALL_MADE = [status for status in STATUSES if status != 'CREATE_IN_PROGRESS']
_KIND = attr(
    Text(),
    create='optional',
    doc='Which authority: etcd, front_proxy, or any other text for that of the API.',
)
_SIGN = Document(
    'CertificateRequest',
    {
        'cluster_uuid': attr(
            Text(), create='required', blank=True, doc='Uuid or name of the cluster.'
        ),
        'csr': attr(Text(), create='required', blank=True, doc='The request to sign, PEM.'),
        'ca_cert_type': _KIND,
        'days': attr(
            Integer(min=1),
            create='optional',
            unit='days',
            doc='How long it is valid; at most ``[certificates] max_days``, which is the '
            'default. Never beyond its authority.',
        ),
        'pem': attr(Text(), create='ignored', doc='Kept for clients.'),
    },
)
_ANSWER = {
    'cluster_uuid': attr(Uuid(), doc='The cluster.'),
    'pem': attr(Text(), doc='The certificate, PEM.'),
    'links': LINKS,
}
_AUTHORITY = Document(
    'CertificateAuthority',
    {
        **_ANSWER,
        'pem': attr(
            Text(),
            doc='Its certificate, PEM. While it is replaced, those of the old and of the new one, '
            'that which signs first: trust both.',
        ),
    },
)
_SIGNED = Document(
    'SignedCertificate',
    {
        **_ANSWER,
        'csr': attr(Text(), doc='As it was sent.'),
        'ca_cert_type': attr(Text(), sometimes=True, doc='As it was sent, if it was.'),
    },
)


@endpoint(
    'GET',
    '/certificates/{cluster}',
    rule='certificate:get',
    everywhere='context_is_admin',
    query={'ca_cert_type': _KIND},
    answers=_AUTHORITY,
)
def show(request: Request, cluster: str) -> dict[str, Any]:
    """The certificate of an authority, or all that servers of the cluster may be known by."""
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        request.authorize(found)
        authority = _authority(connection, found, request.query.get('ca_cert_type', _DEFAULT))
    return _document(request, found, authority.shown)


@endpoint(
    'POST',
    '/certificates',
    rule='certificate:create',
    status=201,
    takes=_SIGN,
    answers=_SIGNED,
    everywhere='context_is_admin',
    errors=(Conflict,),
)
def sign(request: Request) -> dict[str, Any]:
    """A certificate for a request; the cluster's journal tells of it."""
    given = request.given()
    longest = request.service.conf.certificates.max_days
    days = given.get('days', longest)
    if days > longest:
        raise Invalid(
            path='days', value=days, reason=f'certificates are valid for at most {longest} days'
        )
    with request.service.db.read() as connection:
        try:
            found = store.get(connection, Cluster, given['cluster_uuid'], request.scope)
        except NotFound as error:
            raise BadRequest(reason=str(error)) from error
        request.authorize(found)
        authority = _authority(connection, found, given.get('ca_cert_type', _DEFAULT)).signs
        key = request.service.vault.read(connection, authority.key_ref)
    certificate = signing.sign(given['csr'], authority.pem, key, days=days)
    context = request.context
    text = (
        f'user {context.user_id} of project {context.project_id} had the {authority.purpose} '
        f'authority sign {signing.described(certificate)} (request {context.request_id})'
    )
    request.service.db.write(journal.note_cluster, found.uuid, text)
    LOG.info('Cluster %s: %s', found.uuid, text)
    kept = {name: given[name] for name in ('csr', 'ca_cert_type') if name in given}
    pem = certificate.public_bytes(Encoding.PEM).decode()
    return _document(request, found, pem) | kept


@endpoint(
    'PATCH',
    '/certificates/{cluster}',
    rule='certificate:rotate_ca',
    status=202,
    takes=NOTHING,
    answers=ACCEPTED,
    everywhere='context_is_admin',
)
def rotate(request: Request, cluster: str) -> dict[str, Any]:
    """Replace the authorities of a cluster; certificates that they signed become invalid at the
    end, when nothing in it is trusted but the new ones."""
    request.given()
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        request.authorize(found)
        template = store.get(connection, ClusterTemplate, found.cluster_template_id)
        groups = store.find(connection, NodeGroup, cluster_id=found.uuid)
        if template.tls_disabled:
            raise BadRequest(reason=f'Cluster {found.uuid} has TLS disabled and no authorities')
        changes.driver_that_can(connection, found, 'rotate_ca')
    change = Change(
        'rotate_ca', found.version, at_end=Values({'ca_generation': found.ca_generation + 1})
    )
    changes.make(
        request,
        found,
        change,
        'rotate the certificate authorities',
        timeout_min=deadline.of_groups(groups) * len(kinds.TABLE[change.kind].stages),
    )
    return {'uuid': found.uuid}


def _authority(connection: Any, cluster: Cluster, kind: str) -> authorities.Authority:
    """The authority that a client means by ``ca_cert_type``.

    :raises Conflict: the conductor has not made it yet, or it is of no use yet.
    :raises BadRequest: it does not make one, since the driver asks for none.
    """
    found = authorities.of(connection, cluster)
    purpose = _PURPOSES.get(kind) or next(iter(found), 'first')
    if found and cluster.status == 'CREATE_IN_PROGRESS' and not cluster.api_address:
        # Clients take what they get, and write a configuration without a server.
        raise Conflict(
            reason=f'Cluster {cluster.uuid} is being created and its API has no address '
            'yet: ask again once it has an api_address'
        )
    if purpose in found:
        return found[purpose]
    if found:  # all of a cluster are made in one transaction
        raise BadRequest(
            reason=f'Cluster {cluster.uuid} has no {purpose} certificate authority, '
            f'it has {", ".join(sorted(found))}'
        )
    if cluster.status in _ALL_MADE:
        raise BadRequest(
            reason=f'Cluster {cluster.uuid} is {cluster.status} and has no '
            'certificate authorities: none were made for driver '
            f'{cluster.driver}'
        )
    raise Conflict(
        reason=f'The {purpose} certificate authority of cluster {cluster.uuid} does '
        'not exist yet, it is made at the start of its creation'
    )


def _document(request: Request, cluster: Cluster, pem: str) -> dict[str, Any]:
    return {
        'cluster_uuid': cluster.uuid,
        'pem': pem.rstrip('\n'),
        'links': links(request.base, 'certificates', cluster.uuid),
    }
