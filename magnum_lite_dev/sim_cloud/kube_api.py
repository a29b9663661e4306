"""What the Kubernetes API of a simulated cluster answers: its nodes, their system pods."""

import dataclasses
import urllib.parse
from typing import Any

from magnum_lite_dev.sim_cloud import servers
from magnum_lite_dev.sim_cloud.store import Row, Store

Document = dict[str, Any]

ADMINS = 'system:masters'
CONTROL_PLANE_PODS = ('etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler')
# What a real API server answers to anybody.
HEALTH = ('/healthz', '/livez', '/readyz')
# Queries that change how a reply looks and not what it holds.
HARMLESS = frozenset(
    {'limit', 'pretty', 'resourceVersion', 'resourceVersionMatch', 'timeout', 'timeoutSeconds'}
)
# What a server shows that was stopped.
OFF = ('SHUTOFF', 'SUSPENDED')
NAMESPACES = ('default', 'kube-system')
# What is the same on all nodes.
SYSTEM = {
    'kernelVersion': 'simulated',
    'osImage': 'simulated',
    'operatingSystem': 'linux',
    'architecture': 'amd64',
    'containerRuntimeVersion': 'simulated://0',
}
RESOURCES = (('namespaces', 'Namespace', False), ('nodes', 'Node', False), ('pods', 'Pod', True))
WHOLE = '/api/v1/'


@dataclasses.dataclass(frozen=True)
class Cluster:
    """What one control plane knows.

    :ivar row: the server it runs on.
    :ivar authority: fingerprint of the certificate by which its nodes know each other.
    :ivar version: of Kubernetes, ``v1.34.1``.
    """

    store: Store
    row: Row
    authority: str
    version: str

    @property
    def is_there(self) -> bool:
        """Whether its server exists and runs."""
        return not self.row['_deleted_at'] and self.row['_status'] not in OFF

    def answer(self, method, target, organizations) -> tuple[int, str | Document]:
        """(status, text or document) of one request.

        :param target: path and query.
        :param organizations: of the caller's certificate; None without one.
        """
        path, _, query = target.partition('?')
        if path in HEALTH:
            return 200, 'ok'
        if path == '/version':
            major, minor, *_ = self.version.lstrip('v').split('.')
            return 200, {'major': major, 'minor': minor, 'gitVersion': self.version}
        if organizations is None:
            return _status(401, 'Unauthorized', 'Unauthorized')
        if ADMINS not in organizations:
            return _status(403, 'Forbidden', f'only {ADMINS} may ask this simulated cluster')
        if method != 'GET':
            return _status(405, 'MethodNotAllowed', f'not simulated: {method} {path}')
        document = _discovery(path)
        if document:
            return 200, document
        return self._list(path.rstrip('/'), dict(urllib.parse.parse_qsl(query)))

    def _list(self, path, query) -> tuple[int, Document]:
        rows = self._found(path)
        if rows is None:
            return _status(404, 'NotFound', f'not simulated: GET {path}')
        kind, items = rows
        unknown = sorted(set(query) - HARMLESS - {'fieldSelector'})
        if unknown:
            return _status(400, 'BadRequest', f'not simulated: {", ".join(unknown)}')
        wanted = query.get('fieldSelector', '')
        return 200, {
            'kind': f'{kind}List',
            'apiVersion': 'v1',
            'metadata': {'resourceVersion': str(self.store.changes)},
            'items': [item for item in items if _is_selected(item, wanted)],
        }

    def _found(self, path) -> tuple[str, list[Document]] | None:
        """(kind, documents) of a collection; None, there is none of that path."""
        if path == f'{WHOLE}nodes':
            return 'Node', [self._node(row) for row in self._servers()]
        if path == f'{WHOLE}namespaces':
            return 'Namespace', [_namespace(name, self.row['created']) for name in NAMESPACES]
        pods = [_pod(name, row) for row in self._servers() for name in self._programs(row)]
        if path == f'{WHOLE}pods':
            return 'Pod', pods
        for name in NAMESPACES:
            if path == f'{WHOLE}namespaces/{name}/pods':
                return 'Pod', [pod for pod in pods if pod['metadata']['namespace'] == name]
        return None

    def _servers(self) -> list[Row]:
        # The control plane answers before it signals, and is up when somebody hears it.
        return [
            row
            for row in self.store.rows('servers')
            if row is self.row
            or (
                row['_is_up']
                and not row['_deleted_at']
                and self.authority in row.get('_authorities', ())
            )
        ]

    def _programs(self, row) -> tuple[str, ...]:
        return ('kube-proxy', *(CONTROL_PLANE_PODS if row is self.row else ()))

    def _node(self, row) -> Document:
        roles = {'node-role.kubernetes.io/control-plane': ''} if row is self.row else {}
        addresses = [
            each for network in servers.addresses(self.store, row).values() for each in network
        ]
        kinds = {'fixed': 'InternalIP', 'floating': 'ExternalIP'}
        system = dict.fromkeys(('machineID', 'systemUUID', 'bootID'), row['id'])
        versions = dict.fromkeys(('kubeletVersion', 'kubeProxyVersion'), self.version)
        return {
            'metadata': {
                'name': row['name'],
                'uid': row['id'],
                'creationTimestamp': row['created'],
                'labels': {'kubernetes.io/hostname': row['name'], **roles},
            },
            'spec': {},
            'status': {
                'conditions': [
                    {
                        'type': 'Ready',
                        'status': 'True',
                        'reason': 'KubeletReady',
                        'message': 'simulated',
                        'lastTransitionTime': row['created'],
                    }
                ],
                'addresses': [{'type': 'Hostname', 'address': row['name']}]
                + [
                    {'type': kinds[each['OS-EXT-IPS:type']], 'address': each['addr']}
                    for each in addresses
                ],
                'nodeInfo': {**SYSTEM, **system, **versions},
            },
        }


