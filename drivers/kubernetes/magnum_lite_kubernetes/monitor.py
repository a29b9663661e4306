"""The health of a cluster, as its API server tells everybody."""

import http.client
import io
import socket
import ssl
import time
from urllib.parse import urlsplit

from magnum_lite.driver_sdk import ClusterSpec, Health, address
from magnum_lite_kubernetes import kubeadm

# What OpenSSL says of a certificate whose time is over.
CERT_HAS_EXPIRED = 10
MOST = 16384  # bytes of an answer, its headers too


class ApiMonitor:
    """Asks the API server whether it is ready, over TLS with the cluster's own authority.

    It asks as anybody may: no certificate and no token go out.
    """

    def __init__(self, spec: ClusterSpec) -> None:
        self.spec = spec

    def look(self, *, timeout_s: float) -> Health:
        """One look.

        An API server that cannot be reached is UNKNOWN: it may be private, or something on the
        way answers in its place. One that refuses, is not ready, or whose certificate has ended, is
        UNHEALTHY.
        """
        url = address.usable(self.spec.api_address)
        authority = self.spec.secrets['ca.kubernetes.cert'].value
        if not url or '://' not in url or not authority:
            return Health('UNKNOWN', {'api': 'has no address' if authority else 'has no authority'})
        try:
            status, text, end_s = _ask(url, authority, time.monotonic() + timeout_s)
        except ConnectionRefusedError:
            if self.spec.network.floating_ip_enabled:
                return Health('UNHEALTHY', {'api': f'{url} refuses connections'})
            return Health(
                'UNKNOWN',
                {
                    'api': f'{url} refuses connections, and is an address of the '
                    "cluster's own network"
                },
            )
        except ssl.SSLError as error:
            if getattr(error, 'verify_code', None) == CERT_HAS_EXPIRED:
                return Health('UNHEALTHY', {'api': f'the certificate of {url} has ended'})
            why = getattr(error, 'verify_message', None) or error.reason or error
            return Health('UNKNOWN', {'api': f'what answers at {url} is not this cluster: {why}'})
        except TimeoutError:
            return Health(
                'UNKNOWN', {'api': f'{url} cannot be reached: no answer within {timeout_s:g} s'}
            )
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            return Health(
                'UNKNOWN', {'api': f'{url} cannot be reached: {error or type(error).__name__}'}
            )
        if status == 200:
            return Health('HEALTHY', {'api': 'ok'} | self._renewal(end_s))
        return Health('UNHEALTHY', {'api': f'answers {status}: {text[:200]}'})

    def _renewal(self, end_s: float) -> dict[str, str]:
        # Half of the time in which the node should have renewed it is over.
        if end_s - time.time() > kubeadm.renew_days(self.spec) * 86400 / 2:
            return {}
        day = time.strftime('%Y-%m-%d', time.gmtime(end_s))
        return {'certificate': f'ends on {day}, and its node did not renew it'}


class _Answer:
    # What http.client reads an answer from: the bytes that have come.

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _ask(url: str, authority: str, until: float) -> tuple[int, str, float]:
    # Status, text, and when the certificate of the server ends, in seconds since 1970.
    context = ssl.create_default_context(cadata=authority)
    found = urlsplit(url)
    host = found.hostname or ''
    where = f'[{host}]' if ':' in host else host
    with socket.create_connection((host, found.port or 443), _left(until)) as plain:
        plain.settimeout(_left(until))
        with context.wrap_socket(plain, server_hostname=host) as tls:
            end_s = ssl.cert_time_to_seconds(tls.getpeercert()['notAfter'])
            tls.settimeout(_left(until))
            tls.sendall(
                f'GET /readyz HTTP/1.1\r\nHost: {where}\r\nConnection: close\r\n\r\n'.encode()
            )
            answer = http.client.HTTPResponse(_Answer(_read(tls, until)))
    answer.begin()
    return answer.status, answer.read(1000).decode(errors='replace'), end_s


def _read(tls: ssl.SSLSocket, until: float) -> bytes:
    data = b''
    while len(data) < MOST:
        tls.settimeout(_left(until))
        part = tls.recv(MOST - len(data))
        if not part:
            break
        data += part
    return data


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
