"""One load balancer of Octavia: a haproxy in a namespace, at the address of its port."""

import pathlib
import signal

from magnum_lite_dev.nodes import namespace
from magnum_lite_dev.nodes.command import links, notify, run, start
from magnum_lite_dev.nodes.switch import plug


class Balancer:
    """A load balancer that is there.

    :param directory: for its configuration and log.
    :param groups: control groups of its process.
    """

    def __init__(self, balancer_id, owner, directory, groups) -> None:
        self.name = namespace.name(owner, 'lb', balancer_id)
        self._owner = owner
        self._directory = pathlib.Path(directory) / balancer_id
        self._groups = groups
        self._process = None
        self._plan = None

    def settle(self, plan) -> None:
        """Be as the :class:`~magnum_lite_dev.nodes.balancing.Balancer` says.

        :raises Broken: haproxy does not take its configuration.
        """
        if plan == self._plan:
            return
        if self._plan is None:
            self._wire(plan)
        self._plan = plan
        if plan.text is None:
            return self._end()
        path = self._directory / 'haproxy.cfg'
        path.write_text(plan.text)
        run('haproxy', '-c', '-q', '-f', path)
        # Connections go on with the process that took them.
        if self._process and notify(self._process, signal.SIGUSR2):
            return None
        self._end()
        command = ['nsenter', f'--net={namespace.MOUNTED / self.name}', 'haproxy', '-W', '-f', path]
        self._process = start(command, self._groups, self._directory / 'haproxy.log')
        return None

    def _wire(self, plan) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        namespace.add(self.name)
        switch = namespace.name(self._owner, 'net', plan.network)
        plug(switch, f'l{plan.port[:11]}', self.name, 'eth0', mac=plan.mac, mtu=plan.mtu)
        links(
            self.name,
            f'addr add {plan.address} dev eth0',
            'link set eth0 up',
            *([f'route add default via {plan.gateway}'] if plan.gateway else []),
        )

    def _end(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Be gone."""
        self._end()
        namespace.remove(self.name)
