"""A form of delegation: what a caller's token can make in Keystone, for others to act by later."""

import abc
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from magnum_lite.context import RequestContext


@dataclass(frozen=True)
class Delegation:
    """One that was made.

    :ivar id: finds it again; the ledger's ``external_id``.
    :ivar secrets: ``{purpose: text}`` of what a cluster's spec gets of it, see ``ClusterSpec``.
    :ivar note: what the journal tells of it.
    """

    id: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    note: str = ''


class Form(abc.ABC):
    """Makes delegations of one form, finds and deletes them.

    :cvar word: as the ledger calls it.
    :cvar noun: as users call it.
    """

    word: ClassVar[str]
    noun: ClassVar[str]

    @abc.abstractmethod
    def name(self, context: RequestContext) -> str:
        """A new name: known before the delegation is made, enough to find it afterwards."""

    @abc.abstractmethod
    def make(self, context: RequestContext, name: str) -> Delegation:
        """Make one with the rights of a request's token.

        :raises DelegationRefused: the token may not, and nothing was made.
        :raises Unavailable: Keystone does not answer; it may have been made.
        """

    @abc.abstractmethod
    def revoke(self, context: RequestContext, made: Delegation) -> None:
        """Delete it with the token that made it.

        :raises Unavailable: it could not be done.
        """

    @abc.abstractmethod
    def find(self, name: str) -> str | None:
        """The id of the one with that name, None if there is none.

        :raises CloudUnavailable: Keystone does not answer, or not to the service user.
        """

    @abc.abstractmethod
    def delete(self, ident: str) -> str | None:
        """Delete it without its maker's token.

        :returns: None when it is gone, else why it cannot be deleted.
        :raises CloudUnavailable: as ``find``.
        """
