"""Servers that the parts of a cluster have made and that Nova knows no more."""

import logging
from collections.abc import Callable, Collection, Sequence

from magnum_lite.driver_sdk import CloudError, CloudUnavailable, ClusterSpec, Plan
from magnum_lite.driver_sdk.backend import Access

LOG = logging.getLogger(__name__)


def find(
    access: Access, spec: ClusterSpec, plan: Plan, gone: Callable[[Collection[str]], Sequence[str]]
) -> Sequence[str]:
    """Ids of the lost servers of the parts that an operation builds; none where Nova does not
    let its user see servers.

    :param gone: see ``cloud.servers.gone``.
    :raises CloudUnavailable: the backend or Nova does not answer.
    """
    focused = {
        part.key
        for part in plan
        if spec.focus in (None, part.node_group) and spec.builds(part.node_group, part.generation)
    }
    needed = {key for part in plan if part.key in focused for key in part.requires}
    made = {
        server
        for part in plan
        if part.key in focused | needed
        for server in access.members(part.name).servers
    }
    try:
        return gone(made) if made else ()
    except CloudUnavailable:
        raise
    except CloudError as error:
        LOG.warning('Cluster %s: no look for lost servers: %s', spec.uuid, error)
        return ()
