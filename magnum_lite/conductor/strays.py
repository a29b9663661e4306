"""The look for what interrupted requests left behind; apart, since Keystone may be slow."""

import logging
import threading

from oslo_config import cfg

from magnum_lite.cloud import transport
from magnum_lite.db.engine import AWAY
from magnum_lite.delegation import Delegations
from magnum_lite.driver_sdk import CloudError

LOG = logging.getLogger(__name__)


class Strays:
    """The loop of one worker; several do no harm."""

    def __init__(self, conf: cfg.ConfigOpts, delegations: Delegations):
        self._older_s = conf.conductor.stray_s
        self._delegations = delegations
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look until stopped; database and Keystone may be away for a while."""
        while not self._stopping.wait(self._older_s / 2):
            try:
                with transport.Gate(self._stopping.is_set):
                    self._delegations.revoke_strays(older_s=self._older_s)
            except transport.Stopped:
                return
            except (*AWAY, CloudError) as error:
                LOG.warning('No look for what broken requests left, it is tried again: %s', error)

    def stop(self) -> None:
        """End ``run``."""
        self._stopping.set()
