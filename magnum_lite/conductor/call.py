"""The only place where a driver is called; lets only the errors of the SDK out."""

import itertools
import logging
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from magnum_lite.driver_sdk import (
    CloudUnavailable,
    ClusterSpec,
    Driver,
    DriverError,
    FailedError,
    Monitor,
    Plan,
    Progress,
    ScaleManager,
    Status,
)
from magnum_lite.driver_sdk.backend import Backend

T = TypeVar('T')
LOG = logging.getLogger(__name__)


def call(
    driver: Driver | ScaleManager | Monitor | Backend, method: str, *args: Any, **kwargs: Any
) -> Any:
    """What ``driver.method(...)`` returns; or that of its managers and its backend, which are the
    driver's too.

    :raises DriverError: whatever the driver meant to raise, or FailedError for anything else: the
        user reads a general text, the operator the traceback in the log.
    """
    name = getattr(driver, 'name', type(driver).__name__)
    return _guarded(name, method, lambda: getattr(driver, method)(*args, **kwargs))


def progress_of(driver: Driver, method: str, *args: Any) -> Progress:
    """As ``call``, of a method that takes a step: what is no progress counts as none.

    :raises DriverError: as ``call``; FailedError too where something else was answered.
    """
    progress: Progress = _of(Progress, driver, method, call(driver, method, *args))
    return progress


def plan_of(driver: Driver, method: str, spec: ClusterSpec) -> Plan:
    """As ``progress_of``, of a dry run; its parts can be read.

    :raises DriverError: as ``progress_of``.
    """
    plan: Plan = _of(Plan, driver, method, call(driver, method, spec))
    parts = _guarded(
        driver.name,
        method,
        lambda: [(part.key, part.name, part.digest, part.node_group or '') for part in plan],
    )
    for text in itertools.chain(*parts):
        _of(str, driver, method, text)
    return plan


def indexes_of(
    driver: Driver, manager: ScaleManager, method: str, *args: Any, **kwargs: Any
) -> tuple[int, ...]:
    """As ``progress_of``, of a method that chooses members; sorted, each once."""
    found: tuple[int, ...] = _of(tuple, driver, method, call(manager, method, *args, **kwargs))
    for index in found:
        _of(int, driver, method, index)
    return tuple(sorted(set(found)))


def status_of(driver: Driver, *args: Any) -> Status:
    """As ``progress_of``, of ``get_status``."""
    found: Status = _of(Status, driver, 'get_status', call(driver, 'get_status', *args))
    return found


def ask(backend: Backend, method: str, work: Callable[..., T], *args: Any) -> T:
    """What a method of a backend gives, in a step: what it must not raise is trouble by its name,
    and the step is taken again.

    :raises DriverError: as the backend does.
    :raises CloudUnavailable: it raised something else, which the log tells.
    """
    try:
        return work(*args)
    except DriverError:
        raise
    except Exception as error:
        LOG.exception('%s failed in %s', backend.title, method)
        raise CloudUnavailable(
            f'{backend.title} failed in {method} with {type(error).__name__}. The request id finds '
            "the reason in the conductor's log"
        ) from error


def _guarded(name: str, method: str, work: Callable[[], Any]) -> Any:
    began = time.monotonic()
    try:
        return work()
    except DriverError:
        raise
    except Exception as error:
        raise FailedError(
            f'Driver {name} failed in {method}. The request id finds the reason in the '
            f"conductor's log",
            traceback.format_exc(),
        ) from error
    finally:
        LOG.debug('Driver %s: %s took %.3f s', name, method, time.monotonic() - began)


def _of(kind: Any, driver: Driver, method: str, answer: Any) -> Any:
    if not isinstance(answer, kind):
        raise FailedError(
            f'Driver {driver.name} answered what it must not in {method}. The '
            "request id finds it in the conductor's log",
            f'{method} returned {answer!r}',
        )
    return answer
