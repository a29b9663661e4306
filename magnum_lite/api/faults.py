"""Errors as the envelope of contract 2.0.5. Only what middleware of others refuses has another
shape: a 401 of keystonemiddleware, a 503 of the health check.
"""

import http
import json
import logging
import re
from collections.abc import Mapping
from typing import Any

import webob
import webob.exc
from pecan import hooks

from magnum_lite import exceptions
from magnum_lite.api import microversion
from magnum_lite.db.engine import PASSING

LOG = logging.getLogger(__name__)
# Answers of routing and negotiation: no code, and the reason phrase as their title.
_ROUTING = (
    exceptions.NoRoute,
    exceptions.MethodNotAllowed,
    exceptions.NotAcceptable,
    exceptions.NotUtf8,
)
# What is quoted belongs together; a full stop inside of a word ends nothing. Texts quote what users
# send, however long: so nothing is read again and again, and the first quote that is never closed
# is the last one looked at.
_QUOTED = r'"(?:\\.?|[^"\\])*+'
_SENTENCE = re.compile(rf'(?:{_QUOTED}"|[^"])*?(?=\.(?:\s|\Z)|\Z|{_QUOTED}\Z)', re.DOTALL)
_END = re.compile(r'\.(?:\s|\Z)|\Z')
_HELP = 'https://docs.openstack.org/api-ref/container-infrastructure-management/'


class Faults(hooks.PecanHook):  # type: ignore[misc] # Pecan says no types
    """Turns whatever a request raises into an answer."""

    priority = 200  # its answers get the version headers, so it comes before them

    def on_error(self, state: Any, error: Exception) -> webob.Response:
        """The answer; what is not an error of ours is logged and told as 500 without its text, or
        as 503 if the database is away or others hold its rows."""
        if isinstance(error, webob.exc.HTTPBadRequest):
            error = exceptions.NotUtf8(part='path')  # the one text that Pecan decodes itself
        if isinstance(error, PASSING):
            LOG.error('Request failed: the database does not answer: %s', error)
            error = exceptions.Unavailable(what='The database')
        elif not isinstance(error, exceptions.ServiceError):
            LOG.exception('Request failed', exc_info=error)
            error = exceptions.ServiceError()
        elif isinstance(error, exceptions.Unavailable):  # asked again and again while it lasts
            LOG.error('Request failed: %s: %s', error, error.__cause__ or 'it is busy')
        elif error.status >= 500:
            LOG.error('Request failed: %s', error, exc_info=error)
        return answer(error, state.request.environ)


def answer(error: exceptions.ServiceError, environ: Mapping[str, Any]) -> webob.Response:
    """The answer that tells of an error."""
    item = _item(error, environ.get('openstack.request_id', ''))
    return webob.Response(
        status=error.status,
        content_type='application/json',
        charset='UTF-8',
        body=json.dumps({'errors': [item]}).encode(),
    )


def _item(error: exceptions.ServiceError, request_id: str) -> dict[str, Any]:
    text = str(error)
    if isinstance(error, exceptions.VersionUnsupported):
        return {
            'code': 'magnum.microversion-unsupported',
            'title': 'Requested microversion is unsupported',
            'description': text,
            'min_version': microversion.OLDEST,
            'max_version': microversion.NEWEST,
            'links': [{'rel': 'help', 'href': _HELP}],
        }
    code = 'client' if error.status < 500 else 'server'
    title = _title(text)
    if isinstance(error, _ROUTING):
        code, title = '', http.HTTPStatus(error.status).phrase
        if isinstance(error, exceptions.MediaNotAcceptable):
            title = text = ''
        elif not isinstance(error, exceptions.NotAcceptable | exceptions.MethodNotAllowed):
            text = ''
    return {
        'request_id': request_id,
        'code': code,
        'status': error.status,
        'title': title,
        'detail': text,
        'links': [],
    }


def _title(text: str) -> str:
    """The first sentence."""
    unquoted = _SENTENCE.match(text)
    end = _END.search(text, unquoted.end() if unquoted else 0)
    return text[: end.start()] if end else text  # both are found in every text
