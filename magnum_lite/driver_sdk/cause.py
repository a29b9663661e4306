"""Cause: what failed in the cloud, as the cloud says it; text only where people read it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MOST = 20  # causes of one failure that are kept, the first of them
MOST_REASON = 1000  # characters of a reason, or of a name, that are kept
_MAY_BE_NONE = ('at', 'server_id')
# Where Heat saw a failure, before it says why: 'ResourceInError: resources[0]: '. Whatever holds
# what failed says the same 'why' after a longer way.
_WAY = re.compile(r'(\w+: )?(resources[^ :]*: )?')


@dataclass(frozen=True)
class Cause:
    """One thing that failed.

    :ivar resource: its name there, after that of each holder: ``group/0``.
    :ivar type: what it is, in words of the cloud: ``OS::Nova::Server``; '' where it is not known.
    :ivar status: what the cloud calls its state: ``CREATE_FAILED``.
    :ivar reason: the cloud's own words. The service masks the cluster's secrets in them.
    :ivar at: when, in ISO 8601 and UTC, or None where the cloud does not say.
    :ivar server_id: id of the server in Nova, if it is one that Nova has, else None.
    :ivar part: name of the part of the plan that it is in, such as a stack.
    :raises ValueError: one of them is no text.
    """

    resource: str
    type: str
    status: str
    reason: str
    at: str | None = None
    server_id: str | None = None
    part: str = ''

    def __post_init__(self) -> None:
        for name, text in vars(self).items():
            if not isinstance(text, str) and (text is not None or name not in _MAY_BE_NONE):
                raise ValueError(f'{name} of a cause is no text: {text!r}')

    def document(self) -> dict[str, Any]:
        """As JSON, each text cut at ``MOST_REASON`` characters."""
        return {name: text and text[:MOST_REASON] for name, text in vars(self).items()}


def explain(what: str, causes: Sequence[Cause], otherwise: str) -> str:
    """The text for people: the only place where causes become one. Each reason stands once.

    :param what: what they made fail.
    :param otherwise: what is known where there are none.
    """
    holders = {cause.resource.rpartition('/')[0].rpartition('/')[2] for cause in causes}
    told: dict[tuple[str, str], list[Cause]] = {}
    for cause in causes:
        why = _WAY.sub('', cause.reason, count=1)
        is_holder = cause.resource.rpartition('/')[2] in holders
        if not (is_holder and any(reason and reason in why for _, reason in told)):
            told.setdefault((cause.type, why), []).append(cause)
    texts = [_of_one_reason(same) for same in told.values()]
    return f'{what}: ' + '; '.join(texts or [otherwise])


def _of_one_reason(causes: Sequence[Cause]) -> str:
    others = f' and {len(causes) - 1} more' if causes[1:] else ''
    return f'{_named(causes[0])}{others}: {causes[0].reason}'


def _named(cause: Cause) -> str:
    name = cause.resource.rpartition('/')[2]
    return f'{name} ({cause.type})' if cause.type else name


def documents(causes: Sequence[Cause]) -> list[dict[str, Any]] | None:
    """Causes as they are kept: the first ``MOST``; None where there are none."""
    return [cause.document() for cause in causes[:MOST]] or None
