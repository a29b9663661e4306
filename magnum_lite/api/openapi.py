"""The OpenAPI 3.1 document of all endpoints, made of what their decorators and objects say."""

import functools
from collections.abc import Iterable
from typing import Any

from magnum_lite.api import components, microversion
from magnum_lite.api.components import prose
from magnum_lite.api.document import NOTHING, Many, Patch, Shape
from magnum_lite.api.endpoint import ENDPOINTS, Endpoint
from magnum_lite.exceptions import (
    Ambiguous,
    BadRequest,
    Forbidden,
    NotAcceptable,
    NotFound,
    ServiceError,
    TooLarge,
    UnsupportedMedia,
)

_JSON = 'application/json'
_ABOUT = """Container clusters on OpenStack, made by Heat. The wire is that of OpenStack Magnum.
The document is that of the newest microversion; `x-min-version` says what needs more than 1.1, and
a request without the header `OpenStack-API-Version` means 1.1. Numbers and booleans may be sent as
text too, and null in a body is the same as absent. A slash at the end of a path changes nothing."""
# Variables of paths that are not a uuid or a name.
_VARIABLES = {
    'operation': 'Uuid of the operation.',
    'project': 'Id of the project.',
    'resource': 'What is limited: Cluster.',
}
_HEADERS = {
    'X-Openstack-Request-Id': 'Finds the request in the logs.',
    microversion.HEADER: 'The version that the answer is of.',
}


def document(base: str) -> dict[str, Any]:
    """The document; not to be changed.

    :param base: the URL of the service, without /v1; '' for wherever the document is from.
    """
    return {**_document(), 'servers': [{'url': base or '/'}]}


@functools.cache
def _document() -> dict[str, Any]:
    known = [found for found in ENDPOINTS if found.answers is not None]
    paths: dict[str, Any] = {}
    for found in known:
        paths.setdefault(found.place, {})[found.method.lower()] = _operation(found)
    return {
        'openapi': '3.1.0',
        'info': {
            'title': 'magnum_lite',
            'version': microversion.NEWEST,
            'description': ' '.join(_ABOUT.split()),
            'x-microversions': [
                {'version': number, 'description': sentence}
                for number, sentence in microversion.VERSIONS
            ],
        },
        'tags': [{'name': name} for name in sorted({_tag(found) for found in known})],
        'paths': paths,
        'components': {
            'schemas': _schemas(known),
            'responses': _responses(known),
            'headers': {
                name: {'description': text, 'schema': {'type': 'string'}}
                for name, text in _HEADERS.items()
            },
            'securitySchemes': {
                'token': {
                    'type': 'apiKey',
                    'in': 'header',
                    'name': 'X-Auth-Token',
                    'description': 'A token of Keystone, of a project.',
                }
            },
        },
    }


def _operation(found: Endpoint) -> dict[str, Any]:
    summary, _, more = (found.handler.__doc__ or '').partition('\n')
    operation = {
        'operationId': f'{_tag(found)}_{found.handler.__name__}',
        'tags': [_tag(found)],
        'summary': prose(summary).rstrip('.'),
        'description': prose(more),
        'security': [{'token': []}] if found.rule else [],
        'parameters': [*_variables(found), *_arguments(found), _version(found)],
        'responses': {str(_status(found)): _success(found), **_errors(found)},
    }
    if found.since > microversion.RANGE[0]:
        operation['x-min-version'] = '.'.join(map(str, found.since))
    if found.rule:
        operation['x-policy'] = found.rule
    if found.takes is not None:
        operation['requestBody'] = _request_body(found, found.takes)
    return {name: value for name, value in operation.items() if value != ''}


def _variables(found: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            'name': name,
            'in': 'path',
            'required': True,
            'schema': {'type': 'string', 'minLength': 1},
            'description': _VARIABLES.get(name, f'Uuid or name of the {name}.'),
        }
        for _, name in found.parts
        if name
    ]


def _arguments(found: Endpoint) -> list[dict[str, Any]]:
    arguments = []
    for name, attribute in found.query.items():
        schema = components.shown(attribute)
        argument = {'name': name, 'in': 'query', 'description': schema.pop('description')}
        if 'x-min-version' in schema:
            argument['x-min-version'] = schema.pop('x-min-version')
        arguments.append({**argument, 'schema': schema})
    return arguments


