"""The OpenAPI document: every endpoint is described, and it is valid."""

import collections

from openapi_spec_validator import OpenAPIV31SpecValidator

from magnum_lite.api import (
    controllers,  # noqa: F401 - registers the endpoints
    openapi,
)
from magnum_lite.api.endpoint import ENDPOINTS


def undescribed(known):
    """What the OpenAPI document cannot say of an endpoint."""
    if known.takes is None and known.method in ('POST', 'PATCH'):
        yield 'takes='
    if known.answers is None:
        yield 'answers='
    if not known.handler.__doc__:
        yield 'docstring'
    yield from (
        f'query={name}' for name, argument in known.query.items() if not argument.exposure.doc
    )


def test_every_endpoint_says_what_it_takes_and_answers():
    assert {
        f'{known.method} {known.path}': missing
        for known in ENDPOINTS
        if (missing := list(undescribed(known)))
    } == {}


def test_the_document_is_valid():
    errors = OpenAPIV31SpecValidator(openapi.document('http://magnum')).iter_errors()
    assert [error.message for error in errors] == []


def test_every_endpoint_is_in_the_document_under_a_name_of_its_own():
    paths = openapi.document('')['paths']
    names = collections.Counter(
        operation['operationId'] for path in paths.values() for operation in path.values()
    )
    assert len(names) == len(ENDPOINTS)
    assert [name for name, times in names.items() if times > 1] == []


def test_the_document_does_not_keep_what_host_it_was_asked_by():
    assert openapi.document('http://a')['servers'] == [{'url': 'http://a'}]
    assert openapi.document('http://b')['servers'] == [{'url': 'http://b'}]
    assert openapi.document('http://a')['paths'] is openapi.document('http://b')['paths']
