"""JSON-Patch (contract 2.0.11): from a document of operations to the attributes that change."""

import ast
import copy
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from oslo_versionedobjects.fields import UnspecifiedDefault

from magnum_lite.api import schema
from magnum_lite.api.microversion import Version
from magnum_lite.exceptions import BadRequest, Invalid
from magnum_lite.objects.attribute import Attribute
from magnum_lite.objects.base import Resource
from magnum_lite.objects.fields import Json, StringMap

_PATH = re.compile(r'(/[A-Za-z0-9_-]+){1,2}\Z')
_OPS = ('add', 'replace', 'remove')
_INTERNAL = ('id', 'uuid', 'project_id', 'user_id', 'created_at', 'updated_at', 'links')
MAX_LITERAL = 65_536


@dataclass(frozen=True)
class Step:
    """One operation: what to do with an attribute, or with one key of a map."""

    op: str
    attribute: str
    key: str | None
    value: Any

    @property
    def path(self) -> str:
        """What it changes, as all refusals name it: ``labels.kube_tag``."""
        return self.attribute if self.key is None else f'{self.attribute}.{self.key}'


def parse(body: Any) -> list[Step]:
    """The steps of a patch document.

    :raises BadRequest: it is no list of operations.
    """
    if not isinstance(body, list):
        raise BadRequest(reason='A JSON-Patch document, which is a list, is expected')
    return [_step(item) for item in body]


def changes(
    resource: type[Resource],
    current: Mapping[str, Any],
    steps: list[Step],
    version: Version,
    *,
    internal: Collection[str] = (),
    fixed: Collection[str] = (),
) -> dict[str, Any]:
    """``{attribute: new value}`` of what the steps change, all of them or none.

    :param current: ``{attribute: value}``.
    :param internal: attributes that no operation may name, beyond those of every resource.
    :param fixed: attributes that cannot be removed.
    :raises Invalid: a step that cannot be taken.
    """
    attributes = schema.shown(resource, version)
    after = {name: copy.copy(value) for name, value in current.items()}
    for step in steps:
        name = step.attribute
        is_known = name in attributes
        # What is shown and stands in no row is made of others, as master_count of a cluster.
        if name in _INTERNAL or name in internal or is_known and name not in current:
            raise Invalid(path=step.path, reason='the attribute cannot be changed')
        if not is_known:
            raise schema.unknown(
                step.path, name, (known for known, one in attributes.items() if one.exposure.update)
            )
        try:
            _take(step, attributes[name], after, is_fixed=name in fixed)
        except Invalid as error:
            if attributes[name].exposure.update:
                raise
            raise Invalid(path=step.path, reason='the attribute cannot be changed') from error
    changed = {name: value for name, value in after.items() if value != current[name]}
    for name, value in changed.items():  # key by key, a map may have grown too large
        if isinstance(attributes[name].kind, StringMap):
            schema.accept(name, attributes[name].kind, value)
    return changed


def _step(item: Any) -> Step:
    if not isinstance(item, dict) or item.keys() - {'op', 'path', 'value'}:
        raise BadRequest(reason='Operations with op, path and value are expected')
    op, path, value = item.get('op'), item.get('path'), item.get('value')
    if not isinstance(op, str) or op not in _OPS:
        raise BadRequest(reason='op has to be add, replace or remove')
    if not isinstance(path, str) or not _PATH.match(path):
        raise BadRequest(reason='path has to be /attribute or /attribute/key')
    _, name, *key = path.split('/')
    step = Step(op, name, key[0] if key else None, None if op == 'remove' else value)
    if op != 'remove' and 'value' not in item or op == 'add' and value is None:
        raise Invalid(path=step.path[:255], reason=f'{op} needs a value')
    if isinstance(value, float):
        raise Invalid(
            path=step.path[:255], reason='a string or an integer is expected', value=value
        )
    return step


def _take(step: Step, attribute: Attribute, after: dict[str, Any], *, is_fixed: bool) -> None:
    """Take the step to the values afterwards.

    :raises Invalid: it cannot be taken.
    """
    name = step.attribute
    if step.key is not None:
        _take_nested(step, attribute, after)
    elif step.op == 'remove' or step.value is None:
        if is_fixed:
            raise Invalid(path=step.path, reason='the attribute cannot be removed')
        after[name] = _empty(attribute)
    elif step.op == 'add' and after[name] not in (None, {}, []):
        raise Invalid(path=step.path, reason='the attribute has a value, use replace')
    else:
        after[name] = _accept(step, attribute)


def _accept(step: Step, attribute: Attribute) -> Any:
    value = step.value
    if isinstance(attribute.kind, Json):
        value = _literal(step, attribute.kind) if isinstance(value, str) else value
    elif isinstance(value, dict | list):
        raise Invalid(path=step.path, reason='a string or an integer is expected')
    if value == '' and attribute.exposure.blank:
        return _empty(attribute)
    return schema.accept(step.path, attribute.kind, value)


def _take_nested(step: Step, attribute: Attribute, after: dict[str, Any]) -> None:
    found = after[step.attribute]
    if not isinstance(found, dict):
        raise Invalid(path=step.path, reason='the attribute has no keys')
    if step.op != 'add' and step.key not in found:
        raise Invalid(path=step.path, reason='there is no such key')
    if step.value is None:
        del found[step.key]
    else:
        after[step.attribute] = {
            **found,
            **schema.accept(step.path, attribute.kind, {step.key: step.value}),
        }


def _empty(attribute: Attribute) -> Any:
    default = attribute.default
    return None if default is UnspecifiedDefault else copy.copy(default)


def _literal(step: Step, kind: Json) -> Any:
    """The value that a text spells in Python or JSON: how clients send whole maps."""
    text = step.value
    if len(text) <= MAX_LITERAL:
        for read in (json.loads, ast.literal_eval):
            try:
                return read(text)
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                continue
    wanted = 'a list' if kind.schema.get('type') == 'array' else 'a map'
    raise Invalid(path=step.path, reason=f'{wanted} is expected, in the notation of Python or JSON')
