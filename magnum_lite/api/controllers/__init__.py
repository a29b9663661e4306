"""The endpoints, one module a noun; importing the package registers all of them."""

from magnum_lite.api.controllers import (
    certificates,
    cluster_actions,
    cluster_create,
    cluster_templates,
    cluster_upgrade,
    clusters,
    credentials,
    drivers,
    enrolments,
    federations,
    mservices,
    nodegroups,
    operations,
    quotas,
    root,
    stats,
)

__all__ = [
    'certificates',
    'cluster_actions',
    'cluster_create',
    'cluster_templates',
    'cluster_upgrade',
    'clusters',
    'credentials',
    'drivers',
    'enrolments',
    'federations',
    'mservices',
    'nodegroups',
    'operations',
    'quotas',
    'root',
    'stats',
]
