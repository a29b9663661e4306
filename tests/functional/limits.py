"""What the tests of limits look at."""

HUGE = 2**31 - 1
WORKER = 'nodegroups/default-worker'


def limits(api, path):
    """(min_node_count, max_node_count) of a group as REST shows it."""
    group = api.ok('GET', path)
    return group['min_node_count'], group['max_node_count']
