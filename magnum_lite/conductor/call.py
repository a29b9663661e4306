"""The only place where a driver is called; lets only the errors of the SDK out."""

import logging
import time
import traceback
from typing import Any

from magnum_lite.driver_sdk import Driver, DriverError, FailedError, ScaleManager

LOG = logging.getLogger(__name__)


def call(driver: Driver | ScaleManager, method: str, *args: Any) -> Any:
    """What ``driver.method(*args)`` returns; or a scale manager's, which is the driver's too.

    :raises DriverError: whatever the driver meant to raise, or FailedError for anything else: the
        user reads a general text, the operator the traceback in the log.
    """
    began = time.monotonic()
    name = getattr(driver, 'name', type(driver).__name__)
    try:
        return getattr(driver, method)(*args)
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
