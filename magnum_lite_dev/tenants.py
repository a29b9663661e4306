"""Who uses the cluster of the demonstration: a tenant for each COE, with its own client."""

from importlib import metadata
from typing import ClassVar

from magnum_lite_dev import kubeconfig
from magnum_lite_dev.docker import Docker, settings
from magnum_lite_dev.nodes import machine
from magnum_lite_dev.nodes.command import Broken
from magnum_lite_dev.trouble import Trouble

# The image of the containers, without a registry: one program of the node, which serves files.
WEB_IMAGE = 'tar -C /usr -c bin/busybox | docker import - web:1'
WEB = 'hostname > index.html; exec busybox httpd -f'
WEB_PORT = 8080


def choose(coe, nodes) -> 'Tenant':
    """The tenant of a COE.

    :param nodes: ``real`` or ``simulated``.
    :raises Trouble: nothing can be shown of this COE on such nodes.
    """
    tenant = next(kind for kind in (Kubernetes, Swarm) if kind.coe == coe)
    if tenant.nodes != nodes:
        raise Trouble(f'--coe {coe} goes with --nodes {tenant.nodes}: {tenant.why}')
    return tenant()


class Tenant:
    """What the demonstration asks of each.

    :cvar nodes: ``real`` where the servers of its cluster boot, else ``simulated``.
    :cvar why: it is not the other kind.
    :cvar image: of the nodes; where they boot, also the recipe that it is made of.
    :cvar workers: at first, and then.
    :cvar within_s: seconds that one change of the cluster may take.
    """

    coe: ClassVar[str]
    nodes: ClassVar[str]
    why: ClassVar[str]
    image: ClassVar[str]
    workers: ClassVar[tuple[int, int]]
    within_s: ClassVar[int]

    def lacks(self) -> list[str]:
        """What this machine lacks, a text each."""
        drivers = metadata.entry_points(group='magnum_lite.drivers').names
        return [] if self.coe in drivers else [f'no driver of {self.coe}: pip install ./drivers/*']

    def configure(self, demo) -> None:
        """Fetch what the client needs.

        :param demo: :class:`~magnum_lite_dev.demo.Demo`.
        :raises Trouble: it cannot be used.
        """

    def use(self, demo) -> None:
        """Do with the cluster, at its full size, what it is for."""


class Kubernetes(Tenant):
    """Reads the kubeconfig and the nodes; nothing can run on these."""

    coe = 'kubernetes'
    nodes = 'simulated'
    why = 'there is no image for its nodes'
    image = 'debian-13'
    workers = (1, 3)
    within_s = 300

    def configure(self, demo) -> None:
        """See :meth:`Tenant.configure`."""
        demo.chapter('Fetch the kubeconfig')
        path = demo.folder('kubeconfig') / 'config'
        demo.openstack('coe', 'cluster', 'config', '--dir', str(path.parent), '--force', demo.name)
        for line in kubeconfig.describe(path):
            demo.screen.line(f'  {line}')
        demo.screen.line(f'  nodes        {", ".join(kubeconfig.nodes(path))}')


class Swarm(Tenant):
    """Runs a service with the ``docker`` command."""

    coe = 'swarm'
    nodes = 'real'
    why = 'no engine runs on simulated ones'
    image = 'swarm'
    # Each is a whole system on the cores of this machine.
    workers = (1, 2)
    within_s = 900

    def lacks(self) -> list[str]:
        """See :meth:`Tenant.lacks`."""
        client = machine.lacks_programs({'docker': 'docker.io'})
        return [*machine.lacks_for_nodes(), *client, *super().lacks()]

    def configure(self, demo) -> None:
        """See :meth:`Tenant.configure`."""
        demo.chapter('Fetch the certificates for docker')
        where = ('--dir', str(demo.folder('docker')), '--output-certs', '--force')
        self._docker = Docker(
            settings(demo.openstack('coe', 'cluster', 'config', *where, demo.name))
        )
        self._list_nodes(demo, self.workers[0])

    def use(self, demo) -> None:
        """See :meth:`Tenant.use`."""
        demo.chapter('Run a service in it')
        managers, workers = self._list_nodes(demo, self.workers[1])
        demo.screen.line('  Each worker makes the image web:1 of its own busybox: no registry.')
        for name in workers:
            _shell(demo, name, WEB_IMAGE)
        self._shown(demo, 'service', 'create', '--name', 'web', '--mode', 'global', '--detach',
                    '--no-resolve-image', '--constraint', 'node.role==worker',
                    '--hostname', '{{.Node.Hostname}}',
                    '--publish', f'mode=host,published={WEB_PORT},target=80',
                    'web:1', 'busybox', 'sh', '-c', WEB)  # fmt: skip
        demo.wait('tasks', lambda: (self._tasks(), len(workers)))
        for address in demo.cluster()['node_addresses']:
            command = f'curl -sS -m 10 http://{address}:{WEB_PORT}/'
            demo.screen.line(f'$ {command}    # on {managers[0]}', 'command')
            demo.screen.line(f'  {_shell(demo, managers[0], command)}')
        self._shown(demo, 'service', 'ls')

    def _list_nodes(self, demo, workers) -> tuple[list[str], list[str]]:
        """Names of the managers and of the workers, once as many of these are in the swarm."""
        demo.wait('nodes', lambda: (len(self._ready()), 1 + workers))
        columns = ('Hostname', 'Status', 'Availability', 'ManagerStatus', 'EngineVersion')
        table = r'table ' + r'\t'.join(f'{{{{.{name}}}}}' for name in columns)
        self._shown(demo, 'node', 'ls', '--format', table)
        found = sorted(self._ready())
        return [name for name, role in found if role], [name for name, role in found if not role]

    def _ready(self) -> list[tuple[str, str]]:
        """(name, whether it leads or is reachable as a manager) of the nodes that are ready."""
        text = '{{.Status}} {{.Hostname}} {{.ManagerStatus}}'
        status, told = self._docker.run('node', 'ls', '--format', text)
        rows = [line.split() for line in told.splitlines()] if status == 0 else []
        return [(row[1], ' '.join(row[2:])) for row in rows if row[0] == 'Ready']

    def _tasks(self) -> int:
        (told,) = self._docker.ask('service', 'ls', '--format', '{{.Replicas}}')
        return int(told.partition('/')[0])

    def _shown(self, demo, *words) -> None:
        demo.shown('docker', words, lambda: self._docker.run(*words))


def _shell(demo, name, script) -> str:
    """What a script prints on a node."""
    try:
        return demo.heat.node(name).shell(script)
    except Broken as error:
        raise Trouble(str(error)) from error
