"""Errors on the wire: what clients that show the title alone let their users read."""

import pytest

from magnum_lite import exceptions
from magnum_lite.api import faults


def title(text):
    """The title of an error with some text."""
    return faults.answer(exceptions.BadRequest(reason=text), {}).json['errors'][0]['title']


@pytest.mark.parametrize(('text', 'expected'), [
    ('flavor_id: m1.huge could not be found', 'flavor_id: m1.huge could not be found'),
    ('v1.30.1 is not 10.0.0.0/24. Use it', 'v1.30.1 is not 10.0.0.0/24'),
    ('It ends.', 'It ends'), ('It ends.\nAnd goes on', 'It ends'), ('', ''), ('.', ''),
    ('No, not "a. b". Really', 'No, not "a. b"'),
    (r'not "a\". b", a word. Really', r'not "a\". b", a word'),
    ('not "a. b', 'not "a'), ('Look at https://example.org/a.b. Now', 'Look at '
                              'https://example.org/a.b')])
def test_the_title_is_the_first_sentence(text, expected):
    assert title(text) == expected


def test_a_title_of_many_quotes_is_found_at_once():
    assert len(title('"' * 100_000)) == 100_000
