"""Why a label is refused: the error, and what would have been accepted."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from magnum_lite.exceptions import Invalid

_NEAR = 0.8  # how alike two names are, from 0 to 1, so that one may be meant for the other
_WORDS = {
    'string': 'a string',
    'integer': 'an integer',
    'number': 'a number',
    'boolean': 'a boolean',
    'array': 'a list in JSON',
    'object': 'an object in JSON',
}


def unknown(name: str, *lists: Iterable[str]) -> Invalid:
    """That nobody knows a label; with the one that may be meant, first of the driver's labels.

    :param lists: known labels, the driver's first.
    """
    for known in lists:
        close = difflib.get_close_matches(name[:255], sorted(known), n=1, cutoff=_NEAR)
        if close:
            return Invalid(
                path=f'labels.{name[:255]}',
                reason=f'the driver knows no such label, did you mean {close[0]}?',
            )
    return Invalid(path=f'labels.{name[:255]}', reason='the driver knows no such label')


def ill_typed(name: str, text: str, schema: Mapping[str, Any]) -> Invalid:
    """That a text is no value of a label's schema; with what is."""
    return Invalid(path=f'labels.{name}', reason=f'{_accepted(schema)} is expected', value=text)


def _accepted(schema: Mapping[str, Any]) -> str:
    if 'enum' in schema:
        return 'one of ' + ', '.join(str(value) for value in schema['enum'])
    kind = schema.get('type', 'string')
    words = _WORDS.get(kind, kind) if isinstance(kind, str) else ' or '.join(kind)
    parts = [schema.get('title', words)]
    low, high = schema.get('minimum'), schema.get('maximum')
    if low is not None and high is not None:
        parts.append(f'from {low} to {high}')
    elif low is not None or high is not None:
        parts.append(f'of at least {low}' if high is None else f'of at most {high}')
    if 'maxLength' in schema:
        parts.append(f'of at most {schema["maxLength"]} characters')
    if 'pattern' in schema:
        parts.append(_example(schema))
    return ' '.join(parts)


def _example(schema: Mapping[str, Any]) -> str:
    """What people read in place of a pattern."""
    for value in (*schema.get('examples', ()), schema.get('default')):
        if value not in (None, ''):
            return f'such as {value}'
    return f'as described ({schema.get("description", "").removesuffix(".")})'
