"""Delegations: whose rights clusters get, and how; one object for each process."""

import abc
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any

from magnum_lite.context import RequestContext
from magnum_lite.delegation.grant import Grant
from magnum_lite.driver_sdk import Progress
from magnum_lite.objects import Cluster, Operation

# The capability of drivers whose nodes authenticate at the cloud.
FOR_NODES = 'application_credential'


class Delegations(abc.ABC):
    """What requests and operations ask of whoever knows users and their rights."""

    @abc.abstractmethod
    def grant(
        self, context: RequestContext, cluster: Cluster, capabilities: Collection[str]
    ) -> AbstractContextManager[Grant]:
        """What the caller gives to a cluster; revoked when the block raises.

        :param capabilities: of the cluster's driver.
        :raises DelegationRefused: the caller's token may not.
        :raises Unavailable: nobody can say.
        """

    @abc.abstractmethod
    def foreseen(self, capabilities: Collection[str]) -> dict[str, Any]:
        """``{attribute of a cluster: value}`` that stands for a grant before there is one.

        :param capabilities: as ``grant``.
        """

    @abc.abstractmethod
    def has_project(self, project_id: str) -> bool:
        """Whether there is a project of that id, which may be any text.

        :raises CloudUnavailable: nobody can say.
        """

    @abc.abstractmethod
    def for_deletion(
        self,
        operation: Operation,
        look: Callable[[Mapping[str, Any]], object],
    ) -> Mapping[str, Any] | None:
        """The identity with whose rights a cluster is deleted; None if nobody will ever have any.

        :param look: looks at the cluster with the rights of an identity, or raises CloudError.
        :raises CloudError: the cluster's rights do not work now, though they still exist.
        :raises CloudUnavailable: nobody can say.
        """

    @abc.abstractmethod
    def renew(
        self, operation: Operation, refresh: Callable[[], Progress], credential: str | None
    ) -> Progress:
        """Take one step towards a cluster that has no rights but those of its new grant.

        :param refresh: takes one step towards a cloud that goes on with the new owner's rights.
        :param credential: id of the application credential that nodes have by now.
        :raises CloudError: as ``refresh``.
        :raises CloudUnavailable: nobody can say.
        """

    @abc.abstractmethod
    def revoke(self, operation: Operation) -> None:
        """End all that was given to a cluster which is gone.

        :raises CloudUnavailable: it is not done yet.
        """

    @abc.abstractmethod
    def revoke_trusts(self, operation: Operation) -> None:
        """End what gives a cluster the rights of its owner.

        :raises CloudUnavailable: it is not done yet.
        """

    @abc.abstractmethod
    def revoke_strays(self, *, older_s: float) -> None:
        """End what requests made that broke off before they were accepted.

        :param older_s: seconds after which a request must be over.
        :raises CloudUnavailable: it is not done yet.
        """
