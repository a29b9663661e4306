"""Errors on the wire: what clients that show the title alone let their users read."""

import re

import pytest

from magnum_lite import exceptions
from magnum_lite.api import (
    controllers,  # noqa: F401 - registers the endpoints
    faults,
)
from magnum_lite.api.document import Document
from magnum_lite.api.endpoint import ENDPOINTS
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup


def title(text):
    """The title of an error with some text."""
    return faults.answer(exceptions.BadRequest(reason=text), {}).json['errors'][0]['title']


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('flavor_id: m1.huge could not be found', 'flavor_id: m1.huge could not be found'),
        ('v1.30.1 is not 10.0.0.0/24. Use it', 'v1.30.1 is not 10.0.0.0/24'),
        ('It ends.', 'It ends'),
        ('It ends.\nAnd goes on', 'It ends'),
        ('', ''),
        ('.', ''),
        ('No, not "a. b". Really', 'No, not "a. b"'),
        (r'not "a\". b", a word. Really', r'not "a\". b", a word'),
        ('not "a. b', 'not "a'),
        ('Look at https://example.org/a.b. Now', 'Look at https://example.org/a.b'),
    ],
)
def test_the_title_is_the_first_sentence(text, expected):
    assert title(text) == expected


@pytest.mark.parametrize(
    'text',
    [
        '"' * 100_000,
        '"' * 100_001,
        '"' + '\\"' * 50_000,
        '"' + '\\' * 100_001,
        '"a' * 50_001,
        '"a. b" ' * 20_000,
    ],
)
def test_a_title_of_many_quotes_is_found_at_once(text):
    """A search that begins again at each quote would take minutes."""
    assert title(text) == text


def test_nobody_is_shown_a_pattern():
    shapes = [known.takes for known in ENDPOINTS if isinstance(known.takes, Document | type)]
    kinds = [
        (name, attribute.kind)
        for shape in (*shapes, Cluster, ClusterTemplate, NodeGroup)
        for name, attribute in shape.attributes().items()
        if getattr(attribute.kind, 'pattern', None)
    ]
    assert len(kinds) >= 5
    for name, kind in kinds:
        with pytest.raises(ValueError, match=' is expected') as error:
            kind.accept('{' * kind.max)
        assert kind.says in str(error.value) and not re.search(r'[\\^$*]', kind.says), name
        for example in kind.says.partition('such as ')[2:]:
            assert not example or kind.accept(example.strip(','))


@pytest.mark.parametrize(
    ('value', 'shown'),
    [
        ('x' * 61, '"' + 'x' * 60 + '..."'),
        ('a "b"', r'"a \"b\""'),
        ([1], 'a list'),
        ({}, 'an object'),
        (None, 'null'),
        (True, 'true'),
        (10**100, '1' + '0' * 59),
    ],
)
def test_a_refusal_shows_the_value(value, shown):
    error = exceptions.Invalid(path='name', reason='more is expected', value=value)
    assert str(error) == f'Invalid input for name: more is expected, not {shown}'
