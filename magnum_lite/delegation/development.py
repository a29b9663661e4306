"""Delegations without Keystone: nobody delegates rights, and everybody's are made up."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from magnum_lite.context import RequestContext
from magnum_lite.delegation.delegations import Delegations
from magnum_lite.delegation.grant import Grant
from magnum_lite.driver_sdk import DONE, Progress
from magnum_lite.objects import Cluster, Operation


class Development(Delegations):
    """Those of ``[identity] mode = development``."""

    @contextmanager
    def grant(
        self, context: RequestContext, cluster: Cluster, capabilities: Collection[str]
    ) -> Iterator[Grant]:
        """The made-up caller itself; its nodes have no credential."""
        yield Grant(
            {
                'mode': 'none',
                'user_id': context.user_id,
                'project_id': cluster.project_id,
                'roles': sorted(context.roles),
            },
            cluster.application_credential,
        )

    def foreseen(self, capabilities: Collection[str]) -> dict[str, Any]:
        """Nothing."""
        return {}

    def has_project(self, project_id: str) -> bool:
        """Any project is there."""
        return True

    def for_deletion(
        self,
        operation: Operation,
        look: Callable[[Mapping[str, Any]], object],
    ) -> Mapping[str, Any]:
        """The cluster's own, which nobody can end."""
        return operation.identity

    def renew(
        self, operation: Operation, refresh: Callable[[], Progress], credential: str | None
    ) -> Progress:
        """Nothing is to be renewed."""
        return DONE

    def revoke(self, operation: Operation) -> None:
        """Nothing was given."""

    def revoke_trusts(self, operation: Operation) -> None:
        """Nothing was given."""

    def revoke_strays(self, *, older_s: float) -> None:
        """Nothing was made."""
