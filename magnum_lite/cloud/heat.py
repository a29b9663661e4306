"""Heat, as the driver SDK's protocol wants it: python-heatclient with bounded calls and our errors.

Not openstacksdk: its ``update_stack(preview=True)`` performs a real update.
"""

import functools
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar, cast

from heatclient import client as heat_client
from heatclient import exc
from keystoneauth1.session import Session
from oslo_config import cfg

from magnum_lite.cloud import answers, causes, transport
from magnum_lite.driver_sdk import tags as marks
from magnum_lite.driver_sdk.cause import Cause
from magnum_lite.driver_sdk.cloud import StackView
from magnum_lite.driver_sdk.errors import CloudError, CloudUnavailable, Unanswered

NESTED_DEPTH = 5  # Heat's default max_nested_stack_depth
EVENTS = 1000  # of one stack that are read; as many as Heat keeps of one by default
_LOOKS_S = (0, 0.3, 1, 2)  # pauses before the looks for an update whose answer is not clear
F = TypeVar('F', bound=Callable[..., Any])


def _bounded(call: F) -> F:
    """A method whose calls have the timeout together, and whose errors are those of the SDK."""

    @functools.wraps(call)
    def wrapper(self: 'Heat', *args: Any, **kwargs: Any) -> Any:
        with answers.understood('Heat'), transport.within(self._timeout_s):
            return call(self, *args, **kwargs)

    return cast(F, wrapper)


