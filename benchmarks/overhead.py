"""What the service adds to a cluster's life: creation and deletion against the same stacks by hand.

The reference is a loop that creates, watches and deletes the stacks of the same plan in Heat.
"""

import statistics
import time

import psutil

from benchmarks.raw_heat import RawHeat, plan
from benchmarks.stage import is_quick, say, stage
from magnum_lite_kubernetes.driver import Kubernetes

PROJECT, REFERENCE = 'ours', 'raw'
BUILD_SECONDS = 5  # of a server; real ones take longer, which makes the share smaller
BUDGET = 0.05


def main():
    """Print the figures."""
    rounds = 1 if is_quick(__doc__) else 8
    with stage(conductors=1, api_workers=1, build_seconds=BUILD_SECONDS) as running:
        client = running.service.client(PROJECT)
        template = client.template()
        raw = RawHeat(running, REFERENCE)
        _ours(client, template)
        _reference(raw)
        work = _work(running)
        found = []
        for _ in range(rounds):
            found.append((_ours(client, template), _reference(raw)))
        work = {name: now - work[name] for name, now in _work(running).items()}
    ours, theirs = (statistics.median(times) for times in zip(*found, strict=True))
    share = (ours - theirs) / ours
    say(f'{rounds} lives of one master and one worker, servers take {BUILD_SECONDS} s; medians:')
    say(
        f'through the service {ours:.2f} s, by hand {theirs:.2f} s: {ours - theirs:.2f} s more, '
        f'{share:.1%} of the life (budget <= {BUDGET:.0%})'
    )
    say(
        'processor seconds for one life: '
        + ', '.join(
            f'{name} {used / rounds / (2 if name == "heat" else 1):.2f}'
            for name, used in work.items()
        )
    )


def _ours(client, template):
    """Seconds that a cluster lives."""
    began = time.perf_counter()
    uuid = client.create(template)
    path = f'/clusters/{uuid}'
    while (status := client('GET', path, 200)['status']) != 'CREATE_COMPLETE':
        assert status == 'CREATE_IN_PROGRESS', status
        time.sleep(0.05)
    client('DELETE', path, 204)
    while client('GET', '/clusters', 200)['clusters']:
        time.sleep(0.05)
    return time.perf_counter() - began


def _reference(heat):
    stacks = plan(Kubernetes())
    began = time.perf_counter()
    outputs = {}
    for stack in stacks:
        heat.create(stack, outputs)
        heat.wait(lambda found, name=stack.name: _is_done(found[name]), pause_s=0.05)
        outputs[stack.key] = heat.outputs(stack.name)
    for stack in reversed(stacks):
        heat.delete(stack.name)
        heat.wait(lambda found, name=stack.name: name not in found, pause_s=0.05)
    return time.perf_counter() - began


def _is_done(status):
    assert status in ('CREATE_IN_PROGRESS', 'CREATE_COMPLETE'), status
    return status == 'CREATE_COMPLETE'


def _work(running):
    """{part: processor seconds so far}; Heat's is for both sides."""
    parents = {name: process.pid for name, process in running.service.processes.items()}
    return {
        name: sum(
            sum(process.cpu_times()[:2])
            for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
        )
        for name, pid in {**parents, 'heat': running.heat.pid}.items()
    }


if __name__ == '__main__':
    main()
