"""The health of a cluster, as its API server tells everybody."""

import http.client
import ssl
from urllib.parse import urlsplit

from magnum_lite.driver_sdk import Cloud, ClusterSpec, Health
from magnum_lite_kubernetes import names


class ApiMonitor:
    """Asks the API server whether it is ready, over TLS with the cluster's own authority."""

    def __init__(self, cloud: Cloud, spec: ClusterSpec) -> None:
        self.cloud = cloud
        self.spec = spec

    def look(self, *, timeout_s: float) -> Health:
        """One look.

        An API server that cannot be reached is UNKNOWN: it may be private, or something on the
        way answers in its place. One that refuses, or is not ready, is UNHEALTHY.
        """
        view = self.cloud.heat.get(names.base_stack(self.spec))
        address = view.outputs.get('api_address') if view else None
        if not address:
            return Health('UNKNOWN', {'api': 'has no address'})
        try:
            status, text = self._ask(str(address), timeout_s)
        except ConnectionRefusedError:
            return Health('UNHEALTHY', {'api': f'{address} refuses connections'})
        except ssl.SSLError as error:
            return Health(
                'UNKNOWN',
                {'api': f'what answers at {address} is not this cluster: {error.reason or error}'},
            )
        except (OSError, http.client.HTTPException) as error:
            return Health(
                'UNKNOWN', {'api': f'{address} cannot be reached: {error or type(error).__name__}'}
            )
        if status == 200:
            return Health('HEALTHY', {'api': 'ok'})
        return Health('UNHEALTHY', {'api': f'answers {status}: {text[:200]}'})

    def _ask(self, address: str, timeout_s: float) -> tuple[int, str]:
        context = ssl.create_default_context(cadata=self.spec.secrets['ca.kubernetes.cert'].value)
        url = urlsplit(address)
        connection = http.client.HTTPSConnection(
            url.hostname or '', url.port, timeout=timeout_s, context=context
        )
        try:
            connection.request('GET', '/readyz')
            answer = connection.getresponse()
            return answer.status, answer.read(1000).decode(errors='replace')
        finally:
            connection.close()
