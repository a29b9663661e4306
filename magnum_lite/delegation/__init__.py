"""Delegation: what callers give to their clusters, so that others may act for them later.

A *delegation* is one thing in Keystone, of one of two *forms*: a *trust* gives the owner's rights
to the operations of a cluster, an *application credential* gives some of them to its nodes. What
one request gives is a *grant*; the *identity* in it says whose rights operations use, see
``cloud/identity.py``. ``Delegations`` has all of them; development has its own, without Keystone.
"""

from oslo_config import cfg

from magnum_lite.cloud import identity
from magnum_lite.db.engine import Database
from magnum_lite.delegation.delegations import Delegations
from magnum_lite.delegation.development import Development
from magnum_lite.delegation.keystone import InKeystone
from magnum_lite.secrets.vault import Vault

__all__ = ['Delegations', 'of']


def of(conf: cfg.ConfigOpts, database: Database, vault: Vault) -> Delegations:
    """Those of a configuration; nothing is connected yet."""
    if identity.has_keystone(conf):
        return InKeystone(conf, database, vault)
    return Development()
