"""Endpoints: method, path, policy rule and what is accepted, said once in a decorator; and finding
the one that a request means.
"""

import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from magnum_lite.api import schema
from magnum_lite.api.document import NOTHING, Many, Patch, Shape
from magnum_lite.api.known_labels import KNOWN
from magnum_lite.api.microversion import RANGE, Version
from magnum_lite.api.service import Service
from magnum_lite.cloud.lookups import Lookups
from magnum_lite.context import RequestContext
from magnum_lite.db import store
from magnum_lite.db.engine import AWAY
from magnum_lite.db.store import ALL, Scope
from magnum_lite.exceptions import Forbidden, NotAcceptable, ServiceError
from magnum_lite.objects import Cluster, ClusterVersion, Operation, labels
from magnum_lite.objects.attribute import Attribute
from magnum_lite.policy import OF_PROJECTS

LOG = logging.getLogger(__name__)
# The header that ``Request.check_labels`` sets.
IGNORED_LABELS = {
    'Warning': 'Which labels mean nothing to the driver, or change nothing beside '
    'the others; they are kept.'
}
_DISCOVERY = ('/', '/v1')  # all other paths are below the version


@dataclass(frozen=True)
class Request:
    """One request, understood: what a handler is given.

    :ivar body: the decoded JSON, for endpoints that take one.
    :ivar query: ``{argument: text}``; only arguments that the endpoint knows.
    :ivar base: the URL that links start with, without /v1.
    :ivar headers: what a handler adds to the answer.
    """

    service: Service
    endpoint: 'Endpoint'
    context: RequestContext
    version: Version
    body: Any
    query: Mapping[str, str]
    base: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """Whose objects the caller sees here."""
        rule = self.endpoint.everywhere
        return ALL if rule and self.context.may(rule) else Scope(self.context.project_id)

    def given(self) -> dict[str, Any]:
        """``{attribute: value}`` of the body, as the endpoint declares it; null is absent.

        :raises BadRequest: the body is no object.
        :raises Invalid: an attribute is unknown, read-only, missing or ill-typed.
        """
        takes: Any = self.endpoint.takes  # a shape, of an endpoint whose handler asks
        return schema.create(takes, self.body, self.version)

    def check_labels(
        self,
        given: Mapping[str, str],
        driver: Any,
        around: Mapping[str, Any],
        own: Mapping[str, str] | None = None,
    ) -> str:
        """The sentence about labels that change nothing, which the answer has too; or ''.

        :param driver: row of the driver version that makes the cluster.
        :param around: as ``labels.idle``.
        :param own: of a node group: labels that are not its cluster's, and are told of alone.
        :raises Invalid: as ``labels.check``.
        """
        ignored = labels.check(
            given,
            driver.config_schema,
            known=KNOWN,
            literal=labels.is_literal(driver),
            accept_prefixed=own is not None,
            accept_unknown=self.service.conf.api.unknown_labels == 'accept',
        )
        told = given if own is None else own
        text = labels.sentence(
            driver.name,
            [name for name in ignored if name in told],
            {name: why for name, why in labels.idle(given, driver, around).items() if name in told},
        )
        if text:
            self.headers['Warning'] = f'299 - "{text}"'
        return text

    def lookups(self) -> Lookups:
        """Look-ups with the caller's token; a context manager."""
        return Lookups(self.service.conf, self.context, self.service.memory)

    def operation(
        self, cluster: Cluster, kind: str, reason: str, node_group: str | None = None
    ) -> Operation:
        """The caller's operation on a cluster.

        :param reason: why, in a sentence.
        :param node_group: uuid of the one group that it is of.
        """
        context = self.context
        return Operation.new(
            cluster_id=cluster.uuid,
            kind=kind,
            reason=reason,
            project_id=cluster.project_id,
            user_id=context.user_id,
            request_id=context.request_id,
            node_group=node_group,
            caller_project_id=context.project_id,
            identity=cluster.identity,
        )

    def admit(self) -> None:
        """Refuse a caller without a project what belongs to projects, before it is looked for.

        :raises Forbidden: the token has none.
        """
        if self.endpoint.rule in OF_PROJECTS and not self.context.project_id:
            raise Forbidden('A token of a project is needed')

    def authorize(self, owned: Any = None) -> None:
        """Check the endpoint's rule.

        :param owned: what has ``project_id`` and ``user_id``; None for the caller's own.
        :raises Forbidden: policy does not allow it.
        """
        target = (
            None if owned is None else {'project_id': owned.project_id, 'user_id': owned.user_id}
        )
        self.context.can(self.endpoint.rule, target)

    def accept(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What ``work(connection, ...)`` returns, done in the transaction that accepts the request.

        A connection that breaks at COMMIT leaves open whether the transaction took place: what is
        there was accepted.

        :param args: the Operation is among them, unless none is asked for.
        :raises oslo_db.exception.DBError: it is not there, or nobody can say.
        """
        operation = next((arg for arg in args if isinstance(arg, Operation)), None)
        # One that joins another takes the uuid of that.
        uuid = operation.uuid if operation else None
        returned: list[Any] = []

        def attempt(connection: Any) -> Any:
            returned.append(work(connection, *args, **kwargs))
            return returned[-1]

        try:
            return self.service.db.write(attempt)
        except AWAY as error:
            if not operation or not returned or not self._is_there(operation, uuid):
                raise
            LOG.warning(
                'Operation %s was accepted, though the answer to COMMIT was lost: %s',
                operation.uuid,
                error,
            )
            return returned[-1]

    def _is_there(self, operation: Operation, uuid: str | None) -> bool:
        try:
            with self.service.db.read() as connection:
                return bool(
                    store.count(connection, Operation, uuid=uuid)
                    or store.count(
                        connection,
                        ClusterVersion,
                        cluster_id=operation.cluster_id,
                        request_id=operation.request_id,
                    )
                )
        except AWAY as error:
            LOG.warning('Nobody knows whether operation %s was accepted: %s', uuid, error)
            return False


@dataclass(frozen=True)
class Endpoint:
    """What a path and a method do.

    :ivar rule: the policy rule; '' for what is public.
    :ivar everywhere: the rule that lets the caller see all projects; '' when none does.
    :ivar since: the first microversion that has it, ``(major, minor)``.
    :ivar status: of success; what answers ``NOTHING`` has 204.
    :ivar takes: what its body is; None for no body, which is not looked at then.
    :ivar answers: what it returns; None for what nobody has described.
    :ivar errors: what it raises beyond what every endpoint of its kind does.
    :ivar query: ``{argument: its attribute}``.
    :ivar headers: ``{header: what it says}`` that it adds to the answer.
    :ivar not_below: whether the items of its collection answer 400 to its method, and not 405.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    rule: str = ''
    everywhere: str = ''
    since: Version = RANGE[0]
    status: int = 200
    takes: Shape | Patch | None = None
    answers: Shape | Many | None = None
    errors: tuple[type[ServiceError], ...] = ()
    query: Mapping[str, Attribute] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    not_below: bool = False

    @property
    def place(self) -> str:
        """Its path, with the version."""
        return self.path if self.path in _DISCOVERY else f'/v1{self.path}'

    @property
    def needs_body(self) -> bool:
        """Whether it refuses a request without one."""
        return self.takes not in (None, NOTHING)

    @functools.cached_property
    def parts(self) -> list[tuple[str, str]]:
        """``(constant, '')`` or ``('', variable)`` for each part of the path."""
        return [
            ('', part[1:-1]) if part.startswith('{') else (part, '')
            for part in self.path.split('/')[1:]
        ]

    def variables(self, segments: list[str]) -> dict[str, str] | None:
        """The values of the path's variables; None when the path is another."""
        if len(self.parts) != len(segments):
            return None
        values = {}
        for (constant, variable), segment in zip(self.parts, segments, strict=True):
            if variable:
                values[variable] = segment
            elif constant != segment:
                return None
        return values

    def check_version(self, version: Version) -> None:
        """Refuse a version that is too old.

        :raises NotAcceptable: the endpoint came later.
        """
        if version < self.since:
            raise NotAcceptable(
                reason=f'{self.method} {self.path} needs version {".".join(map(str, self.since))}'
            )


ENDPOINTS: list[Endpoint] = []


def endpoint(
    method: str, path: str, **said: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function the handler of ``method path``; the rest as in ``Endpoint``.

    The function gets the ``Request`` and the path's variables, and returns the document. Its
    docstring describes the endpoint to users.
    """

    def register(handler: Callable[..., Any]) -> Callable[..., Any]:
        ENDPOINTS.append(Endpoint(method, path, handler, **said))
        return handler

    return register


def find(method: str, segments: list[str]) -> tuple[Endpoint, dict[str, str]] | None:
    """The endpoint of a path below the version, and the values of its variables; None for what
    ``missing`` tells of.
    """
    found = [
        (known, values) for known in ENDPOINTS if (values := known.variables(segments)) is not None
    ]
    # A constant segment is meant before a variable: /clusters/detail is no cluster.
    for known, values in sorted(found, key=lambda pair: len(pair[1])):
        if known.method == method:
            return known, values
    return None
