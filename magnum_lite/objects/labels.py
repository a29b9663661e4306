"""Labels: the wire name of a driver's configuration, texts that its schema gives a type.

Types are judged by the text, since what was stored comes back as strings.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import jsonschema

from magnum_lite.exceptions import Invalid
from magnum_lite.objects import label_refusal, node_taints
from magnum_lite.objects.fields import MAX_GIB, Boolean, Integer, StringMap

# Other names of the same: what the left one says, a driver that names the right one understands.
ALIASES = {
    'fixed_network_cidr': 'fixed_subnet_cidr',
    'api_master_lb_allowed_cidrs': 'master_lb_allowed_cidrs',
}
# Labels that hold a version, which some write with a v and some without.
VERSIONS = frozenset({'kube_tag'})
# Numbers for the API itself, whatever the driver says.
NUMBERS = {
    'boot_volume_size': Integer(min=0, max=MAX_GIB),
    **{name: Integer(min=0, max=100_000) for name in ('min_node_count', 'max_node_count')},
}
_TOLD = 20  # names in one sentence


def _pattern(
    validator: Any, pattern: str, value: Any, schema: Mapping[str, Any]
) -> Iterator[jsonschema.ValidationError]:
    # A $ of JSON Schema is the end of the text; Python's lets a newline follow.
    ends = pattern.endswith('$') and not pattern.endswith('\\$')
    if isinstance(value, str) and not re.search(rf'{pattern[:-1]}\Z' if ends else pattern, value):
        yield jsonschema.ValidationError(f'{value!r} does not match {pattern!r}')


_VALIDATOR = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {'pattern': _pattern}
)


def is_literal(driver: Any) -> bool:
    """Whether labels count under the names and spellings of the driver's schema only.

    So it is with a version that release 1.0 published, which says no limits: conductors of that
    release know no others, and its clusters were built without them.

    :param driver: a DriverVersion, or its row.
    """
    return driver.limits is None


def check(
    labels: Mapping[str, str],
    schema: Mapping[str, Any],
    *,
    known: Collection[str] = (),
    accept_unknown: bool = False,
    accept_prefixed: bool = False,
    literal: bool = False,
) -> list[str]:
    """Refuse labels that the driver could not understand; those that it ignores.

    :param schema: the ``config_schema`` of the driver that makes the cluster.
    :param known: labels that mean something to others, and are accepted.
    :param accept_prefixed: whether labels ``example.org/key`` are for the nodes, and the caller
        checks them with all others of the nodes; so they are too with ``accept_unknown``.
    :param literal: see ``is_literal``.
    :raises Invalid: an ill-typed value, an unknown label unless ``accept_unknown``, or one that no
        node can have.
    """
    try:
        StringMap().check_size(labels)  # what came from the template and the cluster together
    except ValueError as error:
        raise Invalid(path='labels', reason=error) from None
    properties = schema.get('properties', {})
    ignored = []
    for name, text in labels.items():
        if '/' in name and (accept_prefixed or accept_unknown):
            continue
        ours = _ours(name, labels, properties, literal)
        if ours:
            _typed(name, text, properties[ours], literal)
        elif name in NUMBERS:
            number(labels, name)
        elif name in known or accept_unknown:
            ignored.append(name)
        else:
            raise label_refusal.unknown(name, properties, known)
    if not accept_prefixed and (given := prefixed(labels)):
        try:
            node_taints.check_labels(given)
        except ValueError as error:
            raise Invalid(path='labels', reason=error) from None
    return ignored


def prefixed(labels: Mapping[str, str]) -> dict[str, str]:
    """Those with a DNS prefix (``example.org/key``), which become labels of the nodes."""
    return {name: text for name, text in labels.items() if '/' in name}


def idle(labels: Mapping[str, str], driver: Any, around: Mapping[str, Any]) -> dict[str, str]:
    """``{label: 'only with ...'}`` of labels that change nothing beside the others and ``around``.

    :param driver: row of the driver version that makes the cluster; its schema says ``only_with``.
    :param around: attributes of the cluster, and the configuration that its labels do not give;
        what is left out is not judged.
    """
    properties, literal = driver.config_schema.get('properties', {}), is_literal(driver)
    around = {**around, **typed(labels, driver.config_schema, literal=literal)}
    return {
        name: why
        for name in labels
        if labels[name]
        and (ours := _ours(name, labels, properties, literal))
        and (why := _unmet(properties[ours].get('only_with', {}), around))
    }


def _unmet(only_with: Mapping[str, Any], around: Mapping[str, Any]) -> str:
    for name, wanted in only_with.items():
        if isinstance(wanted, bool) and bool(around.get(name, wanted)) != wanted:
            return f'only {"with" if wanted else "without"} {name}'
        if isinstance(wanted, list) and around.get(name, wanted[0]) not in wanted:
            return f'only with {name} {" or ".join(map(str, wanted))}'
    return ''


def sentence(driver: str, ignored: list[str], idle: Mapping[str, str]) -> str:
    """What users read of labels that change nothing: a short line of ASCII; '' for none.

    :param ignored: those that the driver does not have.
    :param idle: as the function ``idle`` gives them.
    """
    # Names that are accepted although nobody knows them may be any text.
    names = [re.sub(r'[^A-Za-z0-9_./-]', '?', name[:60]) for name in ignored]
    parts = [
        (f'Ignored, since driver {driver} has no such labels', names),
        ('Without effect', [f'{name} ({why})' for name, why in idle.items()]),
    ]
    return '. '.join(f'{words}: {_listed(texts)}' for words, texts in parts if texts)


def _listed(texts: list[str]) -> str:
    more = f' and {len(texts) - _TOLD} more' if len(texts) > _TOLD else ''
    return ', '.join(texts[:_TOLD]) + more


def typed(
    labels: Mapping[str, str], schema: Mapping[str, Any], *, literal: bool = False
) -> dict[str, Any]:
    """``{label: typed value}`` of the labels that the schema names, under its names.

    :param literal: see ``is_literal``.
    :raises Invalid: a value is ill-typed.
    """
    properties = schema.get('properties', {})
    return {
        ours: _typed(name, text, properties[ours], literal)
        for name, text in labels.items()
        if (ours := _ours(name, labels, properties, literal))
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


def node_limits(labels: Mapping[str, str]) -> dict[str, int | None]:
    """``min_node_count`` and ``max_node_count`` of the group that is made with these labels; from
    then on its attributes are what counts.

    :raises Invalid: one is no number, or they contradict each other.
    """
    least = number(labels, 'min_node_count') or 0
    most = number(labels, 'max_node_count') or None
    if most and least > most:
        raise Invalid(
            path='labels.min_node_count',
            value=labels['min_node_count'],
            reason=f'max_node_count {most} or fewer is expected',
        )
    return {'min_node_count': least, 'max_node_count': most}


def check_count(labels: Mapping[str, str], count: int) -> None:
    """Refuse a number of nodes that the labels of its group do not allow.

    :raises Invalid: naming both.
    """
    limits = node_limits(labels)
    least, most = limits['min_node_count'] or 0, limits['max_node_count']
    if most and not least <= count <= most:
        raise Invalid(
            path='node_count',
            value=count,
            reason=f'the labels min_node_count and max_node_count want {least} to {most} nodes',
        )
    if count < least:
        raise Invalid(
            path='node_count',
            value=count,
            reason=f'the label min_node_count wants {least} nodes or more',
        )


def merged(
    given: Mapping[str, str] | None, inherited: Mapping[str, str] | None, *, over: bool
) -> dict[str, str]:
    """The labels of what has a parent: its own, or the parent's where none are given.

    :param over: whether given labels are laid over the parent's instead of replacing them.
    """
    if over:
        return {**(inherited or {}), **(given or {})}
    return dict(given or inherited or {})


def other_names(name: str) -> list[str]:
    """Names under which users may give a label of a driver, beside its own."""
    return [other for other, ours in ALIASES.items() if ours == name]


def _ours(
    name: str, labels: Mapping[str, str], properties: Mapping[str, Any], literal: bool
) -> str | None:
    """What the schema calls a label; None for one that means nothing to it.

    Of two names the schema's own counts. An empty text under another name means not given.
    """
    if name in properties:
        return name
    if literal:
        return None
    ours = ALIASES.get(name)
    return ours if ours in properties and ours not in labels and labels[name] else None


def _typed(name: str, text: str, schema: Mapping[str, Any], literal: bool) -> Any:
    for spelling in [text] if literal else _spellings(name, text):
        try:
            value = _convert(spelling, schema.get('type', 'string'))
            jsonschema.validate(value, schema, cls=_VALIDATOR)
            return value
        except (ValueError, RecursionError, jsonschema.ValidationError):
            continue
    raise label_refusal.ill_typed(name, text, schema)


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
