"""Shell-safe KEY='value' text: how the values of a Spec reach the scripts of a node."""

import re
from collections.abc import Mapping

NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')


def render(values: Mapping[str, str | int | bool | None]) -> str:
    r"""Text that a POSIX shell with ``$'...'`` (bash, zsh, busybox) reads back exactly.

    One line of printable ASCII for each value, so that the text may be indented, put into YAML
    or sent by mail without harm. Booleans become ``true`` and ``false``, None becomes empty text.

    :param values: ``{NAME: value}``; the order is kept.
    :raises ValueError: a name that is no shell name, or a value with a NUL, which no shell holds.
    """
    return ''.join(f'{_name(name)}={quote(_text(value))}\n' for name, value in values.items())


def quote(text: str) -> str:
    r"""``text`` as one word of shell: ``'text'``, or ``$'...'`` where bytes must be escaped.

    :raises ValueError: ``text`` has a NUL.
    """
    if '\0' in text:
        raise ValueError('a shell variable cannot hold a NUL')
    if text.isascii() and text.isprintable():
        return "'" + text.replace("'", "'\\''") + "'"
    return "$'" + ''.join(_escape(byte) for byte in text.encode()) + "'"


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f'{name!r} is no name of a shell variable')
    return name


def _text(value: str | int | bool | None) -> str:
    if value is None:
        return ''
    if isinstance(value, bool):
        return 'true' if value else 'false'
    return str(value)


def _escape(byte: int) -> str:
    char = chr(byte)
    if char in "\\'":
        return '\\' + char
    # Three octal digits always end the escape; \x would take a following letter of a to f.
    return char if 32 <= byte < 127 else f'\\{byte:03o}'
