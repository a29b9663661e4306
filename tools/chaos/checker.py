"""Compares what was promised with what there is."""

from collections import Counter

from magnum_lite.db.ledger import PART
from magnum_lite.db.usage import CLUSTER
from tools.chaos import heard
from tools.chaos.world import LENT

# void: the run shows nothing.
KINDS = ('lost', 'stuck', 'failed', 'doubled', 'left over', 'void')
_OF_CLUSTERS = ('nodegroups', 'certificates', 'secrets', 'enrolments')


def after_storm(world, answers):
    """[(kind of ``KINDS``, sentence)]: what is wrong once all had time to settle."""
    return [
        *_promises(world, answers),
        *_operations(world),
        *_clusters(world, answers),
        *_stacks(world),
        *_tags(world),
        *_counts(world),
        *_servers(world),
        *_keys(world),
        *_lent(world),
        *heard.wrong(world),
    ]


def after_deletion(world):
    """[(kind of ``KINDS``, sentence)]: what is still there after every cluster was deleted."""
    found = [
        ('left over', f'{len(world.rows[table])} rows of {table}')
        for table in ('clusters', *_OF_CLUSTERS)
        if world.rows[table]
    ]
    found += [
        ('left over', f'{row["kind"]} {row["name"]} in the ledger')
        for row in world.rows['ledger']
        if row['closed_at'] is None
    ]
    found += [
        ('left over', f'{stack.name} ({stack.status}) in Heat')
        for stacks in world.stacks.values()
        for stack in stacks
    ]
    found += [
        ('left over', f'{count} servers of node group {group} of cluster {cluster}')
        for (cluster, group), count in world.servers.items()
        if count
    ]
    found += [
        ('left over', f'{count} {table} in the cloud')
        for table, count in world.cloud.items()
        if count and table != 'servers'
    ]
    return [*found, *_lent(world), *_operations(world), *_counts(world), *heard.wrong(world)]


def nothing_shown(faults, doors, counts):
    """[(kind of ``KINDS``, sentence)]: why a run in which nothing is wrong would show nothing.

    :param faults: that were made.
    :param doors: {name: how often its faults changed something}.
    :param counts: of answers.
    """
    found = []
    if not counts['accepted']:
        found.append(('void', 'no request was accepted'))
    if not faults:
        found.append(('void', 'no fault was made'))
    if doors and not any(doors.values()):
        found.append(('void', 'no fault of a door changed anything'))
    return found


def _promises(world, answers):
    """Every change that was accepted is in the journal, by its request id; no answer is a 500."""
    known = {
        row['request_id']
        for table in ('operations', 'cluster_versions')
        for row in world.rows[table]
    }
    doomed = {row['cluster_id'] for row in world.rows['operations'] if row['kind'] == 'delete'}
    # A deletion that is asked for again while it runs is accepted, and one operation does both.
    groups = {
        (answer.cluster, answer.group)
        for answer in answers
        if answer.kind == 'nodegroup_delete'
        and (answer.status is None or answer.status >= 500 or answer.request_id in known)
    }
    for answer in answers:
        # A part that is away is foreseen, 503; anything else is not.
        if answer.status is not None and answer.status >= 500 and answer.status != 503:
            yield (
                'failed',
                (
                    f'{answer.kind} of {answer.name} was answered {answer.status} '
                    f'({answer.request_id})'
                ),
            )
        if (
            answer.kind == 'delete'
            and answer.cluster in doomed
            or (answer.kind == 'nodegroup_delete' and (answer.cluster, answer.group) in groups)
        ):
            continue
        if answer.kind != 'list' and answer.is_accepted and answer.request_id not in known:
            yield (
                'lost',
                (
                    f'{answer.kind} of {answer.name} was answered {answer.status} '
                    f'({answer.request_id}) and is in no journal'
                ),
            )


def _operations(world):
    for row in world.rows['operations']:
        what = f'{row["kind"]} {row["uuid"]} of cluster {row["cluster_id"]}'
        if row in world.open:
            yield 'stuck', f'{what} is {row["state"]}: {row["progress"]}'
        elif row['state'] == 'FAILED':
            yield 'failed', f'{what}: {row["error_code"]}: {row["error_text"]}'


