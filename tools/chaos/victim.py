"""What the nemesis can hurt: doors and processes."""

import contextlib
import os
import signal

import psutil

OFF_S = 300
JUMP_S = 3600


class DoorVictim:
    """A door before a part.

    :param without: kinds that it is spared.
    """

    def __init__(self, door, without=()):
        self.door = door
        self.kinds = [kind for kind in door.kinds if kind not in without]

    def hurt(self, kind):
        """Make a fault."""
        self.door.fault = kind

    def heal(self):
        """Let all pass again."""
        self.door.fault = None


class Conductor:
    """A conductor: killed and started again, or stopped beyond its lease.

    :param environ: of its process, on top of ours.
    """

    def __init__(self, service, name, environ=()):
        self._service = service
        self._name = name
        self._environ = dict(environ)
        self._healed = None
        self.kinds = ['kill', 'stop']

    def hurt(self, kind):
        """Make a fault."""
        if kind == 'stop':
            group = self._service.processes[self._name].pid
            os.killpg(group, signal.SIGSTOP)
            self._healed = lambda: os.killpg(group, signal.SIGCONT)
            return
        self._service.stop(self._name, signal.SIGKILL)
        self._healed = self.start

    def heal(self):
        """Let it run as it should."""
        self._healed()

    def start(self):
        """Start it."""
        self._service.conductor(self._name, **self._environ)


class HostClock:
    """The clock of a host, minutes off at its best: it jumps by an hour.

    :param clock: a ``Clock``.
    """

    kinds = ('ahead', 'behind')

    def __init__(self, clock):
        self._clock = clock
        self.heal()

    def hurt(self, kind):
        """Make a fault."""
        self._clock.set(JUMP_S if kind == 'ahead' else -JUMP_S)

    def heal(self):
        """Let it be only minutes off."""
        self._clock.set(OFF_S)


class Api:
    """The API: one of its workers is killed, and gunicorn starts another."""

    kinds = ('kill',)

    def __init__(self, service):
        self._service = service

    def hurt(self, kind):
        """Kill a worker."""
        master = psutil.Process(self._service.processes['api'].pid)
        with contextlib.suppress(psutil.NoSuchProcess):
            for worker in master.children()[:1]:
                worker.kill()

    def heal(self):
        """Nothing: gunicorn does."""