def _status(code, reason, message) -> tuple[int, Document]:
    return code, {
        'kind': 'Status',
        'apiVersion': 'v1',
        'metadata': {},
        'status': 'Failure',
        'message': message,
        'reason': reason,
        'code': code,
    }


def _discovery(path) -> Document | None:
    """What a client learns of the API before it asks anything else; None at other paths."""
    return {
        '/api': {'kind': 'APIVersions', 'versions': ['v1'], 'serverAddressByClientCIDRs': []},
        '/apis': {'kind': 'APIGroupList', 'apiVersion': 'v1', 'groups': []},
        '/api/v1': {
            'kind': 'APIResourceList',
            'groupVersion': 'v1',
            'resources': [
                {
                    'name': name,
                    'singularName': kind.lower(),
                    'kind': kind,
                    'namespaced': namespaced,
                    'verbs': ['list'],
                }
                for name, kind, namespaced in RESOURCES
            ],
        },
    }.get(path.rstrip('/'))


def _namespace(name, created) -> Document:
    return {
        'metadata': {'name': name, 'uid': name, 'creationTimestamp': created},
        'spec': {},
        'status': {'phase': 'Active'},
    }


def _pod(program, row) -> Document:
    name = f'{program}-{row["name"]}'
    return {
        'metadata': {
            'name': name,
            'namespace': 'kube-system',
            'uid': f'{program}-{row["id"]}',
            'creationTimestamp': row['created'],
        },
        'spec': {'nodeName': row['name'], 'containers': [{'name': program, 'image': program}]},
        'status': {'phase': 'Running', 'conditions': [{'type': 'Ready', 'status': 'True'}]},
    }


def _is_selected(item, selector) -> bool:
    """Whether the document has the values of ``status.phase!=Running,spec.nodeName=a``."""
    for term in filter(None, selector.split(',')):
        path, _, wanted = term.replace('==', '=').partition('=')
        value = item
        for key in path.removesuffix('!').split('.'):
            value = value.get(key) if isinstance(value, dict) else None
        if (value == wanted) is path.endswith('!'):
            return False
    return True
