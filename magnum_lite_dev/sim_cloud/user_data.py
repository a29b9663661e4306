"""What a node would find in its user data: the texts inside, and the Heat signals in them."""

import base64
import binascii
import dataclasses
import email
import gzip
import json
import re
import zlib
from typing import Any

import yaml

CURL = re.compile(r"curl [^\n]*?X-Auth-Token: ([^'\"\n]+)['\"][^\n]*?(https?://[^\s'\"]+/signal)\b")
# The JSON of HEAT_SIGNAL, bare or with its quotes escaped.
JSON = re.compile(r'\{[^{}\n]*?alarm_url[^{}\n]*\}')
URL = re.compile(r'https?://[^\s\'"\\]+/stacks/[^\s\'"\\]+/resources/[^\s\'"\\]+/signal\b')
VARIABLE = re.compile(r"""^\s*(?:export\s+)?([A-Z0-9_]+)=['"]?([^'"\n]*)['"]?\s*$""", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Signal:
    """Where a node reports, and with what: a token, or the ``credentials`` that buy one.

    ``credentials`` is {} or has ``auth_url``, ``user_id``, ``password`` and ``project_id``.
    """

    url: str
    token: str = ''
    credentials: dict = dataclasses.field(default_factory=dict, hash=False)


def signals(user_data) -> list[Signal]:
    """The distinct signals in the user data of a node, as a list of :class:`Signal`.

    :param user_data: bytes: a script, cloud-config, MIME multipart, or any of them compressed.
    """
    found = {}
    for text in texts(user_data):
        for token, url in CURL.findall(text):
            found.setdefault(url, Signal(url, token=token))
        for match in JSON.findall(text):
            parsed = _parse(match)
            if parsed:
                found.setdefault(
                    parsed['alarm_url'],
                    Signal(parsed['alarm_url'], credentials=_credentials(parsed)),
                )
        values = {name.lower(): value for name, value in VARIABLE.findall(text)}
        for url in URL.findall(text):
            found.setdefault(url, Signal(url, credentials=_credentials(values)))
    return list(found.values())


def files(user_data) -> dict[str, str]:
    """{path: text} of what cloud-config in the user data writes.

    :param user_data: as for :func:`signals`.
    """
    found = {}
    for text in texts(user_data):
        for path, content in _written_files(text):
            found[path] = content.decode('utf-8', 'replace')
    return found


def variables(files_of_node) -> dict[str, str]:
    """{NAME: value} of every ``NAME='value'`` line in the files of a node."""
    return dict(pair for text in files_of_node.values() for pair in VARIABLE.findall(text))


def texts(data) -> list[str]:
    """Every text inside the bytes: parts of MIME documents, files of cloud-config, unpacked."""
    data = _unpacked(data)
    if re.match(rb'(?i)(content-type: multipart|mime-version:|from nobody)', data.lstrip()):
        found = []
        for part in email.message_from_bytes(data).walk():
            if not part.is_multipart():
                found += texts(part.get_payload(decode=True) or b'')
        return found
    text = data.decode('utf-8', 'replace')
    found = [text]
    for _, content in _written_files(text):
        found += texts(content)
    return found


def _unpacked(data) -> bytes:
    if data[:2] == b'\x1f\x8b':
        try:
            return gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return data
    return data


def _written_files(text) -> list[tuple[str, bytes]]:
    if not text.lstrip().startswith('#cloud-config'):
        return []
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError:
        return []
    found = []
    for entry in (config or {}).get('write_files') or []:
        content = str(entry.get('content', '')).encode()
        if 'b64' in str(entry.get('encoding', '')) or 'base64' in str(entry.get('encoding', '')):
            try:
                content = base64.b64decode(content)
            except binascii.Error:
                continue
        found.append((str(entry.get('path', '')), _unpacked(content)))
    return found


def _parse(match) -> dict[str, Any] | None:
    for text in (match, match.replace('\\"', '"')):
        try:
            parsed = json.loads(text)
        except ValueError:
            continue
        if isinstance(parsed, dict) and str(parsed.get('alarm_url', '')).startswith('http'):
            return parsed
    return None


def _credentials(values) -> dict[str, str]:
    """The four values, whatever stands before their names: ``signal_user_id`` is a user_id."""
    found = {}
    for wanted in ('auth_url', 'user_id', 'password', 'project_id'):
        for name, value in values.items():
            if (name == wanted or name.endswith('_' + wanted)) and value:
                found.setdefault(wanted, value)
    return found if len(found) == 4 else {}
