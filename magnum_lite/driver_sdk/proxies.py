"""Proxies of the nodes, spelt so that all who read them understand the same. Pure.

systemd, bash, curl, Go's programs and manifests of pods read one value, each by rules of its own.
Where they differ, the spelling here is the one that they share.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import quote

# RFC 3986, but for control characters, which curl refuses. An @ is taken although it is not legal.
_USER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[2-6][0-9A-Fa-f]|%7[0-9A-Ea-e]|%[89A-Fa-f][0-9A-Fa-f])*"
_HOST = r'(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]*)'
_PATH = r'(?:/[A-Za-z0-9._~:/@%+-]*)?'
_URL = re.compile(rf'(https?://)(?:({_USER})@)?({_HOST})(?::([0-9]{{1,5}}))?{_PATH}')
_NAME = re.compile(r'(\*\.|\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?(:[0-9]{1,5})?')


def is_url(text: str) -> bool:
    """Whether nodes can be given this proxy."""
    found = _URL.fullmatch(text)
    if not found or not 0 < int(found[4] or 80) < 65536:
        return False
    return not found[3].startswith('[') or _is_network(found[3][1:-1])


def url(text: str) -> str:
    """A proxy as nodes get it: what could mean something in user and password is escaped.

    Manifests make one ``$`` of two, curl takes the first ``@`` and Go the last. The path, which
    none reads, is left out. Text that ``is_url`` refuses is given back as it is.
    """
    found = _URL.fullmatch(text)
    if not found:
        return text
    scheme, user, host, port = found.groups()
    return (
        scheme
        + ('' if user is None else quote(user, safe=':%') + '@')
        + host
        + (f':{port}' if port else '')
    )


def are_exceptions(text: str) -> bool:
    """Whether each part of a ``no_proxy`` is a host, a domain, an address or a CIDR."""
    return all(
        part == '*' or _NAME.fullmatch(part) or _is_network(part)
        for part in text.split(',')
        if part
    )


def exceptions(text: str, own: Iterable[str]) -> str:
    """``NO_PROXY``: the user's exceptions, then those of the cluster.

    Programs know a domain by a leading dot, some by ``*.`` too; none but curl a dot at the end.
    ``*`` means everything only where it stands alone.
    """
    given = [_spelt(part) for part in text.split(',') if part.strip('.')]
    if '*' in given:
        return '*'
    return ','.join(dict.fromkeys([*given, *own]))


def _spelt(part: str) -> str:
    return part.removeprefix('*').rstrip('.') if part.startswith('*.') else part.rstrip('.')


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
