"""The errors of the service, with status and code; what drivers and clouds raise is in the SDK.

Docstrings say when an error happens; ``message`` is what users read. Codes are an append-only
list: clients may match on them. A module that is the only one to raise an error may hold its class.
"""

import json
from typing import Any

from magnum_lite.driver_sdk.quoting import quoted

_SHOWN = 60  # characters of a refused value


class ServiceError(Exception):
    """Base: something that the service itself got wrong."""

    status = 500
    code = 'internal-error'
    message = 'The service failed. The request id finds the reason in its log'

    def __init__(self, message: str | None = None, **values: Any) -> None:
        super().__init__(message or self.message.format(**values))


class BadRequest(ServiceError):
    """The request cannot be understood, or asks for something impossible."""

    status = 400
    code = 'bad-request'
    message = '{reason}'


class Invalid(BadRequest):
    """An attribute has a value that is not accepted."""

    code = 'invalid-attribute'
    message = 'Invalid input for {path}: {reason}'

    def __init__(self, message: str | None = None, **values: Any) -> None:
        if 'value' in values:
            values['reason'] = f'{values["reason"]}, not {_quoted(values["value"])}'
        super().__init__(message, **values)


def _quoted(value: Any) -> str:
    """A value of JSON as a sentence names it; what is long is cut."""
    if isinstance(value, dict | list):
        return 'a list' if isinstance(value, list) else 'an object'
    if isinstance(value, str):
        return (
            quoted(value)
            if '://' in value
            else json.dumps(
                value if len(value) <= _SHOWN else value[:_SHOWN] + '...', ensure_ascii=False
            )
        )
    return json.dumps(value)[:_SHOWN]


class WrongState(BadRequest):
    """The state of the cluster does not allow the change."""

    code = 'wrong-state'
    message = 'Cluster {cluster} is {status}, which does not allow {kind}{operation}'


class Referenced(BadRequest):
    """A template that clusters are made of cannot be changed or deleted."""

    code = 'referenced'
    message = 'Cluster template {template} is referenced by clusters'


class Forbidden(ServiceError):
    """The policy or a limit says no."""

    status = 403
    code = 'forbidden'
    message = 'Policy does not allow {rule}'


class DelegationRefused(Forbidden):
    """The caller's token cannot lend its rights to the service."""

    code = 'delegation-refused'
    message = (
        'A cluster needs a Keystone trust that lends your roles to this service: {reason}; '
        'authenticate with a password, or ask an administrator for [identity] delegation = '
        'service'
    )


class CredentialRefused(DelegationRefused):
    """The caller's token cannot make what nodes authenticate with."""

    message = (
        'The nodes of this cluster need an application credential of yours: {reason}; '
        'authenticate with a password'
    )


class NoRole(DelegationRefused):
    """The service user may do nothing in the project."""

    message = (
        'The service has no role in project {project}; ask an administrator: openstack role '
        'add --user {user} --project {project} member'
    )


class NotEnrolled(Forbidden):
    """Who asks for the secrets of a node could not show to be that node."""

    code = 'not-enrolled'
    message = 'No secrets for this server: {reason}'


class QuotaExceeded(Forbidden):
    """The project has as many as it may have."""

    code = 'quota-exceeded'
    message = (
        'The maximum number of clusters per project is reached: {limit}; '
        'delete one, or ask an administrator for a higher limit'
    )


class NotFound(ServiceError):
    """There is none, or the caller may not see it."""

    status = 404
    code = 'not-found'
    message = '{noun} {ident} could not be found'


class NoRoute(NotFound):
    """No endpoint has that path."""

    code = 'no-route'
    message = 'No endpoint is at {path}'


class MethodNotAllowed(ServiceError):
    """The path has endpoints, but none for that method."""

    status = 405
    code = 'method-not-allowed'
    message = '{method} is not possible here, there is {possible}'


class NotUtf8(BadRequest):
    """The path, the query or the body is not UTF-8."""

    code = 'not-utf-8'
    message = 'The {part} is not UTF-8'


class NotAcceptable(ServiceError):
    """The microversion cannot be understood, or is not that of the endpoint."""

    status = 406
    code = 'not-acceptable'
    message = '{reason}'


class VersionUnsupported(NotAcceptable):
    """A microversion out of range."""

    code = 'microversion-unsupported'
    message = 'Version {version} is not supported: {oldest} to {newest} are'


class MediaNotAcceptable(NotAcceptable):
    """The caller accepts no JSON."""

    code = 'media-not-acceptable'
    message = 'Only application/json can be served'


class Conflict(ServiceError):
    """A name that means several, or something that exists or is missing against the request."""

    status = 409
    code = 'conflict'
    message = '{reason}'


class Ambiguous(Conflict):
    """A name that several objects have."""

    code = 'ambiguous-name'
    message = 'More than one {noun} is named {ident}, use the uuid: {uuids}'


class Hidden(Forbidden):
    """A hidden template makes no clusters, but for administrators."""

    code = 'hidden-template'
    message = 'Cluster template {template} is hidden'


class TooLarge(ServiceError):
    """A body of more bytes than the service takes."""

    status = 413
    code = 'too-large'
    message = 'A body of at most {limit} bytes is expected'


class UnsupportedMedia(ServiceError):
    """A body that is not JSON."""

    status = 415
    code = 'unsupported-media-type'
    message = 'The body has to be application/json, not {given}'


class Unavailable(ServiceError):
    """Something that the request needs does not answer."""

    status = 503
    code = 'unavailable'
    message = '{what} does not answer, try again later'


class NoAddress(ServiceError):
    """Nobody says where nodes reach this API, and their secrets go no other way."""

    code = 'no-address'
    message = (
        'The service does not know at which URL nodes fetch their secrets: an operator has '
        'to enter its public endpoint in the catalog, or set [enrolment] public_url'
    )


class KeysNeeded(ServiceError):
    """A key of secrets cannot go yet. Told to operators, never to users."""

    code = 'keys-needed'
    message = '{reason}'


class Misconfigured(ServiceError):
    """A mistake in the configuration: one line, which names file and option. Told to operators,
    never to users."""

    code = 'misconfigured'
    message = '{reason}'


class LostClaim(ServiceError):
    """Another worker owns the operation now: stop at once. Never seen by users."""

    code = 'lost-claim'
    message = 'operation {operation} belongs to another worker now'