def _version(found: Endpoint) -> dict[str, Any]:
    oldest = microversion.RANGE[0]
    usable = [
        number for number, _ in microversion.VERSIONS if microversion.number(number) >= found.since
    ]
    return {
        'name': microversion.HEADER,
        'in': 'header',
        'required': found.since > oldest,
        'description': 'The microversion that is wanted.',
        'schema': {
            'type': 'string',
            'enum': [f'{microversion.ALIASES[0]} {word}' for word in ('latest', *usable)],
        },
    }


def _request_body(found: Endpoint, takes: Shape | Patch) -> dict[str, Any]:
    content = {'schema': _ref('schemas', components.body(takes)[0])}
    types = (_JSON, 'application/json-patch+json') if isinstance(takes, Patch) else (_JSON,)
    return {'required': found.needs_body, 'content': dict.fromkeys(types, content)}


def _status(found: Endpoint) -> int:
    return 204 if found.answers is NOTHING else found.status


def _success(found: Endpoint) -> dict[str, Any]:
    answers = found.answers
    response: dict[str, Any] = {
        'description': 'Done.',
        'headers': {name: _ref('headers', name) for name in _HEADERS},
    }
    for name, text in found.headers.items():
        response['headers'][name] = {'description': text, 'schema': {'type': 'string'}}
    if answers is None or answers is NOTHING:
        return response
    if isinstance(answers, Many):
        schema = components.many(answers, _ref('schemas', components.answer(answers.of)[0]))
    else:
        schema = _ref('schemas', components.answer(answers)[0])
    return {**response, 'content': {_JSON: {'schema': schema}}}


def _errors(found: Endpoint) -> dict[str, Any]:
    by_status: dict[int, list[type[ServiceError]]] = {}
    for kind in _kinds(found):
        by_status.setdefault(kind.status, []).append(kind)
    responses = {
        str(status): _ref('responses', kinds[0].__name__) if len(kinds) == 1 else _error(kinds)
        for status, kinds in by_status.items()
    }
    if found.rule:
        responses |= {
            '401': _ref('responses', 'Unauthorized'),
            '503': _ref('responses', 'IdentityUnavailable'),
        }
    return dict(sorted(responses.items()))


def _kinds(found: Endpoint) -> list[type[ServiceError]]:
    """The errors of an endpoint: those of its kind, and those that it declares."""
    kinds: list[type[ServiceError]] = [BadRequest, NotAcceptable]
    if found.rule:
        kinds.append(Forbidden)
    if any(name for _, name in found.parts):
        kinds += [NotFound, Ambiguous]
    if isinstance(found.answers, Many) and found.answers.paged:  # of an unknown marker
        kinds.append(NotFound)
    if found.method != 'GET':
        kinds += [UnsupportedMedia, TooLarge]
    return list(dict.fromkeys([*kinds, *found.errors]))


def _error(kinds: Iterable[type[ServiceError]]) -> dict[str, Any]:
    return {
        'description': ' '.join(prose(kind.__doc__) for kind in kinds),
        'content': {_JSON: {'schema': _ref('schemas', 'Errors')}},
    }


def _responses(known: Iterable[Endpoint]) -> dict[str, Any]:
    kinds = {kind.__name__: kind for found in known for kind in _kinds(found)}
    return {
        **{name: _error([kind]) for name, kind in sorted(kinds.items())},
        'Unauthorized': {
            'description': 'There is no valid token.',
            'content': {_JSON: {'schema': _ref('schemas', 'Unauthorized')}},
        },
        'IdentityUnavailable': {
            'description': 'Keystone does not answer.',
            'content': {_JSON: {'schema': _ref('schemas', 'Errors')}},
        },
    }


def _schemas(known: Iterable[Endpoint]) -> dict[str, Any]:
    found = {'Errors': components.ERRORS, 'Unauthorized': components.UNAUTHORIZED}
    for one in known:
        if one.takes is not None:
            found.update([components.body(one.takes)])
        answers = one.answers.of if isinstance(one.answers, Many) else one.answers
        if answers is not None and answers is not NOTHING:
            found.update([components.answer(answers)])
    return dict(sorted(found.items()))


def _tag(found: Endpoint) -> str:
    """The noun that it belongs to: the last collection of its path."""
    nouns = [constant for constant, _ in found.parts if constant and constant != 'detail']
    if not found.rule:
        return 'discovery'
    return nouns[0] if 'actions' in nouns else nouns[-1]


def _ref(kind: str, name: str) -> dict[str, str]:
    return {'$ref': f'#/components/{kind}/{name}'}
