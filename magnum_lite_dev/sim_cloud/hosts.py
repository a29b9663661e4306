"""Hosts of servers, on paper: groups say who shares one and who does not."""

import hashlib

HINTS = ('os:scheduler_hints', 'OS-SCH-HNT:scheduler_hints')


def place(store, row, body) -> None:
    """Put a server on a host, and into the group that its request hints at.

    :raises Refusal: 404, no such group.
    """
    hints = next((body[name] for name in HINTS if name in body), {})
    number = 0
    if hints.get('group'):
        group = store.get('os-server-groups', hints['group'])
        taken = {
            server['_host'] for server in store.rows('servers') if server['id'] in group['members']
        }
        policies = [*(group.get('policies') or ()), group.get('policy')]
        if any(policy and policy.endswith('anti-affinity') for policy in policies):
            number = next(each for each in range(len(taken) + 1) if each not in taken)
        elif taken:
            number = min(taken)
        group['members'].append(row['id'])
    row['_host'] = number
    # As in Nova: nobody learns from it which projects share a host.
    row['hostId'] = hashlib.sha224(f'{row["tenant_id"]}host-{number}'.encode()).hexdigest()


def leave(store, row) -> None:
    """Take a server out of its groups."""
    for group in store.rows('os-server-groups'):
        if row['id'] in group['members']:
            group['members'].remove(row['id'])
