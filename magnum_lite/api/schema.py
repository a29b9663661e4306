"""What resources and queries accept from the wire, and how a resource shows, at a microversion."""

import datetime
import difflib
import functools
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl

from magnum_lite.api.document import Shape
from magnum_lite.api.microversion import Version, number
from magnum_lite.exceptions import BadRequest, Invalid, NotUtf8
from magnum_lite.objects.attribute import Attribute
from magnum_lite.objects.base import Resource
from magnum_lite.objects.fields import Type

F = TypeVar('F', bound=Callable[..., Any])
_ZERO_NODES = (1, 10)  # the first version that may ask for no workers
_DEVICEMAPPER_GIB = 3
_NEAR = 0.8  # how alike two names are, from 0 to 1, so that one may be meant for the other
_GREEK = (
    'alpha',
    'beta',
    'gamma',
    'delta',
    'epsilon',
    'zeta',
    'eta',
    'theta',
    'iota',
    'kappa',
    'lambda',
    'mu',
    'nu',
    'xi',
    'omicron',
    'pi',
    'rho',
    'sigma',
    'tau',
    'upsilon',
    'phi',
    'chi',
    'psi',
    'omega',
)


def _cached(function: F) -> F:
    """``functools.cache``, for which mypy forgets the parameters and takes no class as a key."""
    return cast(F, functools.cache(function))


def create(resource: Shape, body: Any, version: Version) -> dict[str, Any]:
    """``{attribute: value}`` of the body of a creation or an action; null is the same as absent.

    :raises BadRequest: the body is no object.
    :raises Invalid: an attribute is unknown, read-only, missing or ill-typed.
    """
    if not isinstance(body, dict):
        raise BadRequest(reason='A JSON object is expected')
    attributes = shown(resource, version)
    given = {}
    for name, value in body.items():
        attribute = attributes.get(name)
        if attribute is None:
            raise unknown(
                name, name, (known for known, one in attributes.items() if one.exposure.create)
            )
        exposure = attribute.exposure
        if not exposure.create:
            raise Invalid(path=name, reason='the attribute is read-only')
        if value is None or exposure.create == 'ignored' or value == '' and exposure.blank:
            continue
        given[name] = accept(name, attribute.kind, value)
    for name, attribute in attributes.items():
        if attribute.exposure.create == 'required' and name not in given:
            raise Invalid(path=name, reason='the attribute is mandatory')
    return given


def accept(name: str, kind: Type, value: Any) -> Any:
    """The value that a value of the wire stands for.

    :raises Invalid: naming the attribute and what would be accepted.
    """
    try:
        return kind.accept(value)
    except ValueError as error:
        if isinstance(value, dict):  # it says which of the values is wrong
            raise Invalid(path=name, reason=error) from None
        raise Invalid(path=name, reason=error, value=value) from None


def check_count(count: int, version: Version) -> None:
    """Refuse no workers before the version that has it.

    :raises Invalid: none is asked for too early.
    """
    if count == 0 and version < _ZERO_NODES:
        raise Invalid(path='node_count', reason='0 needs version 1.10')


def check_storage(driver: str | None, volume_size: int | None) -> None:
    """Refuse a storage driver that needs a volume, without one.

    :raises Invalid: the volume is too small.
    """
    if driver == 'devicemapper' and (volume_size or 0) < _DEVICEMAPPER_GIB:
        raise Invalid(
            path='docker_volume_size',
            value=volume_size,
            reason=f'devicemapper needs {_DEVICEMAPPER_GIB} GiB at least',
        )


def query(text: str, known: Mapping[str, Attribute], version: Version) -> dict[str, str]:
    """``{argument: text}`` of the query of a URL.

    :param known: the arguments that there are.
    :raises NotUtf8: it is no text.
    :raises BadRequest: an argument is unknown.
    """
    try:
        given = dict(parse_qsl(text, keep_blank_values=True, errors='strict', max_num_fields=100))
    except ValueError as error:
        raise NotUtf8(part='query') from error
    for name, value in given.items():
        argument = known.get(name)
        since = argument.exposure.since if argument else None
        if since is None or version < number(since) or '\0' in value:
            raise BadRequest(reason=f'Unknown argument: {name[:255]}')
    return given


def unknown(path: str, name: str, known: Iterable[str]) -> Invalid:
    """The error about an attribute that there is not; with the one that may be meant."""
    close = difflib.get_close_matches(name[:255], sorted(known), n=1, cutoff=_NEAR)
    meant = f', did you mean {close[0]}?' if close else ''
    return Invalid(path=path[:255], reason=f'unknown attribute{meant}')


def made_up_name(suffix: str) -> str:
    """A name for what was given none: ``omega-17-cluster``."""
    return f'{secrets.choice(_GREEK)}-{secrets.randbelow(100)}-{suffix}'


def view(resource: type[Resource], row: Any, version: Version, **computed: Any) -> dict[str, Any]:
    """The document of a row, or of anything with an attribute for each column.

    :param computed: values of attributes that no column holds; those of a later version are left
        out.
    """
    document = {}
    for name, is_moment in _columns(resource, version):
        value = getattr(row, name)
        document[name] = moment(value) if is_moment else value
    known = shown(resource, version)
    document |= {name: value for name, value in computed.items() if name in known}
    return document


def moment(value: datetime.datetime | None) -> str | None:
    """ISO 8601 with an offset, without which Go clients refuse the whole document."""
    if value is None:
        return None
    return (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)).isoformat()


@_cached
def shown(resource: Shape, version: Version) -> Mapping[str, Attribute]:
    """The attributes that the version has."""
    return {
        name: attribute
        for name, attribute in resource.attributes().items()
        if attribute.exposure.since and number(attribute.exposure.since) <= version
    }


@_cached
def _columns(resource: type[Resource], version: Version) -> Collection[tuple[str, bool]]:
    return [
        (name, attribute.kind.json_schema().get('format') == 'date-time')
        for name, attribute in shown(resource, version).items()
        if name not in resource.computed
    ]
