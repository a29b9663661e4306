"""A tenant of the simulated cloud who makes servers by hand, as Heat would."""

import base64
import time

import requests

TOKEN = 'tenant:tenant'


class Tenant:
    """Calls the APIs of a cloud.

    :param heat: the :class:`magnum_lite_dev.fixture.RunningHeat` that has it.
    """

    def __init__(self, heat):
        self._heat = heat

    def call(self, method, path, **body):
        """(status, document) of a request; ``path`` begins with the service."""
        reply = requests.request(
            method,
            f'{self._heat.cloud_url}/{path}',
            json=body or None,
            headers={'X-Auth-Token': TOKEN},
            timeout=60,
        )
        return reply.status_code, reply.json() if reply.content else None

    def ask(self, method, path, **body):
        """The document of a request that is not refused."""
        status, document = self.call(method, path, **body)
        assert status < 400, document
        return document

    def make(self, what, **row):
        """The new row of a collection of the network."""
        return self.ask('POST', f'network/v2.0/{what}s', **{what.replace('-', '_'): row})[
            what.replace('-', '_')
        ]

    def network(self, cidr, *, routed=True):
        """(network, router) with a subnet; routed, it has a way out."""
        network = self.make('network', name=cidr)
        subnet = self.make('subnet', network_id=network['id'], cidr=cidr, ip_version=4)
        router = None
        if routed:
            router = self.make('router', external_gateway_info={'network_id': self.outside()})
            self.ask(
                'PUT',
                f'network/v2.0/routers/{router["id"]}/add_router_interface',
                subnet_id=subnet['id'],
            )
        return network, router

    def outside(self):
        """The id of the external network."""
        rows = self.ask('GET', 'network/v2.0/networks')['networks']
        return next(row['id'] for row in rows if row['router:external'])

    def group(self, *rules):
        """The id of a new security group that lets in what each rule says."""
        group = self.make('security-group', name='group')
        for rule in rules:
            given = {'direction': 'ingress', 'security_group_id': group['id'], **rule}
            self.make('security-group-rule', **given)
        return group['id']

    def server(self, name, ports, user_data='', image='swarm', group=None):
        """The id of a new server with these ports."""
        images = self.ask('GET', f'image/v2/images?name={image}')['images']
        spec = {
            'name': name,
            'flavorRef': '1',
            'imageRef': images[0]['id'],
            'networks': [{'port': port['id']} for port in ports],
            'user_data': base64.b64encode(user_data.encode()).decode(),
            'key_name': 'demo',
        }
        body = {'server': spec, **({'os:scheduler_hints': {'group': group}} if group else {})}
        return self.ask('POST', 'compute/v2.1/servers', **body)['server']['id']

    def show(self, server):
        """What Nova shows of a server; None once it is gone."""
        status, document = self.call('GET', f'compute/v2.1/servers/{server}')
        return None if status == 404 else document['server']

    def act(self, server, **action):
        """(status, document) of an action on a server."""
        return self.call('POST', f'compute/v2.1/servers/{server}/action', **action)

    def wait(self, server, status, within_s=60):
        """Wait until Nova shows a server in a status; None is that it is gone."""
        wait_for(lambda: (self.show(server) or {}).get('status') == status, within_s, status)


def wait_for(condition, within_s=60, what='it'):
    """Wait until ``condition()`` is true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f'{what} did not come true in {within_s} s'
        time.sleep(0.1)
