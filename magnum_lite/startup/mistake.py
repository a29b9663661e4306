"""A mistake, in one line: the file, the option, and what is wrong with it."""

import socket

from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.exceptions import Misconfigured

# Errors of those who read a URL show parts of it, which may be parts of its password.
ESCAPED = 'write %40 for @, %2F for / and so on in its user and password'
# Of an address that nobody has; a name server that does not answer says something else.
NO_HOST = (socket.EAI_NONAME, getattr(socket, 'EAI_NODATA', socket.EAI_NONAME))


def mistake(conf: cfg.ConfigOpts, option: str, reason: str) -> Misconfigured:
    """The error about the value of an option.

    :param option: ``[group] name``.
    :param reason: the rest of the sentence; it may show no part of a password.
    """
    return Misconfigured(f'{options.files(conf)}: {option} {reason}')


def line(text: object) -> str:
    """The words of a text, or of an error, in one line."""
    return ' '.join(str(text).split())
