"""Masking: no secret of a cluster in what is told of its operations, whoever said it.

A cloud may quote what it refuses, and a driver what it was given.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from magnum_lite.driver_sdk import Done, Failed, Progress, Secret

MASK = '***'
LEAST = 8  # characters of a text that is looked for: shorter ones stand in words, too


def masked(progress: Progress, secrets: Iterable[Secret]) -> Progress:
    """A progress without the lines of secrets."""
    if isinstance(progress, Done):
        return progress
    found = sorted(
        {part for secret in secrets for part in _lines(secret.value or '')}, key=len, reverse=True
    )

    def clean(text: str) -> str:
        for part in found:
            text = text.replace(part, MASK)
        return text

    causes = tuple(replace(cause, reason=clean(cause.reason)) for cause in progress.causes)
    if isinstance(progress, Failed):
        return replace(progress, text=clean(progress.text), causes=causes)
    return replace(
        progress, reason=clean(progress.reason), trouble=clean(progress.trouble), causes=causes
    )


def _lines(value: str) -> Iterator[str]:
    """Its lines: a quoted one may have other ends of lines. Those around a PEM tell nothing."""
    for line in value.splitlines():
        if len(line) >= LEAST and not line.startswith('-----'):
            yield line
