"""Heat as one uses it without the service: the reference of what the service adds."""

import time
import uuid

import requests
from heatclient import client as heat_client

from magnum_lite.cloud import identity
from magnum_lite.driver_sdk.testing import example

PAUSE_S = 0.005
TIMEOUT_S = 20


class RawHeat:
    """One project's stacks by python-heatclient, and a look at them that costs little."""

    def __init__(self, stage, project):
        session = identity.session(
            stage.conf,
            {
                'mode': 'none',
                'user_id': 'demo',
                'project_id': project,
                'roles': ['member', 'reader'],
            },
            timeout_s=TIMEOUT_S,
        )
        self._client = heat_client.Client(
            '1', session=session, interface='internal', service_type='orchestration'
        )
        self._url = stage.heat.catalog['orchestration'] % {'project_id': project} + '/stacks'
        self._look = requests.Session()
        self._look.headers['X-Auth-Token'] = f'demo:{project}:member,reader'

    def create(self, stack, outputs=()):
        """Ask for a stack of a plan."""
        self._client.stacks.create(
            stack_name=stack.name,
            template=stack.template,
            files=dict(stack.files),
            environment=dict(stack.environment),
            parameters=stack.resolve(dict(outputs)),
            timeout_mins=stack.timeout_min,
            disable_rollback=True,
        )

    def delete(self, name):
        """Ask for its end."""
        self._client.stacks.delete(name)

    def outputs(self, name):
        """{output: value}."""
        return {
            output['output_key']: output.get('output_value')
            for output in self._client.stacks.get(name).outputs
        }

    def statuses(self):
        """{name: status} of all stacks."""
        reply = self._look.get(self._url, timeout=TIMEOUT_S)
        reply.raise_for_status()
        return {stack['stack_name']: stack['stack_status'] for stack in reply.json()['stacks']}

    def wait(self, condition, *, within_s=120, pause_s=PAUSE_S):
        """Wait until a condition holds of ``statuses()``; when it was seen to.

        :raises TimeoutError: it never did.
        """
        until = time.monotonic() + within_s
        while not condition(self.statuses()):
            if time.monotonic() > until:
                raise TimeoutError(f'stacks are {self.statuses()}')
            time.sleep(pause_s)
        return time.perf_counter()

    def wait_empty(self):
        """Wait until there is no stack any more."""
        self.wait(lambda found: not found, pause_s=0.1)


def plan(driver):
    """The stacks of a small cluster that nobody else has."""
    return driver.plan(example.spec(driver, uuid=str(uuid.uuid4()))).stacks
