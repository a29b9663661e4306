"""All benchmarks, one after the other; arguments name some of them.

    python -m benchmarks [--quick] [NAME ...]

Each runs in a process of its own: a service that was measured leaves threads and caches behind.
"""

import argparse
import contextlib
import os
import subprocess
import sys

# Third parties' deprecations would hide the figures.
QUIET = {'PYTHONWARNINGS': 'ignore', **os.environ}
NAMES = ('requests_per_second', 'time_to_stack', 'overhead', 'steadiness')


def main():
    """Run them; exits with 1 if one could not be run."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks')
    parser.add_argument('names', nargs='*', metavar='NAME', help=f'of {", ".join(NAMES)}')
    parser.add_argument('--quick', action='store_true', help='see that they work: no figures')
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f'no such benchmark: {", ".join(sorted(unknown))}')
    options = ['--quick'] if asked.quick else []
    codes = [_run(name, options) for name in asked.names or NAMES]
    sys.exit(int(any(codes)))


def _run(name, options):
    print(f'=== {name}', flush=True)
    process = subprocess.Popen([sys.executable, '-m', f'benchmarks.{name}', *options], env=QUIET)
    try:
        return process.wait()
    except KeyboardInterrupt:  # it got the signal too, and has to clean up
        with contextlib.suppress(KeyboardInterrupt):
            process.wait(60)
        sys.exit(130)


if __name__ == '__main__':
    main()
