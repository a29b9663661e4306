"""Golden files: plans as people read them, compared and, on demand, rewritten."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from magnum_lite.driver_sdk.plan import Plan


def readable(plan: Plan) -> dict[str, Any]:
    """A plan as a document for people: the package's own files by name, long texts by lines."""
    return {
        'parts': [_stack(part) if 'template' in part else part for part in plan.document()['parts']]
    }


def check(path: Path, document: Mapping[str, Any], *, update: bool) -> None:
    """Compare a document with a golden file.

    :param update: rewrite the file instead.
    :raises AssertionError: they differ, or there is no file; pytest shows the difference.
    """
    text = json.dumps(document, indent=1, sort_keys=True) + '\n'
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return
    assert path.exists(), f'{path} is missing: run with --update-golden and review it'
    assert text.splitlines() == path.read_text().splitlines(), (
        f'{path} differs: run with --update-golden and review the change'
    )


def _stack(document: Mapping[str, Any]) -> dict[str, Any]:
    return dict(document) | {
        'template': document['template'].splitlines()[0],
        'files': sorted(document['files']),
        'parameters': {name: _lines(value) for name, value in document['parameters'].items()},
    }


def _lines(value: Any) -> Any:
    return value.splitlines() if isinstance(value, str) and '\n' in value else value
