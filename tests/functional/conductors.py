"""Conductors that answer what they are asked about a request, and do nothing else."""

import contextlib
import time

from magnum_lite import rpc
from magnum_lite.conductor.judge import Judge
from magnum_lite.conductor.registry import Registry
from magnum_lite.driver_sdk import Rejected
from magnum_lite_kubernetes.driver import Kubernetes
from magnum_lite_swarm.driver import Swarm
from tests import fixtures


class Strict(Kubernetes):
    """Upgrades, and refuses one label of nodes."""

    capabilities = Kubernetes.capabilities | {'upgrade'}

    def validate(self, spec, /):
        """As a driver that knows other rules."""
        super().validate(spec)
        for group in spec.node_groups:
            if 'refused' in group.node_labels:
                raise Rejected('node_labels', 'refused is not accepted, any other name is')


@contextlib.contextmanager
def judging(conf):
    """``fixtures.service`` with a conductor that has ``Strict`` beside ``Swarm`` and judges."""
    registry = Registry({'kubernetes': Strict(), 'swarm': Swarm()})
    with fixtures.service(conf, driver=False) as running:
        registry.publish(running.db)
        server = rpc.server(conf, lambda uuid: None, Judge(conf, running.db, registry).validate)
        server.start()
        yield running
        server.stop()
        server.wait()


class Hearing:
    """A conductor that hears what it is asked and refuses nothing.

    :ivar heard: the questions.
    """

    pause_s = 0

    def __init__(self, conf):
        self.heard = []
        self._server = rpc.server(conf, lambda uuid: None, self._hear)
        self._server.start()

    def _hear(self, wanted, within_s):
        self.heard.append(wanted)
        time.sleep(self.pause_s)

    def stop(self):
        """End it."""
        self._server.stop()
        self._server.wait()
