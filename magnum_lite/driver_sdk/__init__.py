"""What a driver package may import: the contract, and nothing else of the service.

``CONTRACT`` is the version of the contract as (major, minor): a conductor refuses a driver
of another major and accepts any minor up to its own.
"""

from magnum_lite.driver_sdk.cause import Cause
from magnum_lite.driver_sdk.cloud import Cloud, Heat, StackView
from magnum_lite.driver_sdk.driver import Driver
from magnum_lite.driver_sdk.errors import (
    CloudError,
    CloudUnavailable,
    DriverError,
    FailedError,
    NotSupported,
    Rejected,
)
from magnum_lite.driver_sdk.heat import HeatDriver
from magnum_lite.driver_sdk.monitor import Health, Monitor
from magnum_lite.driver_sdk.plan import Output, Part, Plan, Stack, digest_of
from magnum_lite.driver_sdk.quoting import quoted
from magnum_lite.driver_sdk.scale import ScaleManager
from magnum_lite.driver_sdk.spec import (
    APPLICATION_CREDENTIAL,
    ClusterSpec,
    Image,
    Network,
    NodeGroupSpec,
    Secret,
)
from magnum_lite.driver_sdk.status import DONE, Done, Failed, Progress, Status, Waiting

CONTRACT = (1, 1)

__all__ = [
    'APPLICATION_CREDENTIAL',
    'CONTRACT',
    'Cause',
    'Cloud',
    'CloudError',
    'CloudUnavailable',
    'ClusterSpec',
    'DONE',
    'Done',
    'Driver',
    'DriverError',
    'Failed',
    'FailedError',
    'Health',
    'Heat',
    'HeatDriver',
    'Image',
    'Monitor',
    'Network',
    'NodeGroupSpec',
    'NotSupported',
    'Output',
    'Part',
    'Plan',
    'Progress',
    'Rejected',
    'ScaleManager',
    'Secret',
    'Stack',
    'StackView',
    'Status',
    'Waiting',
    'digest_of',
    'quoted',
]
