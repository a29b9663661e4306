"""Documents of clusters, groups and templates: their rows, and what is computed from others."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from magnum_lite.api import schema
from magnum_lite.api.endpoint import Request
from magnum_lite.api.links import links
from magnum_lite.db import store
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup
from magnum_lite.objects.fields import MAX_INT
from magnum_lite.objects.operation import AT_WORK, OPEN, RUN
from magnum_lite.objects.statuses import WITH_FAULTS

# What the document of a cluster takes from the rows beside it.
OF_GROUPS = (
    'cluster_id',
    'name',
    'role',
    'status',
    'status_reason',
    'node_count',
    'node_addresses',
)
OF_TEMPLATES = ('uuid', 'labels')
OF_OPERATIONS = ('cluster_id', 'state', 'slot', 'owner', 'lease_until', 'created_at', 'updated_at')
PATIENCE_S = 30  # until a change says that no conductor has it; most are claimed in a second


def may_wait(rows: Iterable[Any]) -> list[str]:
    """Uuids of those clusters whose operation may wait for a conductor."""
    before = store.utcnow() - datetime.timedelta(seconds=PATIENCE_S)
    return [
        row.uuid
        for row in rows
        if row.status.endswith('_IN_PROGRESS') and naive(row.updated_at or row.created_at) < before
    ]


def waits(operation: Any) -> str | None:
    """A sentence where no conductor has an operation that may run, for some time already."""
    if operation.state not in OPEN or operation.slot != RUN:
        return None
    since = naive(
        operation.lease_until if operation.owner else operation.updated_at or operation.created_at
    )
    if since > store.utcnow() - datetime.timedelta(seconds=PATIENCE_S):
        return None
    return f'waits for a conductor since {since:%Y-%m-%d %H:%M:%S} UTC'


def phase_left_s(operation: Any) -> int | None:
    """Seconds until the end of the operation's phase, if it goes on as it went since the phase
    began; None where nothing was done in it, or nobody is at it."""
    done, total, first = operation.phase_done, operation.phase_total, operation.phase_first
    if (
        operation.state not in AT_WORK
        or waits(operation)
        or None in (done, total, first)
        or done <= first
    ):
        return None
    passed_s = (store.utcnow() - naive(operation.phase_since)).total_seconds()
    left_s: int = min(max(0, round(passed_s * (total - done) / (done - first))), MAX_INT)
    return left_s


def naive(moment: datetime.datetime) -> datetime.datetime:
    """The moment as rows have it: UTC without a zone; objects have one."""
    return moment.replace(tzinfo=None)


def cluster(
    request: Request,
    row: Any,
    groups: Iterable[Any],
    template_labels: Mapping[str, str],
    *,
    with_faults: bool = False,
    operations: Iterable[Any] = (),
) -> dict[str, Any]:
    """The document of a cluster.

    :param groups: rows of its node groups.
    :param operations: the row of the operation that may run, where one may wait.
    :param with_faults: whether a failed cluster shows the reasons of its groups.
    """
    counts = {True: 0, False: 0}
    addresses: dict[bool, list[str]] = {True: [], False: []}
    faults = {}
    for group in groups:
        is_master = group.role == 'master'
        counts[is_master] += group.node_count
        addresses[is_master] += group.node_addresses
        if group.status.endswith('FAILED'):
            faults[group.name] = group.status_reason or ''
    texts = [text for found in operations if (text := waits(found))]
    waiting = {'status_reason': texts[0]} if texts else {}
    document = schema.view(
        Cluster,
        row,
        request.version,
        node_count=counts[False],
        master_count=counts[True],
        node_addresses=addresses[False],
        master_addresses=addresses[True],
        merge_labels=False,
        cluster_id=row.stack_id,
        links=links(request.base, 'clusters', row.uuid),
        **difference(row.labels, template_labels),
        **waiting,
    )
    if with_faults and row.status in WITH_FAULTS:
        document['faults'] = faults
    return document


def clusters(
    request: Request,
    rows: Sequence[Any],
    groups: Iterable[Any],
    templates: Iterable[Any],
    operations: Iterable[Any] = (),
) -> list[dict[str, Any]]:
    """The documents of many clusters.

    :param groups: rows of the node groups of all of them.
    :param templates: rows of their templates.
    :param operations: as ``cluster``.
    """
    running = {operation.cluster_id: [operation] for operation in operations}
    by_cluster = defaultdict(list)
    for group in groups:
        by_cluster[group.cluster_id].append(group)
    template_labels = {template.uuid: template.labels for template in templates}
    return [
        cluster(
            request,
            row,
            by_cluster[row.uuid],
            template_labels.get(row.cluster_template_id, {}),
            operations=running.get(row.uuid, ()),
        )
        for row in rows
    ]


def nodegroup(request: Request, row: Any, cluster_labels: Mapping[str, str]) -> dict[str, Any]:
    """The document of a node group."""
    return schema.view(
        NodeGroup,
        row,
        request.version,
        id=row.id,
        merge_labels=False,
        links=links(request.base, 'clusters', row.cluster_id, 'nodegroups', row.uuid),
        **difference(row.labels, cluster_labels),
    )


def cluster_template(request: Request, row: Any) -> dict[str, Any]:
    """The document of a cluster template."""
    return schema.view(
        ClusterTemplate,
        row,
        request.version,
        links=links(request.base, 'clustertemplates', row.uuid),
    )


def difference(labels: Mapping[str, str], parent: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """``labels_overridden``, ``labels_added`` and ``labels_skipped`` against a parent's labels."""
    return {
        'labels_overridden': {
            name: value for name, value in parent.items() if labels.get(name, value) != value
        },
        'labels_added': {name: value for name, value in labels.items() if name not in parent},
        'labels_skipped': {name: value for name, value in parent.items() if name not in labels},
    }