class Heat:
    """Heat in the project of a session; see ``driver_sdk.cloud.Heat``.

    :param project_id: of another project, for the session of an administrator.
    """

    def __init__(self, conf: cfg.ConfigOpts, session: Session, project_id: str | None = None):
        self._project_id = project_id
        self._timeout_s = conf.cloud.heat_timeout_s
        where = {
            'region_name': conf.cloud.region_name,
            'interface': conf.cloud.interface,
            'service_type': 'orchestration',
        }
        if project_id:
            where['endpoint_override'] = _endpoint(session, project_id, where)
        self._client = heat_client.Client('1', session=session, **where)

    @_bounded
    def list(self, tag: str) -> Sequence[StackView]:
        """The stacks that carry ``tag``; one call for each 1000 of them."""
        return [_view(stack) for stack in self._client.stacks.list(tags=tag)]

    @_bounded
    def get(self, stack: str) -> StackView | None:
        """A stack with its outputs, by id or name; None if there is none."""
        try:
            found = self._client.stacks.get(self._ident(stack))
        except exc.HTTPNotFound:
            return None
        if found.stack_status == 'DELETE_COMPLETE':  # shown by id for a while
            return None
        return _view(
            found,
            {
                o['output_key']: o.get('output_value')
                for o in found.outputs
                if not o.get('output_error')
            },
            found.parameters,
        )

    def _ident(self, stack: str) -> str:
        """What finds a stack: Heat knows those of other projects by their ids only."""
        if not self._project_id:
            return stack
        named = list(self._client.stacks.list(filters={'name': stack}))
        return named[0].id if named else stack

    @_bounded
    def holds(self, stack: str, thing: str) -> bool:
        """Whether a stack, or one nested in it, has made what the cloud knows by this id."""
        found = self._client.resources.list(
            stack, nested_depth=NESTED_DEPTH, filters={'physical_resource_id': thing}
        )
        # Looked at, since a filter that somebody ignores would let everything in.
        return any(resource.physical_resource_id == thing for resource in found)

    @_bounded
    def replace(self, stack: str, things: Collection[str]) -> Sequence[str]:
        """Let the next update make resources anew: Heat is told that they are broken.

        One that it was told of is left as it is, so a call that took too long got further.
        """
        found = [
            (causes.path(resource), resource)
            for resource in self._client.resources.list(stack, nested_depth=NESTED_DEPTH)
        ]
        found = [
            (path, resource)
            for path, resource in found
            if {path, resource.physical_resource_id} & set(things)
        ]
        for _, resource in found:
            if resource.resource_status == 'CHECK_FAILED':
                continue
            self._client.resources.mark_unhealthy(
                causes.stack_of(resource) or stack,
                resource.resource_name,
                mark_unhealthy=True,
                resource_status_reason='it is lost',
            )
        return [path for path, _ in found]

    @_bounded
    def signal(self, stack: str, resource: str, document: Mapping[str, str]) -> None:
        """Signal a resource of a stack; one that is not there waits for nothing."""
        try:
            self._client.resources.signal(stack, resource, data=dict(document))
        except exc.HTTPNotFound:
            pass

    @_bounded
    def create(self, name: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> str:
        """Start creating a stack; its id. One of the cluster that is there already counts."""
        fields = _fields(arguments, tags)
        try:
            with answers.understood('Heat'):
                return str(self._client.stacks.create(stack_name=name, **fields)['stack']['id'])
        except (answers.Unclear, Unanswered) as error:
            try:
                found = self.get(name)
            except CloudUnavailable:
                if isinstance(error, Unanswered):  # it may take effect later
                    raise error from None
                raise
            if found is None:
                raise
            if found.cluster is None or found.cluster != marks.cluster(tags):
                raise CloudError(
                    f'Heat has a stack {name} already, which is not of this cluster'
                ) from None
            return found.id

    @_bounded
    def update(self, stack: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> None:
        """Start updating a stack."""
        self._change(stack, tags, _fields(arguments, tags))

    def _change(self, stack: str, tags: Sequence[str], fields: Mapping[str, Any]) -> None:
        """Send an update; one that Heat has begun already counts: sent again, it would cancel the
        first."""
        try:
            with answers.understood('Heat'):
                self._client.stacks.update(stack, **fields)
        except (answers.Unclear, Unanswered):
            if not self._has_begun(stack, frozenset(tags)):
                raise

    def _has_begun(self, stack: str, tags: frozenset[str]) -> bool:
        """Whether Heat serves an update with these tags, or does so in a moment."""
        for pause_s in _LOOKS_S:
            time.sleep(pause_s)
            try:
                with answers.understood('Heat'):
                    view = _view(self._client.stacks.get(stack, resolve_outputs=False))
            except CloudError:  # the error of the update says more
                return False
            if view.in_progress or not view.failed and view.tags == tags:
                return view.tags == tags
        return False

    @_bounded
    def refresh(self, stack: str, tags: Sequence[str]) -> None:
        """Start an update to what the stack has already, with other tags: Heat looks then whose
        rights its own later work uses."""
        self._change(
            stack, tags, {'existing': True, 'tags': ','.join(tags), 'disable_rollback': True}
        )

    @_bounded
    def delete(self, stack: str) -> None:
        """Start deleting a stack."""
        try:
            self._client.stacks.delete(stack)
        except exc.HTTPNotFound:
            pass

    @_bounded
    def failures(self, stack: str) -> Sequence[Cause]:
        """What failed inside a stack, nested ones too, causes before what they made fail.

        Where no resource explains it, the events are read too.
        """
        resources = self._client.resources.list(stack, nested_depth=NESTED_DEPTH)
        found = causes.of_resources(resources)
        if causes.explained(resources):
            return found
        return [*causes.of_events(self._events(stack), resources), *found]

    def _events(self, stack: str) -> Sequence[Any]:
        """The newest of a stack, and none where Heat shows them to nobody."""
        try:
            with answers.understood('Heat'):
                newest: Sequence[Any] = self._client.events.list(
                    stack, nested_depth=NESTED_DEPTH, limit=EVENTS, sort_dir='desc'
                )
                return newest
        except CloudUnavailable:
            raise
        except CloudError:
            return ()


@answers.understood('Heat')
def _endpoint(session: Session, project_id: str, where: Mapping[str, Any]) -> str:
    """The endpoint of another project: Heat refuses who is no administrator."""
    found, own = session.get_endpoint(**where), session.get_project_id()
    if not found or not own:  # without a project there is no catalog
        raise CloudError('Heat is not in the catalog of the service user')
    return found.replace(own, project_id)


def _fields(arguments: Mapping[str, Any], tags: Sequence[str]) -> dict[str, Any]:
    return {
        'template': arguments['template'],
        'files': arguments['files'],
        'environment': arguments['environment'],
        'parameters': arguments['parameters'],
        'timeout_mins': arguments['timeout_min'],
        'tags': ','.join(tags),
        'disable_rollback': True,
    }


def _view(
    stack: Any,
    outputs: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> StackView:
    """A stack as heatclient has it.

    :raises ValueError: what makes it a stack is missing.
    """
    stack.set_loaded(True)  # else the client asks again for what an answer lacks
    if not all(
        isinstance(value, str) for value in (stack.id, stack.stack_name, stack.stack_status)
    ):
        raise ValueError('a stack without id, name or status')
    return StackView(
        id=stack.id,
        name=stack.stack_name,
        status=stack.stack_status,
        reason=stack.stack_status_reason or '',
        tags=frozenset(stack.tags or ()),
        outputs=outputs or {},
        parameters=parameters or {},
    )
