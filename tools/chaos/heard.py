"""Compares the notifications that were heard with those that the outbox has."""

from collections import defaultdict

# So long after a fault that may double them a worker may send again what it could not mark as sent.
DOUBLING_S = 60


def wrong(world):
    """Each was heard, and those of a cluster in order of the outbox."""
    first = {}
    for place, heard in enumerate(world.heard):
        first.setdefault(heard.id, place)
    places = defaultdict(list)
    for row in world.rows['outbox']:
        if row['uuid'] not in first:
            kind, how = (
                ('stuck', 'not sent')
                if row['sent_at'] is None
                else ('lost', 'marked as sent and not heard')
            )
            yield kind, f'notification {row["event_type"]} {row["uuid"]} is {how}'
        else:
            places[row['payload']['target']['id']].append(first[row['uuid']])
    for cluster, order in places.items():
        if order != sorted(order):
            yield 'doubled', f'notifications of cluster {cluster} came out of order'
    for ident in doubles(world)[1]:
        yield 'doubled', f'notification {ident} was heard again, and nothing was hurt'


def doubles(world):
    """(ids heard again near a fault that may do that, ids heard again without).

    At least once is promised, and not exactly once; without a fault nothing comes twice.
    """
    times, excused, others = defaultdict(list), [], []
    for heard in world.heard:
        times[heard.id].append(heard.at_s)
    for ident, moments in times.items():
        if len(moments) > 1:
            near = any(
                begin <= moments[-1] and moments[0] <= end + DOUBLING_S
                for begin, end in world.doubling
            )
            (excused if near else others).append(ident)
    return excused, others
