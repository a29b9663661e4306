"""Addresses of APIs, as what a cloud shows of them can be used."""

from urllib.parse import urlsplit


def usable(text: str | None) -> str | None:
    """``text``, unless it is a URL without a host, or with one that cannot be told from its port.

    Heat shows ``https://:6443`` while a part of the text has no value, and an IPv6 address
    without brackets has colons of its own.
    """
    if not text or '://' not in text:
        return text or None
    try:
        url = urlsplit(text)
        return text if url.hostname and (url.port or url.port is None) else None
    except ValueError:
        return None
