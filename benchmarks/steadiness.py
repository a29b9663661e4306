"""Memory, threads and file descriptors over 200 clusters created and deleted, ten at a time.

The reference is the service itself: after 100 clusters it must not grow any more.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.stage import is_quick, say, stage, table

AT_ONCE = 10
QUIET_S = 5  # connections that clients left are closed, pools are at rest
# What may still come between the last two looks: a leak of one in ten clusters would be 10.
MEMORY_MIB, THREADS, FILES = 4, 5, 5
MOST_MIB = 150


def main():
    """Print the figures; exits with 1 if something grew."""
    quick = is_quick(__doc__)
    steps = (5, 10, 20) if quick else (20, 100, 200)
    with stage(conductors=0, api_workers=2) as running:
        service = running.service
        service.start(
            'conductor-0', sys.executable, '-m', 'benchmarks.tiny_conductor', str(service.config)
        )
        template = _template(service)
        looks = [_look(service)]
        done = 0
        for target in steps:
            began = time.monotonic()
            _live(service, template, target - done)
            say(
                f'{target} clusters; the last {target - done} took {time.monotonic() - began:.0f} s'
            )
            done = target
            looks.append(_look(service))
    _show(('before', *(f'after {step}' for step in steps)), looks)
    sys.exit(0 if _verdict(looks) or quick else 1)


def _template(service):
    """A template of the tiny driver, once the conductor has told of it."""
    client = service.client('steady')
    until = time.monotonic() + 60
    while 'tiny' not in [row['name'] for row in client('GET', '/drivers', 200)['drivers']]:
        assert time.monotonic() < until, service.log()
        time.sleep(0.3)
    return client.template(coe='tiny')


def _live(service, template, clusters):
    """Create and delete clusters; fails if one does not do as asked."""
    client = service.client('steady')

    def life(_):
        uuid = client.create(template)
        client.wait(uuid)
        client('DELETE', f'/clusters/{uuid}', 204)
        client.gone(uuid)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(life, range(clusters)))
    assert service.stacks('steady') == {}


def _look(service):
    time.sleep(QUIET_S)
    return service.usage()


def _show(head, looks):
    say('RSS MiB / threads / file descriptors')
    table(
        ('process', *head),
        [(process, *('/'.join(map(str, look[process])) for look in looks)) for process in looks[0]],
    )


def _verdict(looks):
    """Whether nothing grew at the end, and memory is within its budget."""
    grew = [
        process
        for process, after in looks[-1].items()
        if any(
            now - then > most
            for now, then, most in zip(
                after, looks[-2][process], (MEMORY_MIB, THREADS, FILES), strict=True
            )
        )
    ]
    big = [process for process, (memory, *_) in looks[-1].items() if memory > MOST_MIB]
    say(f'grew: {", ".join(grew)}' if grew else 'flat')
    say(f'more than {MOST_MIB} MiB: {", ".join(big)}' if big else f'all within {MOST_MIB} MiB')
    return not grew and not big


if __name__ == '__main__':
    main()
