"""Runs magnum-tempest-plugin, unmodified, against the whole service: ``python -m tools.tempest``.

Exit status 0 when tests ran and none failed or was skipped.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from magnum_lite_dev.directory import PASSWORD, REGION
from tools.stage import HERE, command, environment, wait, whole_service

EXCLUDED = HERE / 'tempest-excluded.txt'
# The life cycle by itself: after each test the plugin deletes the user that all tests of the class
# share, and only tokens that the service still remembers go on being good.
RUNS = {
    'life-cycle': r'\.v1\.test_cluster\..*\.test_create_list_sign_delete_clusters\b',
    'rest': r'^magnum_tempest_plugin\.(?!.*\.test_create_list_sign_delete_clusters\b)',
}
WITHIN_S = 1200
CONF = """\
[DEFAULT]
log_dir = {workspace}
log_file = tempest.log
[oslo_concurrency]
lock_path = {workspace}/lock
[auth]
use_dynamic_credentials = true
tempest_roles = member
create_isolated_networks = false
admin_username = admin
admin_password = {password}
admin_project_name = admin
admin_domain_name = Default
[identity]
uri_v3 = {keystone}
auth_version = v3
region = {region}
[service_available]
cinder = false
glance = false
neutron = false
nova = true
swift = false
magnum = true
[enforce_scope]
magnum = true
[magnum]
image_id = debian-13
flavor_id = m1.small
master_flavor_id = m1.small
nic_id = public
"""
STESTR = """\
[DEFAULT]
test_path = {packages}/tempest/test_discover
top_dir = {packages}
# The tests of one class share what it has made: one worker runs them all.
group_regex = ([^\\.]*\\.)*
"""
# The plugin's script waits five minutes for pods to start, and those of the simulation run at once.
SLEEP = '#!/bin/sh\nexec /bin/sleep 1\n'


def main():
    """Start everything, run the suite, stop everything; the exit status."""
    args = _parser().parse_args()
    programs = environment(args.environment, 'tempest')
    runs = {'one': args.regex} if args.regex else RUNS
    with (
        tempfile.TemporaryDirectory(prefix='magnum-lite-tempest-') as path,
        whole_service(Path(path)) as service,
        contextlib.ExitStack() as stack,
    ):
        runs = [
            stack.enter_context(
                run(Path(path) / name, programs, service.keystone.url, regex, args.short_waits)
            )
            for name, regex in runs.items()
        ]
        problems = [problem for problem in [end(*each) for each in runs] if problem]
        if problems:
            print(service.log(), *problems, sep='\n', file=sys.stderr)
    return 1 if problems else 0


def _parser():
    parser = argparse.ArgumentParser(prog='tools.tempest', description=__doc__.splitlines()[0])
    parser.add_argument(
        '--environment', required=True, metavar='DIR', help='where Tempest is installed, or will be'
    )
    parser.add_argument(
        '--short-waits',
        action='store_true',
        help="the plugin's script does not wait five minutes for pods; the test "
        'itself waits another five all the same',
    )
    parser.add_argument('regex', nargs='?', help='which tests, in one run; all without')
    return parser


@contextlib.contextmanager
def run(workspace, programs, keystone_url, regex, short_waits):
    """One run of Tempest, in a directory of its own; it begins at once.

    :returns: context manager with (the process, the file of its output).
    """
    workspace.mkdir()
    (workspace / 'tempest.conf').write_text(
        CONF.format(workspace=workspace, keystone=keystone_url, password=PASSWORD, region=REGION)
    )
    found = subprocess.run(
        [programs / 'python', '-c', 'import tempest; print(tempest.__path__[0])'],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    (workspace / '.stestr.conf').write_text(STESTR.format(packages=Path(found).parent))
    environ = {name: text for name, text in os.environ.items() if name != 'PYTHONPATH'}
    clock = f'{_clock(workspace)}:' if short_waits else ''
    with (
        (workspace / 'output').open('w') as output,
        command(
            [
                programs / 'tempest',
                'run',
                '--concurrency',
                '2',
                '--regex',
                regex,
                '--config-file',
                workspace / 'tempest.conf',
                '--exclude-list',
                EXCLUDED,
            ],
            cwd=workspace,
            env={**environ, 'PATH': f'{clock}{programs}:{environ["PATH"]}'},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        yield process, workspace / 'output'


def _clock(workspace):
    """The directory of a ``sleep`` that is short."""
    sleep = workspace / 'bin' / 'sleep'
    sleep.parent.mkdir()
    sleep.write_text(SLEEP)
    sleep.chmod(0o755)
    return sleep.parent


def end(process, output):
    """Wait for the end of a run and print it; what went wrong, '' when all is well."""
    status = wait(process, WITHIN_S)
    print(output.read_text(), flush=True)
    return _problem(output.read_text(), status)


def _problem(output, status):
    """Why a run shows nothing or something bad; '' when all is well."""
    counted = {
        name: int(number)
        for name, number in re.findall(r'^ - (\w+): +(\d+)$', output, re.MULTILINE)
    }
    if not counted.get('Passed'):
        return 'no test passed'
    bad = [f'{counted[name]} {name.lower()}' for name in ('Failed', 'Skipped') if counted.get(name)]
    if status and not bad:
        bad = [f'tempest ended with status {status}']
    return ', '.join(bad)


if __name__ == '__main__':
    sys.exit(main())
