"""What a simulated API is asked (:class:`Request`) and how it says no (:class:`Refusal`)."""

import dataclasses
import json
import re
import urllib.parse
import uuid
from datetime import UTC, datetime
from typing import Any

# Status, document and, now and then, headers.
Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]

# What Nova speaks with who asks for nothing, and what this one speaks at most.
OLDEST, LATEST = (2, 1), (2, 96)


class Refusal(Exception):
    """A simulated API refuses; ``status`` is the HTTP status, ``message`` the text sent."""

    def __init__(self, status, message) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclasses.dataclass(frozen=True)
class Request:
    """One HTTP request to one simulated service, taken apart.

    ``path`` holds the segments after the service's name, ``base`` the service's own URL;
    ``body`` is the decoded JSON, ``{}`` without one. ``user`` and ``project`` come from the token,
    or from Keystone, which knows it. ``microversion`` is the asked one of Nova, as two numbers.
    """

    method: str
    path: tuple[str, ...]
    query: dict[str, str]
    body: dict
    base: str
    user: str
    project: str
    microversion: tuple[int, int] = OLDEST

    @property
    def is_page_after_the_last(self) -> bool:
        """Whether a client asks for what follows a marker: lists here have one page only."""
        return 'marker' in self.query

    def below(self, count=1) -> 'Request':
        """The same request with ``count`` leading path segments taken off."""
        return dataclasses.replace(self, path=self.path[count:])

    def unknown(self) -> 'Refusal':
        """A 404 that names the path which is not simulated."""
        return Refusal(404, f'not simulated: {self.method} {"/".join(self.path)}')


def from_environ(environ) -> tuple[str, 'Request']:
    """(service name, Request) of a WSGI environment.

    :raises Refusal: 400, the body is not a JSON object.
    """
    service, _, rest = environ['PATH_INFO'].strip('/').partition('/')
    length = int(environ.get('CONTENT_LENGTH') or 0)
    raw = environ['wsgi.input'].read(length) if length else b''
    if environ.get('CONTENT_TYPE') == 'application/octet-stream':
        raw = b''  # what is uploaded
    try:
        body = json.loads(raw) if raw else {}
    except ValueError as error:
        raise Refusal(400, f'the body is not JSON: {error}') from error
    if not isinstance(body, dict):
        raise Refusal(400, 'the body is not a JSON object')
    user, project = identity(environ.get('HTTP_X_AUTH_TOKEN', ''))
    if environ.get('HTTP_X_IDENTITY_STATUS') == 'Confirmed':
        user, project = environ['HTTP_X_USER_ID'], environ.get('HTTP_X_PROJECT_ID', '')
    return service, Request(
        method=environ['REQUEST_METHOD'],
        path=tuple(part for part in rest.split('/') if part),
        query=dict(urllib.parse.parse_qsl(environ.get('QUERY_STRING', ''))),
        body=body,
        base=f'http://{environ["HTTP_HOST"]}/{service}',
        user=user,
        project=project,
        microversion=_microversion(environ),
    )


def _microversion(environ) -> tuple[int, int]:
    asked = (
        environ.get('HTTP_X_OPENSTACK_NOVA_API_VERSION')
        or environ.get('HTTP_OPENSTACK_API_VERSION', '').partition('compute ')[2]
    )
    if asked == 'latest':
        return LATEST
    number = re.fullmatch(r'(\d+)\.(\d+)', asked)
    return (int(number[1]), int(number[2])) if number else OLDEST


def identity(token) -> tuple[str, str]:
    """(user, project) of a development token ``user:project[:role,role]``."""
    user, _, rest = token.partition(':')
    project = rest.partition(':')[0]
    return user or 'sim', project or 'sim'


def new_id() -> str:
    """A fresh UUID as text."""
    return str(uuid.uuid4())


def now() -> str:
    """The time as the OpenStack APIs write it, UTC."""
    return datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')
