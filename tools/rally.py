"""Runs Magnum's Rally scenarios, unmodified, against the whole service: ``python -m tools.rally``.

Exit status 0 when every iteration of every scenario succeeded.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from magnum_lite_dev.directory import PASSWORD, REGION
from tools.stage import command, environment, wait, whole_service

WITHIN_S = 1800
CONF = """\
[DEFAULT]
log_dir = {path}
log_file = rally.log
[database]
connection = sqlite:///{path}/rally.sqlite
[openstack]
magnum_cluster_create_timeout = 900
"""
TEMPLATE = {
    'image_id': 'debian-13',
    'flavor_id': 'm1.small',
    'master_flavor_id': 'm1.small',
    'external_network_id': 'public',
    'coe': 'kubernetes',
}
CONTEXTS = {'users': {'tenants': 1, 'users_per_tenant': 1}, 'cluster_templates': TEMPLATE}


def main():
    """Start everything, run the scenarios, stop everything; the exit status."""
    parser = argparse.ArgumentParser(prog='tools.rally', description=__doc__.splitlines()[0])
    parser.add_argument(
        '--environment', required=True, metavar='DIR', help='where Rally is installed, or will be'
    )
    parser.add_argument('--clusters', type=int, default=20, help='how many in all (20)')
    parser.add_argument('--concurrency', type=int, default=5, help='how many at once (5)')
    args = parser.parse_args()
    programs = environment(args.environment, 'rally')
    with (
        tempfile.TemporaryDirectory(prefix='magnum-lite-rally-') as path,
        whole_service(Path(path)) as service,
    ):
        rally = Rally(Path(path) / 'rally', programs)
        rally.prepare(service.keystone.url)
        status = rally.run(_task(args.clusters, args.concurrency))
        if status:
            print(service.log(), file=sys.stderr)
    return status


def _task(clusters, concurrency):
    """The scenarios as a task of Rally; each must succeed in every iteration."""
    runner = {'constant': {'times': clusters, 'concurrency': concurrency}}
    sla = {'failure_rate': {'max': 0}}
    scenarios = {
        'MagnumClusters.create_and_list_clusters': {'node_count': 1},
        'MagnumClusters.list_clusters': {},
        'MagnumClusterTemplates.list_cluster_templates': {},
    }
    return {
        'version': 2,
        'title': 'Magnum',
        'subtasks': [
            {
                'title': name,
                'scenario': {name: arguments},
                'runner': runner,
                'contexts': CONTEXTS,
                'sla': sla,
            }
            for name, arguments in scenarios.items()
        ],
    }


class Rally:
    """The command in a directory of its own."""

    def __init__(self, path, programs):
        self._path = path
        self._rally = programs / 'rally'
        path.mkdir()
        (path / 'rally.conf').write_text(CONF.format(path=path))

    def prepare(self, keystone_url):
        """Make Rally's database and tell it of the cloud."""
        spec = self._path / 'cloud.json'
        spec.write_text(
            json.dumps(
                {
                    'existing@openstack': {
                        'auth_url': keystone_url,
                        'region_name': REGION,
                        'admin': {
                            'username': 'admin',
                            'password': PASSWORD,
                            'project_name': 'admin',
                            'user_domain_name': 'Default',
                            'project_domain_name': 'Default',
                        },
                    }
                }
            )
        )
        self._call('db', 'create', check=True)
        self._call('env', 'create', '--name', 'cloud', '--spec', spec, check=True)

    def run(self, task):
        """Run a task, print its figures; the exit status."""
        file = self._path / 'task.json'
        file.write_text(json.dumps(task))
        started = self._call('task', 'start', '--task', file)
        return started or self._call('task', 'sla-check')

    def _call(self, *words, check=False):
        environ = {name: text for name, text in os.environ.items() if name != 'PYTHONPATH'}
        with command(
            [self._rally, '--config-file', self._path / 'rally.conf', *words],
            cwd=self._path,
            env={**environ, 'HOME': str(self._path)},
        ) as process:
            status = wait(process, WITHIN_S)
        if status and check:
            raise SystemExit(f'rally {words[0]} {words[1]} ended with status {status}')
        return status


if __name__ == '__main__':
    sys.exit(main())
