"""What can be seen of a cluster while it changes: its row, its operation, Heat's resources."""

import time
from typing import Any

import requests

from magnum_lite_dev.screen import Stopwatch
from magnum_lite_dev.state import TOKEN
from magnum_lite_dev.trouble import Trouble

TIMEOUT_S = 30
PAUSE_S = 0.5
HEADERS = {'X-Auth-Token': TOKEN, 'OpenStack-API-Version': 'container-infra latest'}
PROJECT = TOKEN.split(':')[1]


class Watch:
    """Looks at one service and its Heat with the token of the demonstration.

    :param api_url: of the service, without /v1.
    :param heat: the :class:`~magnum_lite_dev.fixture.RunningHeat` it builds in.
    """

    def __init__(self, api_url, heat) -> None:
        self._api_url = api_url
        self._heat = heat
        self._stacks_url = heat.catalog['orchestration'] % {'project_id': PROJECT} + '/stacks'

    def get(self, path) -> Any:
        """The document at ``/v1/{path}``, None when there is none.

        :raises Trouble: any other answer.
        """
        reply = requests.get(f'{self._api_url}/v1/{path}', headers=HEADERS, timeout=TIMEOUT_S)
        if reply.status_code == 404:
            return None
        if reply.status_code != 200:
            raise Trouble(f'GET /v1/{path} answers {reply.status_code}: {reply.text}')
        return reply.json()

    def stacks(self) -> list[dict[str, Any]]:
        """Heat's rows of the demonstration's stacks, nested ones left out."""
        reply = requests.get(self._stacks_url, headers=HEADERS, timeout=TIMEOUT_S)
        reply.raise_for_status()
        return reply.json()['stacks']

    def resources(self) -> tuple[int, int]:
        """(how many of Heat's resources are complete, how many there are)."""
        done = total = 0
        for stack in self.stacks():
            reply = requests.get(
                f'{self._stacks_url}/{stack["stack_name"]}/{stack["id"]}/resources',
                params={'nested_depth': 3},
                headers=HEADERS,
                timeout=TIMEOUT_S,
            )
            # A stack that is being deleted may go between the two requests.
            rows = reply.json().get('resources', []) if reply.status_code == 200 else []
            done += sum(row['resource_status'].endswith('COMPLETE') for row in rows)
            total += len(rows)
        return done, total

    def follow(self, screen, cluster_id, wanted, *, timeout_s) -> Any:
        """Show progress until the cluster's status is ``wanted``; None: until it is gone.

        :raises Trouble: another end, with the cause; or none within ``timeout_s``.
        """
        watch = Stopwatch()
        while watch.seconds < timeout_s:
            cluster = self.get(f'clusters/{cluster_id}')
            status = cluster['status'] if cluster else None
            if status == wanted:
                return watch
            if status and status.endswith('_FAILED'):
                raise Trouble(f'{status}: {cluster.get("status_reason")}')
            if status and status.endswith('_COMPLETE') and wanted is not None:
                raise Trouble(f'the cluster is {status} instead of {wanted}')
            operation = self._operation(cluster_id)
            done, total, unit = _counted(operation) or (*self.resources(), 'resources')
            screen.progress(
                done,
                total,
                unit,
                _doing(operation, cluster_id) or str(status),
                watch,
                left_s=operation.get('phase_left_s'),
            )
            time.sleep(PAUSE_S)
        raise Trouble(f'the cluster is still {status} after {timeout_s} s')

    def _operation(self, cluster_id) -> dict[str, Any]:
        """The oldest operation of a cluster that has not ended; {} where there is none."""
        listed = self.get(f'clusters/{cluster_id}/operations') or {}
        return next(
            (
                operation
                for operation in listed.get('operations', [])
                if operation.get('state') in ('QUEUED', 'RUNNING', 'WAITING')
            ),
            {},
        )

    def leftovers(self) -> list[str]:
        """What is left in Heat and in the cloud, as a list of words; [] when all is gone."""
        found = [f'stack {stack["stack_name"]}' for stack in self.stacks()]
        cloud = self._heat.state()
        for table in (
            'servers',
            'routers',
            'floatingips',
            'volumes',
            'loadbalancers',
            'security-groups',
            'os-server-groups',
            'stack-users',
        ):
            found += [
                f'{table} {row.get("name") or row["id"]}' for row in cloud.get(table, {}).values()
            ]
        found += [
            f'network {row["name"]}'
            for row in cloud['networks'].values()
            if not row['router:external']
        ]
        return found


def _counted(operation) -> tuple[int, int, str] | None:
    """(done, total, of what) by the phase of an operation; None where Heat's resources tell more:
    while stacks are made, there are many in each, and before anything can be counted."""
    if operation.get('phase') in (None, 'stacks') or operation.get('phase_total') is None:
        return None
    return operation['phase_done'], operation['phase_total'], operation['phase']


def _doing(operation, cluster_id) -> str | None:
    """What an operation does, in words; None without one."""
    if not operation:
        return None
    text = operation.get('progress') or 'about to begin'
    # Names of stacks begin with what the reader knows already.
    return f'{operation["kind"]}: {text.replace(f"magnum-{cluster_id}-", "")}'
