"""Heat, as the driver SDK's protocol wants it: python-heatclient with bounded calls and our errors.

Not openstacksdk: its ``update_stack(preview=True)`` performs a real update.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from heatclient import client as heat_client
from heatclient import exc
from keystoneauth1 import exceptions as ksa_exc
from keystoneauth1.session import Session
from oslo_config import cfg

from magnum_lite.driver_sdk.cloud import StackView
from magnum_lite.driver_sdk.errors import CloudError, CloudUnavailable

# A conflict is a stack in the middle of another action: it passes.
_PASSING = (408, 409, 429)
NESTED_DEPTH = 5        # Heat's default max_nested_stack_depth


def _translated(call: Callable[..., Any]) -> Callable[..., Any]:
    """``call`` with the errors of heatclient and keystoneauth as those of the SDK."""
    @functools.wraps(call)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except exc.HTTPException as error:
            passing = error.code in _PASSING or error.code >= 500
            raise (CloudUnavailable if passing else CloudError)(_text(error)) from error
        except (exc.CommunicationError, ksa_exc.ConnectFailure, ksa_exc.DiscoveryFailure,
                ksa_exc.UnknownConnectionError, ksa_exc.RetriableConnectionFailure) as error:
            raise CloudUnavailable(f'Heat does not answer: {error}') from error
        except ksa_exc.HttpError as error:
            passing = error.http_status in _PASSING or error.http_status >= 500
            raise (CloudUnavailable if passing else CloudError)(str(error)) from error
        except ksa_exc.ClientException as error:
            raise CloudError(f'Heat cannot be called: {error}') from error
    return wrapper


def _text(error: exc.HTTPException) -> str:
    details = error.error if isinstance(getattr(error, 'error', None), dict) else {}
    return details.get('error', {}).get('message') or str(error)


class Heat:
    """Heat in the project of a session; see ``driver_sdk.cloud.Heat``.

    :param project_id: of another project, for the session of an administrator.
    """

    def __init__(self, conf: cfg.ConfigOpts, session: Session, project_id: str | None = None):
        self._project_id = project_id
        where = {'region_name': conf.cloud.region_name, 'interface': conf.cloud.interface,
                 'service_type': 'orchestration'}
        if project_id:
            where['endpoint_override'] = _endpoint(session, project_id, where)
        self._client = heat_client.Client('1', session=session, **where)

    @_translated
    def list(self, tag: str) -> Sequence[StackView]:
        """The stacks that carry ``tag``; one call for each 1000 of them."""
        return [_view(stack) for stack in self._client.stacks.list(tags=tag)]

    @_translated
    def get(self, stack: str) -> StackView | None:
        """A stack with its outputs, by id or name; None if there is none."""
        try:
            found = self._client.stacks.get(self._ident(stack))
        except exc.HTTPNotFound:
            return None
        if found.stack_status == 'DELETE_COMPLETE':     # shown by id for a while
            return None
        return _view(found, {o['output_key']: o.get('output_value') for o in found.outputs})

    def _ident(self, stack: str) -> str:
        """What finds a stack: Heat knows those of other projects by their ids only."""
        if not self._project_id:
            return stack
        named = list(self._client.stacks.list(filters={'name': stack}))
        return named[0].id if named else stack

    @_translated
    def create(self, name: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> str:
        """Start creating a stack; its id."""
        reply = self._client.stacks.create(stack_name=name, **_fields(arguments, tags))
        return reply['stack']['id']

    @_translated
    def update(self, stack: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> None:
        """Start updating a stack."""
        self._client.stacks.update(stack, **_fields(arguments, tags))

    @_translated
    def refresh(self, stack: str, tags: Sequence[str]) -> None:
        """Start an update to what the stack has already, with other tags: Heat looks then whose
        rights its own later work uses."""
        self._client.stacks.update(stack, existing=True, tags=','.join(tags),
                                   disable_rollback=True)

    @_translated
    def delete(self, stack: str) -> None:
        """Start deleting a stack."""
        try:
            self._client.stacks.delete(stack)
        except exc.HTTPNotFound:
            pass

    @_translated
    def failures(self, stack: str) -> Sequence[str]:
        """What failed inside a stack, nested ones too, causes before what they made fail."""
        failed = [r for r in self._client.resources.list(stack, nested_depth=NESTED_DEPTH)
                  if r.resource_status.endswith('_FAILED')]
        parents = {getattr(r, 'parent_resource', None) for r in failed}
        failed.sort(key=lambda r: r.resource_name in parents)
        return [f'{r.resource_name} ({r.resource_type}): {r.resource_status_reason}'
                for r in failed]


@_translated
def _endpoint(session: Session, project_id: str, where: Mapping[str, Any]) -> str:
    """The endpoint of another project: Heat refuses who is no administrator."""
    found = session.get_endpoint(**where)
    if not found:
        raise CloudError('Heat is not in the catalog of the service user')
    return found.replace(session.get_project_id(), project_id)


def _fields(arguments: Mapping[str, Any], tags: Sequence[str]) -> dict[str, Any]:
    return {
        'template': arguments['template'], 'files': arguments['files'],
        'environment': arguments['environment'], 'parameters': arguments['parameters'],
        'timeout_mins': arguments['timeout_min'], 'tags': ','.join(tags),
        'disable_rollback': True}


def _view(stack: Any, outputs: Mapping[str, Any] | None = None) -> StackView:
    return StackView(
        id=stack.id, name=stack.stack_name, status=stack.stack_status,
        reason=stack.stack_status_reason or '', tags=frozenset(stack.tags or ()),
        outputs=outputs or {})
