"""The keys that seal secrets: envelope encryption with a key file."""

from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from oslo_config import cfg

from magnum_lite.exceptions import ServiceError


class Unreadable(ServiceError):
    """A secret cannot be opened: the key file is missing, or no longer has the key."""

    code = 'secret-unreadable'
    message = 'A secret of the cluster cannot be read. An administrator has to restore the key file'


class Keyring:
    """Seals and opens texts with the keys of a file.

    The file holds one Fernet key a line. The first seals; every one opens, so a key is replaced by
    putting a new one before it.
    """

    def __init__(self, conf: cfg.ConfigOpts):
        self._path = conf.secrets.key_file
        self._fernet: MultiFernet | None = None

    def seal(self, text: str) -> str:
        """The text, unreadable.

        :raises Unreadable: there is no key file.
        """
        return self._keys().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text again.

        :raises Unreadable: no key opens it.
        """
        try:
            return self._keys().decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise Unreadable from error

    def _keys(self) -> MultiFernet:
        if self._fernet is None:
            if not self._path:
                raise Unreadable('[secrets] key_file is not set. '
                                 'magnum-lite-manage secret key makes one')
            try:
                lines = Path(self._path).read_text().split()
                self._fernet = MultiFernet([Fernet(line) for line in lines])
            except (OSError, ValueError) as error:
                raise Unreadable(f'[secrets] key_file {self._path} cannot be read: '
                                 f'{error}') from error
        return self._fernet


def new_key() -> str:
    """A fresh key, for a line of the file."""
    return Fernet.generate_key().decode()
