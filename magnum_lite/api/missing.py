"""What is told of a path, or of a method at a path, that has no endpoint."""

import re

from magnum_lite.api.endpoint import ENDPOINTS, Endpoint
from magnum_lite.exceptions import BadRequest, MethodNotAllowed, NoRoute, ServiceError

_CHANGES = ('PATCH', 'DELETE')
_TAKEN: list[Endpoint] = []


def taken(path: str) -> None:
    """Let a path at which nothing is answer 405 instead of 404."""
    _TAKEN.append(Endpoint('', path, taken))


def refusal(method: str, segments: list[str]) -> ServiceError:
    """Why nothing is at a path below the version.

    :returns: ``NoRoute`` where the path is unknown, ``MethodNotAllowed`` where it has no such
        method, ``BadRequest`` where the method needs an item's path, or a collection's.
    """
    if method in _CHANGES and _is_collection(segments):
        return BadRequest(reason=f'{method} needs the uuid or name of what to change')
    if any(
        known.not_below and known.method == method and known.variables(segments[:-1]) is not None
        for known in ENDPOINTS
    ):
        return BadRequest(reason=f'{method} needs the path of a collection')
    found = [known for known in ENDPOINTS if known.variables(segments) is not None]
    if possible := found or _near(segments):
        return MethodNotAllowed(
            method=method[:20],
            possible=', '.join(sorted(f'{known.method} {known.place}' for known in possible)),
        )
    return NoRoute(path=f'/{"/".join(segments)}'[:255])


def _is_collection(segments: list[str]) -> bool:
    """Whether items are below a path that some method changes."""
    return any(
        known.method in _CHANGES and known.variables([*segments, *rest]) is not None
        for known in ENDPOINTS
        for rest in (['?'], ['?', '?'])
    )


def _near(segments: list[str]) -> list[Endpoint]:
    """What there is instead of what is not at a path that is taken: beside it or below."""
    for path in (known.path for known in _TAKEN if known.variables(segments) is not None):
        collection = re.sub(r'/\{\w+\}\Z', '', path)
        return [
            known
            for known in ENDPOINTS
            if known.path == collection or known.path.startswith(f'{collection}/')
        ]
    return []
