"""What a caller's token can make for a cluster, so that others may act for the caller later."""

import abc
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from magnum_lite.context import RequestContext


@dataclass(frozen=True)
class Lent:
    """One thing that was made.

    :ivar id: finds it again; the ledger's ``external_id``.
    :ivar secrets: ``{purpose: text}`` of what a cluster's spec gets of it, see ``ClusterSpec``.
    :ivar note: what the journal tells of it.
    """

    id: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    note: str = ''


class Lender(abc.ABC):
    """Makes things of one kind in Keystone, finds and deletes them.

    :cvar kind: as the ledger calls it.
    :cvar noun: as users call it.
    """

    kind: ClassVar[str]
    noun: ClassVar[str]

    @abc.abstractmethod
    def name(self, context: RequestContext) -> str:
        """A new name: known before the thing is made, enough to find it afterwards."""

    @abc.abstractmethod
    def make(self, context: RequestContext, name: str) -> Lent:
        """Make one with the rights of a request's token.

        :raises DelegationRefused: the token may not, and nothing was made.
        :raises Unavailable: Keystone does not answer; it may have been made.
        """

    @abc.abstractmethod
    def take_back(self, context: RequestContext, lent: Lent) -> None:
        """Delete it with the token that made it.

        :raises Unavailable: it could not be done.
        """

    @abc.abstractmethod
    def find(self, name: str) -> str | None:
        """The id of the one with that name, None if there is none.

        :raises CloudUnavailable: Keystone does not answer, or not to the service user.
        """

    @abc.abstractmethod
    def delete(self, lent_id: str) -> str | None:
        """Delete it without its maker's token.

        :returns: None when it is gone, else why it cannot be deleted.
        :raises CloudUnavailable: as ``find``.
        """
