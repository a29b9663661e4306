"""Quoting: a refused text as an error shows it."""

import json
import re

MOST = 60  # characters of a text
_URL = re.compile(r'\s*[A-Za-z][A-Za-z0-9+.-]*://', re.ASCII)
# A host with a port and a path; anything else after a scheme may be or have a password.
_PLACE = re.compile(r'(\[[0-9A-Fa-f:.]*\]|[^\s:@%/?#]*)(:[0-9]{0,5})?(/[^:@%?#]*)?', re.ASCII)


def quoted(text: str) -> str:
    """In the quotes of JSON, cut where it is long, and without what may be the password of a URL.

    User and password of one end at its last ``@``. Where there is none, because somebody escaped it
    or left the host out, all that is no host is left out.
    """
    shown = without_password(text)
    return json.dumps(shown if len(shown) <= MOST else f'{shown[:MOST]}...', ensure_ascii=False)


def without_password(text: str) -> str:
    """A text with ``***`` in place of what may be a user and a password."""
    found = _URL.match(text)
    scheme, rest = (found[0], text[found.end() :]) if found else ('', text)
    if '@' in rest:
        return f'{scheme}***@{rest.rpartition("@")[2]}'
    if '%40' in rest or found and not _PLACE.fullmatch(rest):
        return f'{scheme}***'
    return text
