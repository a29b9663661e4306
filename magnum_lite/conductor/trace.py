"""Which request a line of the log belongs to: oslo.log asks the context of the thread."""

from oslo_context import context

from magnum_lite.objects import Operation

_NOBODY = context.RequestContext(overwrite=False, request_id='-')


def follow(operation: Operation) -> None:
    """Let what this thread logs carry the request that asked for the operation, and its caller."""
    context.RequestContext(
        request_id=operation.request_id or '-',
        user_id=operation.user_id,
        project_id=operation.project_id,
    )


def leave() -> None:
    """Let what this thread logs carry no request."""
    _NOBODY.update_store()


def request_id() -> str | None:
    """Whose lines this thread writes; None for nobody's."""
    current = context.get_current()
    return current.request_id if current else None
