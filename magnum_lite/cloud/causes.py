"""What Heat tells of a failure, as causes: by the resources of a stack, and by its events."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from magnum_lite.driver_sdk.cause import Cause

# What Heat says of a resource that it gave up, for a reason that is elsewhere: 'CREATE aborted
# (Task create from ... Timed out)', 'Stack UPDATE cancelled'.
_GIVEN_UP = re.compile(r'\b[A-Z]+ (aborted|cancelled)\b')


def explained(resources: Iterable[Any]) -> bool:
    """Whether some resource says why it failed itself, and not for what it holds."""
    return any(
        _has_failed(resource) and _explains(resource) and not _link(resource, 'nested')
        for resource in resources
    )


def of_resources(resources: Iterable[Any]) -> list[Cause]:
    """What failed, causes before what they made fail."""
    failed = [resource for resource in resources if _has_failed(resource)]
    parents = {getattr(resource, 'parent_resource', None) for resource in failed}
    failed.sort(key=lambda resource: resource.resource_name in parents)
    return [
        Cause(
            resource=path(resource),
            type=resource.resource_type,
            status=resource.resource_status,
            reason=resource.resource_status_reason or '',
            at=getattr(resource, 'updated_time', None) or None,
            server_id=_server(resource, resource.resource_type),
        )
        for resource in failed
    ]


def of_events(events: Iterable[Any], resources: Sequence[Any]) -> list[Cause]:
    """What failed since the last action on the stack began, first what failed first.

    A resource that was made again since, or that Heat gave up while it was tried again, tells
    nothing of it any more. An event does not say of what type its resource is: the resource of the
    same name does, where there is one.

    :param events: of the stack and those nested in it, the newest first.
    :param resources: those of the stack, as they are now.
    """
    known = {(_link(resource, 'stack'), resource.resource_name): resource for resource in resources}
    holders = {
        resource.physical_resource_id
        for resource in resources
        if _link(resource, 'nested') and resource.physical_resource_id
    }
    found: dict[Cause, None] = {}
    for event in events:
        stack = _link(event, 'stack')
        if event.physical_resource_id == stack:  # the stack of itself
            if stack == _link(event, 'root_stack') and event.resource_status.endswith(
                '_IN_PROGRESS'
            ):
                break
        elif _has_failed(event) and _explains(event) and event.physical_resource_id not in holders:
            resource = known.get((stack, event.resource_name))
            kind = resource.resource_type if resource else ''
            found[
                Cause(
                    resource=path(resource or event),
                    type=kind,
                    status=event.resource_status,
                    reason=event.resource_status_reason,
                    at=event.event_time or None,
                    server_id=_server(event, kind),
                )
            ] = None
    return list(found)[::-1]


def path(resource: Any) -> str:
    """``holder/name``, or the name alone."""
    holder = getattr(resource, 'parent_resource', None)
    return f'{holder}/{resource.resource_name}' if holder else str(resource.resource_name)


def stack_of(resource: Any) -> str | None:
    """The id of the stack, perhaps a nested one, that has a resource."""
    return _link(resource, 'stack')


def _link(thing: Any, rel: str) -> str | None:
    """The id at the end of a link."""
    for link in thing.links:
        if link['rel'] == rel:
            return str(link['href']).rstrip('/').rsplit('/', 1)[-1]
    return None


def _has_failed(thing: Any) -> bool:
    return bool(thing.resource_status.endswith('_FAILED'))


def _explains(thing: Any) -> bool:
    reason = thing.resource_status_reason
    return bool(reason) and not _GIVEN_UP.search(reason)


def _server(thing: Any, kind: str) -> str | None:
    return thing.physical_resource_id or None if kind == 'OS::Nova::Server' else None
