"""Steps as the conductor takes them: each is told where the one before it left the operation."""

import dataclasses
import json
from collections.abc import Callable

from magnum_lite.driver_sdk.cloud import Cloud
from magnum_lite.driver_sdk.spec import ClusterSpec
from magnum_lite.driver_sdk.status import Progress, Waiting

Method = Callable[[Cloud, ClusterSpec], Progress]


class Steps:
    """The steps of one operation.

    :ivar spec: what the next step is given, its place included.
    :ivar entered: what the first step of each phase is given, in order.
    """

    def __init__(self, method: Method, spec: ClusterSpec):
        self.spec = spec
        self.entered: list[ClusterSpec] = []
        self._method = method

    def take(self, cloud: Cloud) -> Progress:
        """One step; one that dies leaves the place as it was."""
        progress = self._method(cloud, self.spec)
        if isinstance(progress, Waiting) and progress.phase:
            # As a database keeps it.
            cursor = json.loads(json.dumps(progress.cursor))
            is_new = progress.phase != self.spec.phase
            self.spec = dataclasses.replace(self.spec, phase=progress.phase, cursor=cursor)
            if is_new:
                self.entered.append(self.spec)
        return progress
