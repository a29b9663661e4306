"""Servers that the cloud lost: in which stacks they were, and how an update makes them again.

An update that makes again what the plan's environment keeps from being replaced says so in tags of
the stack: where it fails, the next one knows it. When it is done, another one takes the tags off,
and the environment is the plan's again: a failure of any later update is none of a mend.
"""

from collections.abc import Collection, Mapping
from typing import Any

from magnum_lite.driver_sdk import tags
from magnum_lite.driver_sdk.cloud import Heat, StackView
from magnum_lite.driver_sdk.plan import Plan, Stack
from magnum_lite.driver_sdk.spec import ClusterSpec


def members(view: StackView | None) -> list[str]:
    """Ids of the servers that a stack has made, by its output ``refs_map``."""
    refs = view.outputs.get('refs_map') if view else None
    return [str(server) for server in (refs or {}).values()]


def broken(
    heat: Heat,
    spec: ClusterSpec,
    plan: Plan,
    views: Mapping[str, StackView],
    anew: Mapping[str, Collection[str]],
) -> dict[str, list[str]]:
    """``{stack key: things}`` that Heat is to be told to make again, as ``Heat.replace`` takes
    them: lost servers, what an update that failed was to make again, and what the driver asks for;
    nothing where the stack needs an update to be the plan's again.

    :param views: ``{name: stack}`` of those that exist.
    :param anew: what the driver asks for.
    """
    found = {}
    for stack in plan.stacks:
        view = views.get(stack.name)
        if view is None or view.in_progress:
            continue
        told = tags.mends(view.tags)
        things = told if view.failed else []
        if not _is_told(view, spec, stack):
            if spec.lost:
                things = [*things, *set(members(heat.get(view.id))) & set(spec.lost)]
            things = [*things, *anew.get(stack.key, ())]
        if told or things:
            found[stack.key] = sorted(things)
    return found


def _is_told(view: StackView, spec: ClusterSpec, stack: Stack) -> bool:
    return not view.failed and (view.attempt, view.digest) == (spec.attempt, stack.digest)


def allowing(environment: Mapping[str, Any], paths: Collection[str]) -> dict[str, Any]:
    """An environment that keeps resources from being replaced, but for those of these paths."""
    kept = _kept(environment)
    fewer = {
        name: what
        for name, what in kept.items()
        if not any(name in path.split('/') for path in paths)
    }
    if fewer == kept:
        return dict(environment)
    return {
        **environment,
        'resource_registry': {**environment['resource_registry'], 'resources': fewer},
    }


def marks(
    environment: Mapping[str, Any], paths: Collection[str], renewed: Collection[str]
) -> list[str]:
    """What an update is tagged with that makes resources again; no more than the next one needs.

    :param renewed: names of what is made again with them.
    """
    kept = _kept(environment)
    return tags.of_mends(
        path
        for path in sorted(paths)
        if path in renewed or not kept.keys().isdisjoint(path.split('/'))
    )


def _kept(environment: Mapping[str, Any]) -> Mapping[str, Any]:
    """``{name: what the environment says of it}``."""
    resources: Mapping[str, Any] = environment.get('resource_registry', {}).get('resources', {})
    return resources
