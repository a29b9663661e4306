"""How an operation fails: the code for programs, and the text for people."""

import logging

from magnum_lite.driver_sdk import CloudError, DriverError, Failed, FailedError, Rejected, Waiting
from magnum_lite.objects import Operation

LOG = logging.getLogger(__name__)


def too_late(operation: Operation) -> Failed:
    """One that took longer than its user allowed."""
    trouble = f'. The last error was: {operation.trouble}' if operation.trouble else ''
    return Failed(
        'timeout',
        'It took longer than allowed and was given up. The last step was: '
        f'{operation.progress or "the first"}{trouble}',
    )


def too_dangerous(operation: Operation) -> Failed:
    """One that may be what kills its workers."""
    return Failed(
        'worker-lost',
        f'{operation.attempts} workers in a row were lost during a step '
        'of it, so it was given up. The logs of the conductors and of '
        'their hosts have the reason',
    )


def given_up(operation: Operation, progress: Waiting) -> Failed:
    """One in which nothing succeeds any more."""
    since = f'{operation.trouble_since:%Y-%m-%d %H:%M:%S}'
    return Failed(
        'trouble',
        f'Nothing has succeeded since {since} UTC, however often it was '
        f'tried, so it was given up. The last error was: {progress.trouble}',
        progress.causes,
    )


def tell(operation: Operation, error: DriverError) -> None:
    """Log what is for operators alone."""
    if isinstance(error, FailedError):
        for line in error.operator.splitlines():  # each with the request id: people use grep
            LOG.error('Operation %s: %s', operation.uuid, line)


def of_error(operation: Operation, error: DriverError) -> Failed:
    """One whose driver, or whose cloud, refuses."""
    tell(operation, error)
    if isinstance(error, FailedError):
        return Failed('driver-failed', error.user)
    if isinstance(error, Rejected):
        return Failed('driver-rejected', str(error))
    if isinstance(error, CloudError):
        return Failed('cloud-refused', str(error))
    return Failed('not-supported', str(error))
