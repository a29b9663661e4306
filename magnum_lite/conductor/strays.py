"""The look for what interrupted requests left behind; apart, since Keystone may be slow."""

import logging
import threading

from oslo_config import cfg

from magnum_lite.cloud.trusts import Trusts
from magnum_lite.conductor.delegation import end_strays
from magnum_lite.db.engine import AWAY, Database
from magnum_lite.driver_sdk import CloudError

LOG = logging.getLogger(__name__)


class Strays:
    """The loop of one worker; several do no harm."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, trusts: Trusts):
        self._older_s = conf.conductor.stray_s
        self._database = database
        self._trusts = trusts
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look until stopped; database and Keystone may be away for a while."""
        while not self._stopping.wait(self._older_s / 2):
            try:
                end_strays(self._trusts, self._database, older_s=self._older_s)
            except (*AWAY, CloudError) as error:
                LOG.warning('No look for stray trusts, it is tried again: %s', error)

    def stop(self) -> None:
        """End ``run``."""
        self._stopping.set()
