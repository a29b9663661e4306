"""What the nemesis can hurt: doors and processes."""

import contextlib
import os
import signal

import psutil


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
    """A conductor: killed and started again, or stopped beyond its lease."""

    def __init__(self, service, name):
        self._service = service
        self._name = name
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
        self._healed = lambda: self._service.conductor(self._name)

    def heal(self):
        """Let it run as it should."""
        self._healed()


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
