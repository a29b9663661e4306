"""The OpenAPI document: every endpoint is described, and it is valid."""

from magnum_lite.api import controllers  # noqa: F401 - registers the endpoints
from magnum_lite.api.endpoint import ENDPOINTS


def undescribed(known):
    """What the OpenAPI document cannot say of an endpoint."""
    if known.takes_body:
        yield 'takes='
    if known.answers is None:
        yield 'answers='
    if not known.handler.__doc__:
        yield 'docstring'
    yield from (f'query={name}' for name, argument in known.query.items()
                if not argument.exposure.doc)


def test_every_endpoint_says_what_it_takes_and_answers():
    assert {f'{known.method} {known.path}': missing for known in ENDPOINTS
            if (missing := list(undescribed(known)))} == {}
