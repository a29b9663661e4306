"""The look for what interrupted requests left behind; apart, since Keystone may be slow."""

import logging
import threading

from oslo_config import cfg

from magnum_lite.cloud import transport
from magnum_lite.cloud.lending import Lending
from magnum_lite.conductor.delegation import end_strays
from magnum_lite.db.engine import AWAY, Database
from magnum_lite.driver_sdk import CloudError

LOG = logging.getLogger(__name__)


class Strays:
    """The loop of one worker; several do no harm."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, lending: Lending):
        self._older_s = conf.conductor.stray_s
        self._database = database
        self._lending = lending
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look until stopped; database and Keystone may be away for a while."""
        while not self._stopping.wait(self._older_s / 2):
            try:
                with transport.Gate(self._stopping.is_set):
                    for lender in (self._lending.trusts, self._lending.application_credentials):
                        end_strays(lender, self._database, older_s=self._older_s)
            except transport.Stopped:
                return
            except (*AWAY, CloudError) as error:
                LOG.warning('No look for what broken requests left, it is tried again: %s', error)

    def stop(self) -> None:
        """End ``run``."""
        self._stopping.set()
