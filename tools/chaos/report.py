"""What a run shows, in lines."""

from collections import Counter

from tools.chaos.checker import KINDS

MOST_LINES = 40  # of one kind


def lines(faults, doors, counts, doubles, violations):
    """The lines of a report.

    :param faults: that were made.
    :param doors: {name: how often its faults changed something}.
    :param counts: of answers.
    :param doubles: how many notifications came again near a fault.
    :param violations: [(kind, sentence)].
    """
    yield 'faults injected:'
    made = Counter((fault.target, fault.kind) for fault in faults)
    for (target, kind), count in sorted(made.items()):
        yield f'  {target:12} {kind:10} {count:4d}'
    yield 'struck by doors: ' + ', '.join(f'{name} {count}' for name, count in doors.items())
    yield 'requests: ' + ', '.join(f'{name} {count}' for name, count in counts.items())
    yield f'notifications that came again near a fault, as is allowed: {doubles}'
    found = Counter(kind for kind, _text in violations)
    yield 'found: ' + ', '.join(f'{kind} {found[kind]}' for kind in KINDS)
    for kind in KINDS:
        texts = [text for found_kind, text in violations if found_kind == kind]
        yield from (f'  {kind}: {text}' for text in texts[:MOST_LINES])
        if len(texts) > MOST_LINES:
            yield f'  {kind}: and {len(texts) - MOST_LINES} more'
