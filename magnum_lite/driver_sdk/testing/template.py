"""What the kit reads in a HOT template, and in the user data that it makes."""

import email
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml


@dataclass(frozen=True)
class Template:
    """A HOT template as a document."""

    document: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> 'Template':
        """The template of a text; timestamps stay text."""
        return cls(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506 - makes text only

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """``{name: schema}``."""
        return self.document.get('parameters') or {}

    @property
    def hidden(self) -> frozenset[str]:
        """Names of the parameters that Heat does not show."""
        return frozenset(n for n, p in self.parameters.items() if p.get('hidden') == 'true')

    @property
    def outputs(self) -> frozenset[str]:
        """Names of the outputs."""
        return frozenset(self.document.get('outputs') or {})

    @property
    def included(self) -> frozenset[str]:
        """Names in ``get_file``."""
        return frozenset(v for k, v in _pairs(self.document) if k == 'get_file')

    @property
    def replaced(self) -> Mapping[str, frozenset[str]]:
        """``{name in get_file: what str_replace replaces in that file, but for white space}``."""
        found: dict[str, frozenset[str]] = {}
        for key, value in _pairs(self.document):
            source = value.get('template') if key.startswith('str_replace') else None
            if isinstance(source, Mapping) and 'get_file' in source:
                names = frozenset(n for n in value.get('params') or {} if n.strip())
                found[source['get_file']] = found.get(source['get_file'], frozenset()) | names
        return found


def parts(user_data: str) -> list[tuple[str, str]]:
    """``[(content type, text), ...]`` of the user data of a node, multipart or not."""
    message = email.message_from_string(user_data)
    if not message.is_multipart():
        kind = (
            'text/cloud-config' if user_data.startswith('#cloud-config') else 'text/x-shellscript'
        )
        return [(kind, user_data)]
    return [
        (part.get_content_type(), part.get_payload(decode=True).decode())  # type: ignore[union-attr]
        for part in message.walk()
        if not part.is_multipart()
    ]


def written(user_data: str) -> dict[str, str]:
    """``{path: content}`` of the files that the cloud-config parts write."""
    found = {}
    for kind, text in parts(user_data):
        if kind == 'text/cloud-config':
            for entry in (yaml.safe_load(text) or {}).get('write_files', []):
                found[entry['path']] = entry.get('content', '')
    return found


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key, inner
            yield from _pairs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _pairs(inner)
