"""Who uses the cluster of the demonstration: a tenant for each COE, with its own client."""

from importlib import metadata
from typing import ClassVar

from magnum_lite_dev import kubeconfig


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
