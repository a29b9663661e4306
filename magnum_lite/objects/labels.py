"""Labels: the wire name of a driver's configuration, texts that its schema gives a type.

Types are judged by the text, since what was stored comes back as strings.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema

from magnum_lite.exceptions import Invalid
from magnum_lite.objects.fields import MAX_GIB, Boolean, Integer, StringMap
from magnum_lite.objects.known_labels import ALIASES, KNOWN, VERSIONS

# Numbers for the API itself, whatever the driver says.
NUMBERS = {
    'boot_volume_size': Integer(min=0, max=MAX_GIB),
    **{name: Integer(min=0, max=100_000) for name in ('min_node_count', 'max_node_count')},
}
_NEAR = 0.8  # how alike two names are, from 0 to 1, so that one may be meant for the other
_TOLD = 20  # names in one sentence
_WORDS = {
    'string': 'a string',
    'integer': 'an integer',
    'number': 'a number',
    'boolean': 'a boolean',
    'array': 'a list in JSON',
    'object': 'an object in JSON',
}


def check(
    labels: Mapping[str, str],
    schema: Mapping[str, Any],
    *,
    accept_unknown: bool = False,
    accept_prefixed: bool = False,
) -> list[str]:
    """Refuse labels that the driver could not understand; those that it ignores.

    :param schema: the ``config_schema`` of the driver that makes the cluster.
    :param accept_prefixed: whether labels ``example.org/key`` are for the nodes.
    :raises Invalid: an ill-typed value, or an unknown label unless ``accept_unknown``.
    """
    try:
        StringMap().check_size(labels)  # what came from the template and the cluster together
    except ValueError as error:
        raise Invalid(path='labels', reason=error) from None
    properties = schema.get('properties', {})
    ignored = []
    for name, text in labels.items():
        if accept_prefixed and '/' in name:
            continue
        ours = _ours(name, labels, properties)
        if ours:
            _typed(name, text, properties[ours])
        elif name in NUMBERS:
            number(labels, name)
        elif name in KNOWN or accept_unknown:
            ignored.append(name)
        else:
            raise Invalid(path=f'labels.{name[:255]}', reason=_nearest(name, properties))
    return ignored


def sentence(driver: str, ignored: list[str]) -> str:
    """What users read of labels that their driver ignores: a short line of ASCII; '' for none."""
    if not ignored:
        return ''
    # Names that are accepted although nobody knows them may be any text.
    names = [re.sub(r'[^A-Za-z0-9_./-]', '?', name[:60]) for name in ignored[:_TOLD]]
    more = f' and {len(ignored) - _TOLD} more' if len(ignored) > _TOLD else ''
    return f'Ignored, since driver {driver} has no such labels: {", ".join(names)}{more}'


def typed(labels: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """``{label: typed value}`` of the labels that the schema names, under its names.

    :raises Invalid: a value is ill-typed.
    """
    properties = schema.get('properties', {})
    return {
        ours: _typed(name, text, properties[ours])
        for name, text in labels.items()
        if (ours := _ours(name, labels, properties))
    }


def number(labels: Mapping[str, str], name: str) -> int | None:
    """The value of a label that is a number; None without it.

    :raises Invalid: it is none.
    """
    if name not in labels:
        return None
    try:
        return NUMBERS[name].accept(labels[name])
    except ValueError as error:
        raise Invalid(path=f'labels.{name}', reason=error, value=labels[name]) from None


def merged(
    given: Mapping[str, str] | None, inherited: Mapping[str, str] | None, *, over: bool
) -> dict[str, str]:
    """The labels of what has a parent: its own, or the parent's where none are given.

    :param over: whether given labels are laid over the parent's instead of replacing them.
    """
    if over:
        return {**(inherited or {}), **(given or {})}
    return dict(given or inherited or {})


def difference(labels: Mapping[str, str], parent: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """``labels_overridden``, ``labels_added`` and ``labels_skipped`` against a parent's labels."""
    return {
        'labels_overridden': {
            name: value for name, value in parent.items() if labels.get(name, value) != value
        },
        'labels_added': {name: value for name, value in labels.items() if name not in parent},
        'labels_skipped': {name: value for name, value in parent.items() if name not in labels},
    }


def _ours(name: str, labels: Mapping[str, str], properties: Mapping[str, Any]) -> str | None:
    """What the schema calls a label; None for one that means nothing to it.

    Of two names the schema's own counts. An empty text under another name means not given.
    """
    if name in properties:
        return name
    ours = ALIASES.get(name)
    return ours if ours in properties and ours not in labels and labels[name] else None


def _typed(name: str, text: str, schema: Mapping[str, Any]) -> Any:
    for spelling in _spellings(name, text):
        try:
            value = _convert(spelling, schema.get('type', 'string'))
            jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator)
            return value
        except (ValueError, RecursionError, jsonschema.ValidationError):
            continue
    raise Invalid(path=f'labels.{name}', reason=f'{_accepted(schema)} is expected', value=text)


def _spellings(name: str, text: str) -> list[str]:
    """How the driver may know a text, best first."""
    if name in ALIASES:  # others separate lists by semicolons, or with spaces
        return [text.replace(';', ',').replace(' ', '')]
    return [text, f'v{text}'] if name in VERSIONS and text[:1].isdigit() else [text]


def _convert(text: str, kind: str | list[str]) -> Any:
    """The value that a text stands for.

    :raises ValueError: it stands for none of that type.
    """
    if kind == 'integer':
        return Integer().accept(text)
    if kind == 'boolean':
        return Boolean().accept(text)
    if kind == 'string':
        return text
    return json.loads(text)


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


def _nearest(name: str, properties: Iterable[str]) -> str:
    """Why an unknown label is refused: a label of the driver is meant before one of others."""
    for known in (properties, KNOWN):
        close = difflib.get_close_matches(name[:255], sorted(known), n=1, cutoff=_NEAR)
        if close:
            return f'the driver knows no such label, did you mean {close[0]}?'
    return 'the driver knows no such label'
