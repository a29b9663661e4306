"""What a step leaves behind that is not the last: where the operation is, and when to look next."""

import random
from typing import Any

from oslo_config import cfg

from magnum_lite.db import claims, journal, store
from magnum_lite.db.engine import Connection
from magnum_lite.driver_sdk import Waiting
from magnum_lite.objects import Operation


def record(
    connection: Connection, operation: Operation, progress: Waiting, check_in_s: float
) -> None:
    """Write it, with the fence of the run; what is new stands in the journal too.

    :param progress: with an empty reason where the step did not come so far as to have one.
    :raises LostClaim: the operation is another worker's now.
    """
    reason = progress.reason or operation.progress
    trouble = progress.trouble or None
    troubles = operation.troubles + bool(trouble and progress.reason)
    if not trouble and troubles and not _is_news(operation, progress):
        trouble = operation.trouble  # what failed is being done again: no success yet
    claims.wait(
        connection,
        operation,
        progress=reason,
        check_in_s=check_in_s,
        troubles=troubles,
        trouble=trouble,
        place=_place(operation, progress),
    )
    entered = f'phase {progress.phase}' if _enters(operation, progress) else None
    if entered or reason != operation.progress or trouble != operation.trouble:
        journal.note(connection, operation, ': '.join(filter(None, (entered, reason, trouble))))


def pause_s(options: cfg.ConfigOpts.GroupAttr, operation: Operation, progress: Waiting) -> float:
    """Seconds until the next look: doubling while nothing happens, with jitter.

    :param options: the settings ``[conductor]``.
    """
    if progress.check_after_s is not None:
        return progress.check_after_s
    pause: float = options.poll_min_s
    if progress.trouble or not _is_news(operation, progress):
        pause = max(pause, min(2 * operation.interval_ms / 1000, options.poll_max_s))
    return pause * random.uniform(0.8, 1.2)  # noqa: S311 - no secret


def _is_news(operation: Operation, progress: Waiting) -> bool:
    """Whether the step came further than the one before, as far as the driver says."""
    if progress.reason not in ('', operation.progress):
        return True
    return progress.phase is not None and (progress.phase, progress.done, progress.total) != (
        operation.phase,
        operation.phase_done,
        operation.phase_total,
    )


def _enters(operation: Operation, progress: Waiting) -> bool:
    return progress.phase not in (None, operation.phase)


def _place(operation: Operation, progress: Waiting) -> dict[str, Any]:
    """Columns for what the step says of its phase; none where it says nothing."""
    if progress.phase is None:
        return {}
    place = {
        'phase': progress.phase,
        'phase_done': progress.done,
        'phase_total': progress.total,
        'phase_cursor': progress.cursor,
    }
    if _enters(operation, progress):
        place |= {'phase_since': store.utcnow(), 'phase_first': progress.done}
    return place
