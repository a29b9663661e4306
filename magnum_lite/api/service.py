"""Service: what all requests of one application share."""

from dataclasses import dataclass

from oslo_config import cfg

from magnum_lite.api.places import Places
from magnum_lite.cloud.lookups import Memory
from magnum_lite.db.engine import Database
from magnum_lite.delegation.delegations import Delegations
from magnum_lite.rpc import Asker, Waker
from magnum_lite.secrets.vault import Vault


@dataclass(frozen=True)
class Service:
    """The parts of an application; nothing of it is connected before the first request."""

    conf: cfg.ConfigOpts
    db: Database
    waker: Waker
    asker: Asker
    vault: Vault
    memory: Memory
    delegations: Delegations
    enrolling: Places
