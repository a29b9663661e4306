"""Time from a POST until Heat shows the stack, on an idle service.

The reference puts the same row into the database and sends the same base stack to Heat.
"""

import statistics
import time

from benchmarks.raw_heat import RawHeat, plan
from benchmarks.rows import Copies
from benchmarks.stage import is_quick, say, stage
from magnum_lite_kubernetes.driver import Kubernetes

PROJECT, REFERENCE = 'ours', 'raw'
IDLE_S = 1.0
BUDGET_MS = 100


def main():
    """Print the figures."""
    rounds = 3 if is_quick(__doc__) else 20
    with stage(conductors=1, api_workers=1) as running:
        client = running.service.client(PROJECT)
        template = client.template()
        ours, raw = RawHeat(running, PROJECT), RawHeat(running, REFERENCE)
        copies = _copies(running, client, template, ours)
        _reference(raw, copies)  # connections, caches
        found = [(_ours(client, template, ours), _reference(raw, copies)) for _ in range(rounds)]
        copies.close()
    totals, accepted = zip(*(one for one, _ in found), strict=True)
    theirs = [one for _, one in found]
    above = 1000 * (statistics.median(totals) - statistics.median(theirs))
    say(f'{rounds} rounds, medians (quartiles):')
    say(f'POST until the 202          {_spread(accepted)}')
    say(f'POST until Heat shows it    {_spread(totals)}')
    say(f'INSERT and a POST to Heat   {_spread(theirs)}')
    say(f'above the reference: {above:.0f} ms (budget <= {BUDGET_MS} ms)')


def _copies(running, client, template, heat):
    """Inserts of the row of a first cluster, which is gone afterwards."""
    uuid = client.create(template)
    copies = Copies(running.database, uuid)
    client.wait(uuid)
    client('DELETE', f'/clusters/{uuid}', 204)
    client.gone(uuid)
    heat.wait_empty()
    return copies


def _ours(client, template, heat):
    """Seconds until Heat has the stack, and until the 202."""
    time.sleep(IDLE_S)
    began = time.perf_counter()
    uuid = client.create(template)
    accepted = time.perf_counter() - began
    took = heat.wait(lambda found: any(uuid in name for name in found)) - began
    client.wait(uuid)
    client('DELETE', f'/clusters/{uuid}', 204)
    client.gone(uuid)
    heat.wait_empty()
    return took, accepted


def _reference(heat, copies):
    base = plan(Kubernetes())[0]
    time.sleep(IDLE_S)
    began = time.perf_counter()
    copies.insert('clusters')
    heat.create(base)
    took = heat.wait(lambda found: base.name in found) - began
    heat.wait(lambda found: found[base.name] == 'CREATE_COMPLETE', pause_s=0.1)
    heat.delete(base.name)
    heat.wait_empty()
    return took


def _spread(times):
    low, middle, high = (1000 * second for second in statistics.quantiles(times, n=4))
    return f'{middle:6.0f} ms ({low:.0f} - {high:.0f})'


if __name__ == '__main__':
    main()
