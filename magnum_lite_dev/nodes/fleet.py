"""The servers of one simulated cloud that boot, and the networks between them."""

import concurrent.futures
import fnmatch
import logging
import pathlib
import threading
import time

from magnum_lite_dev.nodes import cgroup, leftovers, namespace, plan
from magnum_lite_dev.nodes.command import Broken
from magnum_lite_dev.nodes.doors import Doors
from magnum_lite_dev.nodes.edge import Edge
from magnum_lite_dev.nodes.fabric import Fabric
from magnum_lite_dev.nodes.node import Node
from magnum_lite_dev.nodes.volumes import Volumes
from magnum_lite_dev.sim_cloud import attachments
from magnum_lite_dev.sim_cloud.nodes import tell
from magnum_lite_dev.sim_cloud.request import now
from magnum_lite_dev.sim_cloud.store import Row
from magnum_lite_dev.trouble import Trouble

LOG = logging.getLogger(__name__)
POLL_S = 0.1
PAUSE_S = 1
HELPERS = 'helpers'


class Fleet:
    """Runs nodes, and keeps networks as the rows of the cloud say.

    :param directory: of all files; its name is that of everything made on this machine.
    """

    # The key of an image's row that says which directories its servers boot from.
    BOOTS_FROM = '_boots_from'

    def __init__(self, directory, store) -> None:
        self.directory = pathlib.Path(directory).resolve()
        self.owner = namespace.tag(self.directory)
        self.store = self._store = store
        self._nodes = {}
        self._fabric = None
        self._volumes = Volumes(self.directory / 'volumes')
        self._closing = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(8, 'fleet')
        self._edge = None

    def open(self) -> None:
        """Begin, with the external network: what an earlier process left running is ended first.

        :raises Trouble: the external network cannot be made.
        """
        leftovers.sweep(self.directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        leftovers.claim(self.directory)
        self._edge = Edge(self.owner, self._external()['cidr'])
        self._edge.open()
        self.doors = Doors(self._edge)
        groups = cgroup.make(f'{self.owner}/{HELPERS}')
        self._fabric = Fabric(self._store, self._edge, self.owner, self.directory, groups)
        threading.Thread(target=self._watch, name='fleet', daemon=True).start()

    def _external(self) -> Row:
        return next(row for row in self._store.rows('subnets') if row['name'] == 'public-v4')

    @property
    def address(self) -> str:
        """Where nodes reach this machine, at the doors that are open."""
        return self._edge.address

    def is_near(self, address) -> bool:
        """Whether this machine answers at an address of a server that does not boot."""
        if address not in self._edge:
            return False
        self.settle()
        return True

    def boots_from(self, row) -> list[str]:
        """The directories that a server boots from, the uppermost first; [] for one that does
        not."""
        image = self._store.tables['images'].get(row.get('_boots_image') or '')
        return image.get(self.BOOTS_FROM, []) if image else []

    def _later(self, what, *about) -> None:
        self._pool.submit(what, *about).add_done_callback(tell)

    def start(self, row) -> None:
        """Boot a server, and return when it has power; what prevents it is the server's fault."""
        directories = self.boots_from(row)
        with self._store.lock:
            if row['_deleted_at']:
                return
            row['_has_node'] = True
            fault = self._store.faults.take(row['name'], 'slow_boot')
            node = self._nodes.get(row['id'])
            if node is None:
                node = self._nodes[row['id']] = Node(
                    row['id'],
                    self.owner,
                    self.directory,
                    gib=row['_disk_gib'],
                    directories=directories,
                    died=lambda status: self._died(row),
                )
        try:
            gone = [path for path in directories if not pathlib.Path(path).is_dir()]
            if gone:
                raise Broken(f'the image is gone: {", ".join(gone)}')
            self.settle()
            node.power_on(self._ports(row), delay_s=fault['seconds'] if fault else 0)
            self.show_volumes(row)
        except (Broken, OSError) as error:
            LOG.error('server %s does not boot: %s', row['name'], error)
            row['_fault'] = {'code': 500, 'created': now(), 'message': str(error)[:255]}
        if row['_deleted_at']:
            self._remove(row)

    def _ports(self, row) -> list[tuple[plan.Port, str, int]]:
        with self._store.lock:
            tables = self._store.tables
            networks = plan.networks(tables, plan.booting_servers(tables))
            ports = {
                port.id: (port, network.id, network.mtu)
                for network in networks.values()
                for port in network.ports
            }
            return [ports[port_id] for port_id in row['_ports'] if port_id in ports]

    def _died(self, row) -> None:
        """It was switched off from inside, which Nova notices."""
        if not row['_deleted_at']:
            row['_status'] = 'SHUTOFF'
            self._store.changes += 1

    def destroy(self, row) -> None:
        """Delete a server's node, in a while; the row is there until it is gone."""
        self._later(self._remove, row)

    def _remove(self, row) -> None:
        node = self._nodes.pop(row['id'], None)
        if node:
            node.remove()
        row['_has_node'] = False
        self._store.changes += 1

    def act(self, row, verb) -> None:
        """Do what Nova was asked: ``stop``, ``start``, ``reboot``, ``reboot_hard`` or
        ``rebuild``; in a while."""
        self._later(self._act, row, verb)

    def _act(self, row, verb) -> None:
        node = self._nodes.get(row['id'])
        if node is None:
            return
        with node.lock:
            if verb in ('stop', 'reboot'):
                node.stop()
            elif verb in ('reboot_hard', 'rebuild'):
                node.cut()
            if verb == 'rebuild':
                node.remove()
                self._nodes.pop(row['id'], None)
            if verb != 'stop':
                self.start(row)
        row['_status'] = 'SHUTOFF' if verb == 'stop' else 'ACTIVE'
        row['_task'] = None
        self._store.changes += 1

    def show_volumes(self, row) -> None:
        """Let a server see the volumes that it has, as soon as it runs; in a while."""
        self._later(self._show_volumes, row)

    def _show_volumes(self, row) -> None:
        node, shown = self._nodes.get(row['id']), False
        while node and not shown:
            with self._store.lock:
                wanted = {
                    each['id']: (each['attachments'][0]['device'], each['size'])
                    for each in attachments.of_server(self._store, row)
                }
            try:
                node.show_volumes(self._volumes, wanted)
                shown = True
            except Broken as error:
                LOG.info('volumes of %s: %s', row['name'], error)
                # Its boot may be a slow one; the next one asks again.
                shown = not node.is_on

    def remove_volume(self, volume_id) -> None:
        """Delete what a volume holds, in a while."""
        self._later(self._volumes.remove, volume_id)

    def node(self, row) -> Node | None:
        """The node of a server; None when it has none."""
        return self._nodes.get(row['id'])

    def hurt(self, kind, pattern) -> int:
        """Let a fault of ``AT_ONCE`` happen to servers by their names; how many they were."""
        with self._store.lock:
            rows = [
                row
                for row in self._store.rows('servers')
                if row['id'] in self._nodes and fnmatch.fnmatchcase(row['name'], pattern)
            ]
        for row in rows:
            node = self._nodes.get(row['id'])
            if node:
                node.hurt(kind)
        return len(rows)

    def mend(self) -> None:
        """Put cables back and give room back; power that is gone stays gone."""
        for node in list(self._nodes.values()):
            node.mend()

    def resume(self, row) -> None:
        """Boot a server again that had a node when an earlier process ended, or delete it."""
        if row['_deleted_at']:
            self.destroy(row)
        elif row['_status'] == 'ACTIVE':
            self._later(self.start, row)

    def _watch(self) -> None:
        seen = None
        while not self._closing.wait(POLL_S):
            if seen != self._store.changes:
                seen = self._store.changes
                try:
                    self.settle()
                except (Broken, OSError):
                    LOG.exception('the networks are not as they should be')
                    # Again, after a while.
                    seen = None
                    self._closing.wait(PAUSE_S)

    def settle(self) -> None:
        """Make the networks of this machine what the rows of the cloud say.

        :raises Broken: in the words of the program that failed.
        """
        self._fabric.settle()

    def close(self) -> None:
        """Cut the power of every node and take the networks down; disks stay."""
        self._closing.set()
        began = time.monotonic()
        self._pool.shutdown(wait=False, cancel_futures=True)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(Node.rest, list(self._nodes.values())))
        self._fabric.close()
        if self._edge:
            self._edge.close()
        leftovers.sweep(self.directory)
        LOG.info('%s nodes ended in %.1f s', len(self._nodes), time.monotonic() - began)


def check_path(directory) -> None:
    """Refuse a directory that a mount cannot name.

    :raises Trouble: it has a character that means something there.
    """
    if set(':,\\') & set(str(directory)):
        raise Trouble(f'{directory}: no node boots below a directory with ":", "," or "\\" in it')