def _clusters(world, answers):
    there = {row['uuid'] for row in world.rows['clusters']}
    doomed = {
        answer.cluster
        for answer in answers
        if answer.kind == 'delete'
        and (answer.status is None or answer.status >= 500 or answer.is_accepted)
    }
    for answer in answers:
        if answer.kind == 'create' and answer.is_accepted:
            if answer.cluster not in there | doomed:
                yield 'lost', f'cluster {answer.name} ({answer.cluster}) was accepted and is gone'
    for answer in answers:
        if answer.kind == 'delete' and answer.is_accepted and answer.cluster in there:
            yield 'stuck', f'cluster {answer.name} ({answer.cluster}) was to be deleted and is not'
    names = Counter((row['project_id'], row['name']) for row in world.rows['clusters'])
    for (_project, name), count in names.items():
        if count > 1:
            yield 'doubled', f'{count} clusters have the name {name}'
    for table in ('clusters', 'nodegroups'):
        for row in world.rows[table]:
            if row['status'].endswith('_IN_PROGRESS'):
                yield 'stuck', f'{table[:-1]} {row["name"]} ({row["uuid"]}) is {row["status"]}'


def _stacks(world):
    """Heat has what the ledger says, once each, whole."""
    names = Counter(stack.name for stacks in world.stacks.values() for stack in stacks)
    noted = {
        row['name']
        for row in world.rows['ledger']
        if row['kind'] == PART and row['closed_at'] is None
    }
    for name in sorted(noted - names.keys()):
        yield 'lost', f'stack {name} is in the ledger and not in Heat'
    for name in sorted(names.keys() - noted):
        yield 'left over', f'stack {name} is in Heat and not in the ledger'
    for name, count in names.items():
        if count > 1:
            yield 'doubled', f'{count} stacks have the name {name}'
    for stacks in world.stacks.values():
        for stack in stacks:
            if not stack.status.endswith('_COMPLETE'):
                yield 'failed', f'stack {stack.name} is {stack.status}'


def _tags(world):
    """A stack is found by its tag: each has that of its cluster, and no other."""
    there = {row['uuid'] for row in world.rows['clusters']}
    owners = {
        row['name']: row['cluster_id']
        for row in world.rows['ledger']
        if row['kind'] == PART and row['closed_at'] is None
    }
    for stack in (stack for stacks in world.stacks.values() for stack in stacks):
        for cluster in sorted(set(stack.clusters) - there):
            yield 'left over', f'stack {stack.name} has the tag of cluster {cluster}, not there'
        owner = owners.get(stack.name)
        if owner and owner not in stack.clusters:
            yield 'lost', f'stack {stack.name} has no tag of its cluster {owner}'
        if len(stack.clusters) > 1:
            yield 'doubled', f'stack {stack.name} has the tags of {len(stack.clusters)} clusters'


def _counts(world):
    """The quota counts the clusters."""
    clusters = Counter(row['project_id'] for row in world.rows['clusters'])
    used = {
        row['project_id']: row['in_use']
        for row in world.rows['usages']
        if row['resource'] == CLUSTER
    }
    for project in sorted(clusters.keys() | used.keys()):
        if clusters[project] != used.get(project, 0):
            yield (
                'lost',
                (
                    f'{project} has {clusters[project]} clusters and its quota counts '
                    f'{used.get(project, 0)}'
                ),
            )


def _servers(world):
    """Each node group of each cluster has as many as it names, and nobody else has any."""
    named = {
        (row['cluster_id'], row['uuid']): row['node_count'] for row in world.rows['nodegroups']
    }
    for where in sorted(named.keys() | world.servers.keys(), key=str):
        there, wanted = world.servers.get(where, 0), named.get(where, 0)
        if there != wanted:
            cluster, group = where
            yield (
                ('lost' if there < wanted else 'left over'),
                (f'node group {group} of cluster {cluster} has {there} servers and names {wanted}'),
            )


def _keys(world):
    """Certificates have their keys, and nothing belongs to a cluster that is not there."""
    there = {row['uuid'] for row in world.rows['clusters']}
    sealed = {row['ref'] for row in world.rows['secrets']}
    for row in world.rows['certificates']:
        if row['key_ref'] not in sealed:
            yield 'lost', f'the key of certificate {row["uuid"]} of cluster {row["cluster_id"]}'
    for table in _OF_CLUSTERS:
        for row in world.rows[table]:
            if row['cluster_id'] not in there:
                yield 'left over', f'{table} has a row of cluster {row["cluster_id"]}, deleted'


def _lent(world):
    """Keystone has what the ledger says that users lent: no more, also of broken requests."""
    noted = [
        row for row in world.rows['ledger'] if row['kind'] in LENT and row['closed_at'] is None
    ]
    for row in noted:
        if row in world.strays:
            yield 'stuck', f'{row["kind"]} {row["name"]} of a request that broke off is not ended'
        elif (row['kind'], row['external_id']) not in world.lent:
            yield 'lost', f'{row["kind"]} {row["external_id"]} of cluster {row["cluster_id"]}'
    known = {(row['kind'], row['name']) for row in noted}
    for (kind, ident), name in world.lent.items():
        if (kind, name) not in known:
            yield 'left over', f'{kind} {ident} ({name}) is in Keystone and not in the ledger'
