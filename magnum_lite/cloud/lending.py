"""All kinds of things that callers lend."""

from dataclasses import dataclass

from oslo_config import cfg

from magnum_lite.cloud.application_credentials import ApplicationCredentials
from magnum_lite.cloud.keystone import Keystone
from magnum_lite.cloud.trusts import Trusts


@dataclass(frozen=True)
class Lending:
    """The lenders of one process, with the Keystone that they share."""

    keystone: Keystone
    trusts: Trusts
    application_credentials: ApplicationCredentials

    @classmethod
    def of(cls, conf: cfg.ConfigOpts) -> 'Lending':
        """Those of a configuration; nothing is connected yet."""
        keystone = Keystone(conf)
        return cls(keystone, Trusts(keystone), ApplicationCredentials(conf, keystone))
