"""The keys that seal secrets: envelope encryption with a key file."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.fernet import Fernet
from oslo_config import cfg

from magnum_lite.exceptions import ServiceError
from magnum_lite.secrets import keyfile
from magnum_lite.secrets.sealing import Key, Row

LOG = logging.getLogger(__name__)


class Unreadable(ServiceError):
    """A secret cannot be opened: the key file is missing, or no longer has the key."""

    code = 'secret-unreadable'
    message = 'A secret of the cluster cannot be read. An administrator has to restore the key file'


@dataclass(frozen=True)
class _Keys:
    """The keys of the file as it was when it had the stamp."""

    stamp: tuple[int, ...]
    keys: tuple[Key, ...]


class Keyring:
    """Seals and opens texts with the keys of a file, which is read anew when it changes.

    The file holds one Fernet key a line. The first seals; every one opens, so a key is replaced by
    putting a new one before it. Tenants see ``Unreadable``, which does not say where the file is;
    the log does.
    """

    def __init__(self, conf: cfg.ConfigOpts):
        self._path = conf.secrets.key_file
        self._is_binding = conf.secrets.readable_by != '1.0'
        self._kept: _Keys | None = None

    def seal(self, text: str, row: Row) -> str:
        """The text, unreadable, and opened only for that row.

        :raises Unreadable: there is no key file.
        """
        first = self.keys()[0]
        return first.seal(text, row) if self._is_binding else first.seal_unbound(text)

    def open(self, sealed: str, row: Row) -> str:
        """The text again.

        :raises Unreadable: no key opens it, or it was sealed for another row.
        """
        for key in self.keys():
            text = key.open(sealed, row)
            if text is not None:
                return text
        LOG.error(
            'Secret %s of cluster %s does not open: it was sealed for another row, or with a '
            'key that [secrets] key_file %s does not have',
            row[2],
            row[1],
            self._path,
        )
        raise Unreadable

    def sealed(self, ident: str, texts: Mapping[str, str]) -> dict[str, str]:
        """Texts by name that travel and are not kept, each sealed; empty where there is no key.

        :param ident: of what they tell; bound to it, they open with nothing else.
        """
        try:
            return {
                name: self.seal(text, Row((ident, ident, name))) for name, text in texts.items()
            }
        except Unreadable:
            return {}

    def opened(self, ident: str, sealed: Mapping[str, str]) -> dict[str, str]:
        """What ``sealed`` gave, as it was.

        :raises Unreadable: as ``open``.
        """
        return {name: self.open(text, Row((ident, ident, name))) for name, text in sealed.items()}

    def keys(self) -> tuple[Key, ...]:
        """The keys of the file now, the one that seals first; the last good ones while it cannot
        be used.

        :raises Unreadable: there are none.
        """
        kept = self._kept
        try:
            if kept and kept.stamp == keyfile.stamp(self._path):
                return kept.keys
            found = keyfile.read(self._path)
        except (OSError, keyfile.BadKeyFile) as error:
            LOG.error('%s', error)
            if kept:
                return kept.keys
            raise Unreadable from error
        self._kept = _Keys(found.stamp, tuple(Key(line) for line in found.keys))
        return self._kept.keys


def new_key() -> str:
    """A fresh key, for a line of the file."""
    return Fernet.generate_key().decode()
