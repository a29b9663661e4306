"""A user who changes clusters for as long as the storm lasts, and keeps every answer."""

import random
import threading
import time

import requests

from tools.chaos.answers import Answer

TIMEOUT_S = 20
# How often each is chosen.
CHANGES = {
    'create': 4,
    'resize': 6,
    'update': 3,
    'nodegroup_create': 3,
    'nodegroup_delete': 2,
    'rotate_ca': 1,
    'rotate_credentials': 1,
    'delete': 2,
    'list': 3,
}
MOST_CLUSTERS = 2
PAUSE_S = 1.5


class User(threading.Thread):
    """One project's user.

    :param url: of the API, through its door.
    :param token: that says who asks.
    :param template: of all clusters.
    :param seed: of what is chosen.
    """

    def __init__(self, url, token, project, template, seed, answers):
        super().__init__(name=project, daemon=True)
        self.project = project
        self._url = f'{url}/v1'
        self._headers = {'X-Auth-Token': token, 'OpenStack-API-Version': 'container-infra latest'}
        self._template = template
        self._random = random.Random(f'{seed}/{project}')  # noqa: S311 - chooses, hides nothing
        self._answers = answers
        self._made = 0
        self._stopping = threading.Event()

    def stop(self):
        """End after the request that is under way."""
        self._stopping.set()

    def run(self):
        """Change one thing after the other."""
        while not self._stopping.wait(self._random.uniform(0, 2 * PAUSE_S)):
            kind = self._random.choices(list(CHANGES), CHANGES.values())[0]
            chosen, number = self._random.random(), self._random.randint(1, 3)
            clusters = self._clusters()
            if clusters is None:
                continue
            if kind == 'create' or not clusters:
                if len(clusters) < MOST_CLUSTERS:
                    self._create(number)
            elif kind != 'list':
                cluster = clusters[int(chosen * len(clusters))]
                self._change(kind, cluster, number)

    def _clusters(self):
        """What the list shows; None when no answer came."""
        reply = self._ask('GET', '/clusters')
        if reply is None or reply.status_code != 200:
            self._keep('list', '', None, reply)
            return None
        return sorted(reply.json()['clusters'], key=lambda cluster: cluster['name'])

    def _create(self, count):
        self._made += 1
        name = f'{self.project}-{self._made}'
        reply = self._ask(
            'POST',
            '/clusters',
            {'name': name, 'cluster_template_id': self._template, 'node_count': count},
        )
        uuid = reply.json().get('uuid') if reply is not None and reply.ok else None
        self._keep('create', name, uuid, reply)

    def _change(self, kind, cluster, count):
        uuid = cluster['uuid']
        path = f'/clusters/{uuid}'
        count_patch = [{'op': 'replace', 'path': '/node_count', 'value': count}]
        method, where, body = {
            'resize': ('POST', f'{path}/actions/resize', {'node_count': count}),
            'update': ('PATCH', path, count_patch),
            'nodegroup_create': (
                'POST',
                f'{path}/nodegroups',
                {'name': f'group-{count}', 'node_count': 1},
            ),
            'nodegroup_delete': ('DELETE', f'{path}/nodegroups/group-{count}', None),
            'rotate_ca': ('PATCH', f'/certificates/{uuid}', None),
            'rotate_credentials': ('PATCH', f'/credentials/{uuid}', None),
            'delete': ('DELETE', path, None),
        }[kind]
        self._keep(
            kind,
            cluster['name'],
            uuid,
            self._ask(method, where, body),
            f'group-{count}' if kind.startswith('nodegroup_') else None,
        )

    def _keep(self, kind, name, cluster, reply, group=None):
        self._answers.keep(
            Answer(
                project=self.project,
                kind=kind,
                name=name,
                cluster=cluster,
                group=group,
                status=None if reply is None else reply.status_code,
                request_id=None if reply is None else reply.headers.get('x-openstack-request-id'),
            )
        )

    def _ask(self, method, path, body=None):
        """The answer; None if none came whole."""
        try:
            # Bytes that drip keep a timeout from ending; the whole answer has its time here.
            with requests.request(
                method,
                self._url + path,
                json=body,
                headers=self._headers,
                timeout=TIMEOUT_S,
                stream=True,
            ) as reply:
                _read(reply)
                return reply
        except requests.RequestException:
            return None


def _read(reply):
    until = time.monotonic() + TIMEOUT_S
    lots = []
    for lot in reply.iter_content(1):
        lots.append(lot)
        if time.monotonic() > until:
            raise requests.Timeout('the answer drips')
    reply._content = b''.join(lots)
