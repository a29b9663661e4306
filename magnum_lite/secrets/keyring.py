"""The keys that seal secrets: envelope encryption with a key file."""

import logging
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from oslo_config import cfg

from magnum_lite.exceptions import ServiceError
from magnum_lite.secrets import keyfile

LOG = logging.getLogger(__name__)


class Unreadable(ServiceError):
    """A secret cannot be opened: the key file is missing, or no longer has the key."""

    code = 'secret-unreadable'
    message = 'A secret of the cluster cannot be read. An administrator has to restore the key file'


@dataclass(frozen=True)
class _Keys:
    """The keys of the file as it was when it had the stamp."""

    stamp: tuple[int, ...]
    fernet: MultiFernet


class Keyring:
    """Seals and opens texts with the keys of a file, which is read anew when it changes.

    The file holds one Fernet key a line. The first seals; every one opens, so a key is replaced by
    putting a new one before it. Tenants see ``Unreadable``, which does not say where the file is;
    the log does.
    """

    def __init__(self, conf: cfg.ConfigOpts):
        self._path = conf.secrets.key_file
        self._kept: _Keys | None = None

    def seal(self, text: str) -> str:
        """The text, unreadable.

        :raises Unreadable: there is no key file.
        """
        return self._keys().fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text again.

        :raises Unreadable: no key opens it.
        """
        try:
            return self._keys().fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            LOG.error('A secret was sealed with a key that [secrets] key_file %s does not have',
                      self._path)
            raise Unreadable from error

    def _keys(self) -> _Keys:
        """Those of the file now; the last good ones while it cannot be used."""
        kept = self._kept
        try:
            if kept and kept.stamp == keyfile.stamp(self._path):
                return kept
            found = keyfile.read(self._path)
        except (OSError, keyfile.BadKeyFile) as error:
            LOG.error('%s', error)
            if kept:
                return kept
            raise Unreadable from error
        self._kept = _Keys(found.stamp, MultiFernet([Fernet(key) for key in found.keys]))
        return self._kept


def new_key() -> str:
    """A fresh key, for a line of the file."""
    return Fernet.generate_key().decode()
