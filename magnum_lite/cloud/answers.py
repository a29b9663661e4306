"""What each answer of the cloud means, and the sentence that says it: one table for all clients.

``FATAL`` means no, however often it is asked. ``RETRY`` means not now. ``LOOK`` means that the
answer does not say what is there or whether the call was done. ``LOST`` means the same where no
answer came: the call may even take effect later. What no row knows is retried.
"""

import http
import http.client
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
import urllib3
from heatclient import exc as heat_exc
from keystoneauth1 import exceptions as ksa_exc

from magnum_lite.driver_sdk.errors import CloudError, CloudUnavailable, Unanswered

MOST_TEXT = 2000  # characters of the cloud's own words


class Unclear(CloudUnavailable):
    """Look again: the answer does not say what is there, or whether the call was done."""


RETRY, FATAL, LOOK, LOST = CloudUnavailable, CloudError, Unclear, Unanswered

STATUSES = {
    400: FATAL,
    401: FATAL,
    402: FATAL,
    403: FATAL,
    405: FATAL,
    406: FATAL,
    411: FATAL,
    413: FATAL,
    414: FATAL,
    415: FATAL,
    422: FATAL,
    431: FATAL,
    501: FATAL,
    505: FATAL,
    404: LOOK,  # listed a moment ago, or behind a proxy that knows no better
    409: LOOK,  # it exists, or is in the middle of another action
    410: LOOK,
    412: LOOK,
    500: LOOK,  # an error after the call was done, or a timeout between parts of a service
    408: RETRY,
    423: RETRY,
    425: RETRY,
    429: RETRY,
    503: RETRY,
    502: LOST,
    504: LOST,
}  # a proxy gave up: the service may go on

# (exceptions, meaning, what happened); the first row that fits, the most telling first.
EXCEPTIONS: tuple[tuple[tuple[type[Exception], ...], type[CloudError], str], ...] = (
    ((ksa_exc.EndpointNotFound,), FATAL, 'the catalog has no endpoint of {who}'),
    (
        (ksa_exc.AuthPluginException, ksa_exc.MissingAuthMethods),
        FATAL,
        'there are no credentials for {who}',
    ),
    ((ConnectionRefusedError,), RETRY, '{who} refused the connection'),
    ((urllib3.exceptions.NameResolutionError,), RETRY, 'the host of {who} has no address now'),
    # A kind of timeout for urllib3, before anything was sent.
    ((urllib3.exceptions.NewConnectionError,), RETRY, 'there is no connection to {who}'),
    (
        (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError, ksa_exc.ConnectTimeout),
        LOST,
        '{who} did not answer in time',
    ),
    (
        (ssl.SSLError, requests.exceptions.SSLError, ksa_exc.SSLError),
        RETRY,
        'the TLS connection to {who} failed',
    ),
    (
        (
            http.client.HTTPException,
            urllib3.exceptions.ProtocolError,
            ConnectionError,
            requests.exceptions.ChunkedEncodingError,
            ksa_exc.UnknownConnectionError,
        ),
        LOST,
        'the connection to {who} broke off before its answer was complete',
    ),
    (
        (
            requests.exceptions.InvalidJSONError,
            ksa_exc.InvalidResponse,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
        ),
        LOOK,
        'the answer of {who} cannot be read',
    ),
    (
        (ksa_exc.ConnectFailure, heat_exc.CommunicationError, requests.RequestException, OSError),
        RETRY,
        'there is no connection to {who}',
    ),
)

# Heat's 400 where a service behind it was away: the words begin with the class of the error that
# Heat's client of that service raised, or tell its status. Heat has no code for it.
_AWAY_BEHIND_HEAT = re.compile(
    r'\A\w*(?:InternalServerError|ServiceUnavailable|BadGateway|GatewayTimeout|TooManyRequests'
    r'|ConnectFailure|ConnectTimeout|ConnectionError|ConnectionFailed|CommunicationError|ReadTimeout'
    r'|RequestTimeout|SSLError): '
    r'|\(HTTP (?:5\d\d|429)\)\s*\Z'
    r'|\AHttpException: .*\bHttpException: (?:5\d\d|429): '
    r'|is not available for resource type \S+, reason: .*(?:Internal Server Error|Bad Gateway'
    r'|Service Unavailable|Gateway Time-?out|Unable to establish connection|timed out)',
    re.DOTALL,
)

# What a client library lets out.
FROM_CLIENTS = (
    heat_exc.BaseException,
    ksa_exc.ClientException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
)


@contextmanager
def understood(who: str) -> Iterator[None]:
    """Let errors of client libraries out as those of the SDK; also a decorator.

    :param who: the service that is called.
    :raises CloudError: as the table says.
    """
    try:
        yield
    except FROM_CLIENTS as error:
        raise meaning(error, who) from error


def meaning(error: Exception, who: str) -> CloudError:
    """The error of the SDK that stands for one of a client library; its text is a sentence."""
    if isinstance(error, heat_exc.HTTPException):
        words = _words(error)
        found = status(who, error.code, words)
        return RETRY(str(found)) if error.code == 400 and _AWAY_BEHIND_HEAT.search(words) else found
    if isinstance(error, ksa_exc.HttpError):
        # Heat's client raises errors of its own: this one comes from asking for a token.
        return status('Keystone' if who == 'Heat' else who, error.http_status, error.message)
    for kinds, kind, sentence in EXCEPTIONS:
        if isinstance(error, kinds):
            if kind is not FATAL:
                kind, sentence = _cause(error) or (kind, sentence)
            return kind(sentence.format(who=who))
    return RETRY(f'{who} could not be asked ({type(error).__name__})')


def status(who: str, code: Any, text: str | None = None) -> CloudError:
    """The error that a status of HTTP stands for.

    :param text: what the service said, if anything.
    """
    number = code if isinstance(code, int) else 0
    try:
        phrase = f' {http.HTTPStatus(number).phrase}'
    except ValueError:
        phrase = ''
    said = f': {text.strip()[:MOST_TEXT]}' if text and text.strip() else ''
    return STATUSES.get(number, RETRY)(f'{who} answered {code}{phrase}{said}')


def _words(error: heat_exc.HTTPException) -> str:
    """What Heat itself says of an error; '' where a proxy's page or nothing came."""
    document = error.error if isinstance(getattr(error, 'error', None), dict) else {}
    inner = document.get('error')
    text = inner.get('message') if isinstance(inner, dict) else inner
    if isinstance(text, bytes):
        text = text.decode(errors='replace')
    is_page = (
        not isinstance(text, str) or text.lstrip().startswith('<') or text == type(error).__doc__
    )
    return '' if is_page else str(text)


def _cause(error: BaseException) -> tuple[type[CloudError], str] | None:
    """Meaning and sentence of what lies below: libraries wrap a reset in a failed connect."""
    found: BaseException | None = error
    chain = []
    while found is not None and found not in chain:
        chain.append(found)
        found = found.__cause__ or found.__context__
    for kinds, kind, sentence in EXCEPTIONS:
        if kind is not FATAL and any(isinstance(link, kinds) for link in chain):
            return kind, sentence
    return None
