"""Hurts the whole service and checks every answer that it gave: ``python -m tools.chaos``.

Exit status 0 when nothing was lost, stuck, failed, doubled or left over, something was accepted and
something was hurt; 77 where Galera was asked for and is missing.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tools.chaos import report
from tools.chaos.answers import Answers
from tools.chaos.checker import after_deletion, after_storm, nothing_shown
from tools.chaos.cloud import IDENTITIES
from tools.chaos.database import DATABASES
from tools.chaos.galera import why_missing
from tools.chaos.heard import doubles
from tools.chaos.stage import TARGETS, stage
from tools.chaos.storm import delete_all, rage, settle

SETTLE_S = 120
SKIPPED = 77


def main():
    """Run one storm; the exit status."""
    args = _parser().parse_args()
    reason = why_missing() if args.database == 'galera' else None
    if reason:
        say(f'SKIPPED: {reason}')
        return SKIPPED
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    path = Path(tempfile.mkdtemp(prefix='magnum-lite-chaos-'))
    say(
        f'seed {seed} (--seed {seed} repeats this schedule), {args.minutes:g} minutes on '
        f'{args.database} and {args.identity}, logs in {path}'
    )
    violations = run(path, seed, args)
    if violations:
        say(f'seed {seed}: {len(violations)} violations; logs and answers are kept in {path}')
        return 1
    shutil.rmtree(path)
    return 0


def run(path, seed, args):
    """One storm and its report; [(kind, sentence)] of what is wrong."""
    answers = Answers(path / 'answers')
    with stage(path, args.database, args.identity, say) as running:
        for target in args.without:
            for victims in (running.doors, running.processes, running.nodes):
                victims.pop(target, None)
            say(f'NO FAULTS of {target} in this run')
        faults = rage(running, answers, seed, args.minutes * 60, say)
        say('the storm is over; waiting for what was accepted')
        world = settle(running, args.settle)
        found = [
            (kind, f'after the storm: {text}') for kind, text in after_storm(world, answers.all())
        ]
        say(
            f'{len(found)} violations after the storm; deleting {len(world.rows["clusters"])} '
            'clusters'
        )
        world = delete_all(running, args.settle)
        found += [
            (kind, f'after the deletion: {text}')
            for kind, text in after_deletion(world)
            if not any(text in earlier for _kind, earlier in found)
        ]
        doors = {name: victim.door.struck for name, victim in running.doors.items()}
    found += nothing_shown(faults, doors, answers.counts())
    for line in report.lines(faults, doors, answers.counts(), len(doubles(world)[0]), found):
        say(line)
    return found


def say(line):
    """Print a line at once."""
    print(line, flush=True)


def _parser():
    parser = argparse.ArgumentParser(prog='tools.chaos', description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, default=3, help='of storm (default: 3)')
    parser.add_argument('--seed', type=int, help='of the schedule; one is chosen and printed else')
    parser.add_argument('--database', choices=DATABASES, default='mariadb')
    parser.add_argument(
        '--identity',
        choices=IDENTITIES,
        default='keystone',
        help='who vouches for callers; without Keystone there are no trusts',
    )
    parser.add_argument(
        '--without',
        choices=TARGETS,
        action='append',
        default=[],
        help='leave a door or process in peace; may be given again',
    )
    parser.add_argument(
        '--settle',
        type=float,
        default=SETTLE_S,
        metavar='SECONDS',
        help='that everything accepted may take after the storm, and the deletion '
        f'after that (default: {SETTLE_S})',
    )
    return parser


if __name__ == '__main__':
    sys.exit(main())
