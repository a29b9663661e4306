"""Validation: what a driver is asked about before its plan is made.

One group never stands in another's way: what a change does not touch does not refuse it.
"""

from collections.abc import Collection
from dataclasses import replace

from magnum_lite.conductor.call import call
from magnum_lite.driver_sdk import ClusterSpec, Driver, DriverError, NodeGroupSpec


def accepted(
    driver: Driver, spec: ClusterSpec, unformed: Collection[str] = (), *, deletes: bool = False
) -> ClusterSpec:
    """The spec as its driver accepts it: without groups that it refuses and that never formed.

    Of a spec that is refused as a whole, the driver is asked only about the group in focus.

    :param unformed: uuids of groups, as ``resolve.Rows.unformed``.
    :param deletes: whether a group is to go, for which nothing is a hindrance.
    :raises DriverError: the driver refuses what the change touches.
    """
    if _is_accepted(driver, replace(spec, focus=None)):
        return spec
    rest = _with(spec, (), unformed)
    for group in spec.node_groups:
        if group.uuid in unformed:
            more = _with(spec, (*rest.node_groups, group), unformed)
            rest = more if _is_accepted(driver, replace(more, focus=None)) else rest
    if not deletes:
        call(driver, 'validate', rest)
    return rest


def _with(
    spec: ClusterSpec, kept: Collection[NodeGroupSpec], unformed: Collection[str]
) -> ClusterSpec:
    """The spec with all groups that formed and those that are kept, in their order."""
    return replace(
        spec,
        node_groups=tuple(
            group for group in spec.node_groups if group.uuid not in unformed or group in kept
        ),
    )


def _is_accepted(driver: Driver, spec: ClusterSpec) -> bool:
    try:
        call(driver, 'validate', spec)
        return True
    except DriverError:
        return False
