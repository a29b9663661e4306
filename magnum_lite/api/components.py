"""JSON Schemas (2020-12) of what endpoints take and answer, as the OpenAPI document has them."""

import re
from collections.abc import Mapping
from typing import Any

from oslo_versionedobjects.fields import UnspecifiedDefault

from magnum_lite.api import microversion
from magnum_lite.api.document import Document, Many, Patch, Shape, name
from magnum_lite.objects.attribute import Attribute
from magnum_lite.objects.fields import Uuid

_TEXT = {'type': 'string'}
ERRORS = {
    'type': 'object',
    'required': ['errors'],
    'properties': {
        'errors': {
            'type': 'array',
            'minItems': 1,
            'items': {
                'type': 'object',
                'additionalProperties': False,
                'required': ['code', 'title', 'links'],
                'properties': {
                    'request_id': {**_TEXT, 'description': 'Finds the request in the logs.'},
                    'code': {**_TEXT, 'description': 'client, server or empty.'},
                    'status': {'type': 'integer', 'description': 'As that of the answer.'},
                    'title': {**_TEXT, 'description': 'The first sentence of detail.'},
                    'detail': {**_TEXT, 'description': 'What is wrong and what is accepted.'},
                    'description': {
                        **_TEXT,
                        'description': 'In place of detail where the microversion '
                        'is not supported.',
                    },
                    'min_version': {**_TEXT, 'description': 'The oldest microversion.'},
                    'max_version': {**_TEXT, 'description': 'The newest microversion.'},
                    'links': {'type': 'array', 'items': {'type': 'object'}},
                },
            },
        }
    },
}
# As the identity middleware words it.
UNAUTHORIZED = {
    'type': 'object',
    'required': ['error'],
    'properties': {
        'error': {
            'type': 'object',
            'required': ['code', 'title', 'message'],
            'properties': {'code': {'type': 'integer'}, 'title': _TEXT, 'message': _TEXT},
        }
    },
}


def body(shape: Shape | Patch) -> tuple[str, dict[str, Any]]:
    """Name and schema of a request body."""
    if isinstance(shape, Patch):
        return f'{name(shape.resource)}Patch', _patch(shape)
    attributes = {
        key: attribute for key, attribute in shape.attributes().items() if attribute.exposure.create
    }
    required = [
        key for key, attribute in attributes.items() if attribute.exposure.create == 'required'
    ]
    schema = _closed({key: _taken(attribute) for key, attribute in attributes.items()}, required)
    return (shape.name if isinstance(shape, Document) else f'{name(shape)}Body'), schema


def answer(shape: Shape) -> tuple[str, dict[str, Any]]:
    """Name and schema of a document that is answered."""
    attributes = shape.attributes()
    required = [
        key
        for key, attribute in attributes.items()
        if not attribute.exposure.sometimes and attribute.exposure.since == microversion.OLDEST
    ]
    schema = _closed({key: shown(attribute) for key, attribute in attributes.items()}, required)
    if isinstance(shape, Document) and shape.open:
        del schema['additionalProperties']
    elif not isinstance(shape, Document):
        schema['description'] = prose(shape.__doc__)
    return name(shape), schema


def many(found: Many, item: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a list.

    :param item: the schema of one entry.
    """
    key = found.of.collection
    properties = {key: {'type': 'array', 'items': dict(item)}}
    if found.paged:
        properties['next'] = {
            **_TEXT,
            'format': 'uri',
            'description': 'The next page; there while pages are full.',
        }
    return _closed(properties, [key])


def shown(attribute: Attribute) -> dict[str, Any]:
    """The schema of an attribute in an answer, or of an argument of a query."""
    schema = _typed(attribute)
    if attribute.nullable:
        schema = _nullable(schema)
    if attribute.exposure.since != microversion.OLDEST:
        schema['x-min-version'] = attribute.exposure.since
    return schema


def prose(docstring: str | None) -> str:
    """What a docstring says before its fields, in Markdown."""
    text = re.split(r'\n\s*:\w', docstring or '')[0]
    return ' '.join(text.replace('``', '`').split())


def _taken(attribute: Attribute) -> dict[str, Any]:
    exposure = attribute.exposure
    if exposure.create == 'ignored':
        return {'description': 'Taken and ignored.', 'deprecated': True}
    schema = _typed(attribute)
    if isinstance(attribute.kind, Uuid):  # a name may stand in its place
        schema = {
            'type': 'string',
            'minLength': 1,
            'maxLength': 255,
            'description': schema['description'],
        }
    if exposure.create == 'required':
        return schema
    if attribute.default not in (UnspecifiedDefault, None):
        schema['default'] = attribute.default
    return _nullable(schema)


def _typed(attribute: Attribute) -> dict[str, Any]:
    exposure = attribute.exposure
    schema = attribute.kind.json_schema()
    if 'pattern' in schema:  # JSON Schema's dialect spells the end of the text otherwise
        schema['pattern'] = schema['pattern'].replace(r'\Z', '$')
    unit = f' Unit: {exposure.unit}.' if exposure.unit else ''
    return {**schema, 'description': prose(exposure.doc) + unit}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    found = dict(schema)
    if 'type' in found:
        found['type'] = [found['type'], 'null']
    if 'enum' in found:
        found['enum'] = [*found['enum'], None]
    return found


def _closed(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {'type': 'object', 'properties': dict(properties), 'additionalProperties': False}
    if required:
        schema['required'] = required
    return schema


def _patch(patch: Patch) -> dict[str, Any]:
    names = [
        key for key, attribute in patch.resource.attributes().items() if attribute.exposure.update
    ]
    return {
        'type': 'array',
        'description': 'A JSON-Patch document: all of it is done or nothing.',
        'items': {
            'type': 'object',
            'additionalProperties': False,
            'required': ['op', 'path'],
            'properties': {
                'op': {'type': 'string', 'enum': ['add', 'replace', 'remove']},
                'path': {
                    'type': 'string',
                    'pattern': f'^/({"|".join(names)})(/[A-Za-z0-9_-]+)?$',
                    'description': 'The attribute, and the key where it is a map.',
                },
                'value': {
                    'description': 'For add and replace.',
                    'type': ['string', 'integer', 'boolean', 'object', 'array', 'null'],
                },
            },
        },
    }
