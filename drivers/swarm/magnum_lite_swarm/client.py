"""The API of a manager, as a conductor asks it: over TLS with the cluster's own authority.

A certificate of its own is made for each client; it is shown after the manager has shown one.
"""

import datetime
import http.client
import io
import json
import socket
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from magnum_lite.driver_sdk import ClusterSpec, address, denied

MOST = 8 * 2**20  # bytes of an answer: a node of a list has about 3000
NAME = 'magnum-lite-conductor'
VALID = datetime.timedelta(hours=1)
# A manager may have another clock.
SKEW = datetime.timedelta(hours=1)


class SilentError(Exception):
    """No answer of this cluster came.

    :ivar refused: whether something at the address refuses connections.
    """

    def __init__(self, text: str, *, refused: bool = False):
        super().__init__(text)
        self.refused = refused


class RefusedError(Exception):
    """A manager answered that it does not do what was asked.

    :ivar status: of HTTP.
    """

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status


class Manager:
    """The API of the managers of a cluster, for some seconds.

    :raises SilentError: (here too) there is no address or no authority to ask with, or nothing is
        asked there.
    """

    def __init__(self, spec: ClusterSpec, url: str | None, *, timeout_s: float):
        found = urlsplit(address.usable(url) or '')
        if not found.hostname:
            raise SilentError('has no address')
        # Tenants choose it, by what they make of their stacks.
        if why := denied.why(url, spec.denied_networks):
            raise SilentError(why)
        self.where = f'{found.hostname}:{found.port or 2376}'
        self._host, self._port = found.hostname, found.port or 2376
        self._until = time.monotonic() + timeout_s
        self._timeout_s = timeout_s
        self._context = _context(spec)

    @property
    def left_s(self) -> float:
        """Seconds until nothing is asked any more."""
        return self._until - time.monotonic()

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        """The answer as JSON, or None.

        :raises SilentError: none came in time, or what came is not of this cluster.
        :raises RefusedError: it is no.
        """
        try:
            status, data = self._exchange(method, path, document)
            answer = json.loads(data) if data.strip() else None
        except ConnectionRefusedError:
            raise SilentError(f'{self.where} refuses connections', refused=True) from None
        except ssl.SSLError as error:
            why = getattr(error, 'verify_message', None) or error.reason or error
            raise SilentError(f'what answers at {self.where} is not this cluster: {why}') from None
        except TimeoutError:
            raise SilentError(f'{self.where}: no answer within {self._timeout_s:g} s') from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SilentError(f'{self.where}: {error or type(error).__name__}') from None
        if status >= 300:
            message = answer.get('message') if isinstance(answer, dict) else None
            raise RefusedError(status, f'answers {status}: {str(message)[:300]}')
        return answer

    def _exchange(self, method: str, path: str, document: Any) -> tuple[int, bytes]:
        body = b'' if document is None else json.dumps(document).encode()
        host = f'[{self._host}]' if ':' in self._host else self._host
        head = (
            f'{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n'
            f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n'
        )
        with socket.create_connection((self._host, self._port), self._left()) as plain:
            plain.settimeout(self._left())
            with self._context.wrap_socket(plain, server_hostname=self._host) as tls:
                tls.sendall(head.encode() + body)
                answer = http.client.HTTPResponse(_Answer(self._read(tls)))  # type: ignore[arg-type]
        answer.begin()
        return answer.status, answer.read()

    def _read(self, tls: ssl.SSLSocket) -> bytes:
        parts: list[bytes] = []
        length = 0
        while length < MOST:
            tls.settimeout(self._left())
            part = tls.recv(65536)
            if not part:
                return b''.join(parts)
            parts.append(part)
            length += len(part)
        raise OSError('its answer is too long')

    def _left(self) -> float:
        if self.left_s <= 0:
            raise TimeoutError
        return self.left_s


class _Answer:
    # What http.client reads an answer from: the bytes that have come.

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _context(spec: ClusterSpec) -> ssl.SSLContext:
    names = ('ca.docker.trusted', 'ca.docker.cert', 'ca.docker.key')
    trusted, cert, key = (
        spec.secrets[name].value if name in spec.secrets else None for name in names
    )
    if not trusted or not cert or not key:
        raise SilentError('has no authority')
    try:
        context = ssl.create_default_context(cadata=trusted)
        # Python loads certificates from files alone.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'client.pem'
            path.touch(0o600)
            path.write_bytes(_client(cert, key))
            context.load_cert_chain(path)
    except (ValueError, ssl.SSLError, OSError) as error:
        raise SilentError(f'has an authority that cannot be used: {type(error).__name__}') from None
    return context


def _client(cert: str, key: str) -> bytes:
    """A key, and a certificate for it that an authority signs, PEM."""
    own, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    authority = x509.load_pem_x509_certificate(cert.encode())
    signed = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]))
        .issuer_name(authority.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + VALID)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        # All authorities of a cluster have one name.
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),  # type: ignore[arg-type]
            False,
        )
        .sign(serialization.load_pem_private_key(key.encode(), None), hashes.SHA256())  # type: ignore[arg-type]
    )
    pem = serialization.Encoding.PEM
    return signed.public_bytes(pem) + own.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
