"""The tags of stacks: what a driver writes on what it makes in Heat, and what is read there again.

Nothing else knows how they look. Heat replaces all tags of a stack at an update, so they are always
sent together.
"""

from collections.abc import Iterable

OURS = 'magnum_lite'  # on every stack: one list finds all of a project
_CLUSTER, _PLAN, _ATTEMPT, _MENDS = 'cluster:', 'plan:', 'attempt:', 'mends:'


def of_cluster(uuid: str) -> str:
    """The tag that finds the stacks of a cluster, whatever they are called."""
    return f'{_CLUSTER}{uuid}'


def of_stack(cluster: str, digest: str, attempt: str) -> list[str]:
    """All tags of a stack.

    :param digest: of the plan's stack: what it is asked to be.
    :param attempt: by which operation, so that a later one tries again what an earlier failed at.
    """
    return [OURS, of_cluster(cluster), f'{_PLAN}{digest}', f'{_ATTEMPT}{attempt}']


def of_mends(paths: Iterable[str]) -> list[str]:
    """Tags that say which resources an update makes again; see ``lost``."""
    return [f'{_MENDS}{path}' for path in paths]


def with_attempt(tags: Iterable[str], attempt: str) -> list[str]:
    """The tags of a stack that another operation asks to be what it is."""
    return [*sorted(tag for tag in tags if not tag.startswith(_ATTEMPT)), f'{_ATTEMPT}{attempt}']


def cluster(tags: Iterable[str]) -> str | None:
    """Uuid of the cluster whose stack has these tags; None for what is not ours."""
    return next(iter(_after(_CLUSTER, tags)), None)


def digest(tags: Iterable[str]) -> str | None:
    """What the stack was last asked to be."""
    return next(iter(_after(_PLAN, tags)), None)


def attempt(tags: Iterable[str]) -> str | None:
    """By which operation."""
    return next(iter(_after(_ATTEMPT, tags)), None)


def mends(tags: Iterable[str]) -> list[str]:
    """Paths of the resources that the last update was to make again."""
    return _after(_MENDS, tags)


def _after(prefix: str, tags: Iterable[str]) -> list[str]:
    return [tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)]
