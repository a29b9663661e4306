"""One key: how it seals a text, so that it opens in the row that it was sealed for and no other.

A sealed text is ``2.<key id>.<base64>``: AES-GCM with a nonce of its own, and the row as associated
data. Release 1.0 wrote bare Fernet tokens, which open in every row; they stay readable.
"""

import base64
import json
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORM = '2'
_NONCE = 12
_ID = 8
PREFIX = len(f'{_FORM}.{"0" * _ID}.')  # how much of a sealed text names its key


class Row(tuple[str, str, str]):
    """What a sealed text is bound to: reference, cluster and name."""

    __slots__ = ()

    def data(self) -> bytes:
        """As associated data."""
        return json.dumps(list(self)).encode()


class Key:
    """A key of the file.

    :ivar prefix: what the texts that it sealed begin with.
    """

    def __init__(self, line: str):
        secret = base64.urlsafe_b64decode(line)
        self.id = _derive(secret, b'magnum_lite key id', 32).hex()[:_ID]
        self.prefix = f'{_FORM}.{self.id}.'
        self._aead = AESGCM(_derive(secret, b'magnum_lite bound seal', 32))
        self._fernet = Fernet(line)

    def seal(self, text: str, row: Row) -> str:
        """The text, unreadable, for that row."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._aead.encrypt(nonce, text.encode(), row.data())
        return self.prefix + base64.urlsafe_b64encode(sealed).decode()

    def seal_unbound(self, text: str) -> str:
        """As release 1.0 does it."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str, row: Row) -> str | None:
        """The text; None when this key did not seal it, or not for this row."""
        try:
            if not is_bound(sealed):
                return self._fernet.decrypt(sealed.encode()).decode()
            if not sealed.startswith(self.prefix):
                return None
            raw = base64.urlsafe_b64decode(sealed[PREFIX:])
            return self._aead.decrypt(raw[:_NONCE], raw[_NONCE:], row.data()).decode()
        except (InvalidToken, InvalidTag, ValueError):
            return None


def is_bound(sealed: str) -> bool:
    """Whether a sealed text is bound to its row: not those of release 1.0."""
    return sealed.startswith(f'{_FORM}.')


def _derive(secret: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, None, purpose).derive(secret)
