"""One server that boots: systemd as process 1, in namespaces and control groups of its own."""

import contextlib
import logging
import pathlib
import shutil
import signal
import subprocess
import threading

from magnum_lite_dev.nodes import cgroup, firewall, namespace
from magnum_lite_dev.nodes.command import Broken, links, start
from magnum_lite_dev.nodes.disk import Disk
from magnum_lite_dev.nodes.inside import Inside, leader
from magnum_lite_dev.nodes.switch import plug

LOG = logging.getLogger(__name__)
FILES = pathlib.Path(__file__).with_name('files')
OWN = 'usr/local/lib/namespace-node'
STOP_WITHIN_S = 60
# nspawn leaves it to whoever started it to boot again.
REBOOTED = 133
CAP_SYS_RESOURCE = 24
SYSTEM_CALLS = '@keyring @module bpf perf_event_open'
CONSOLE = 'console.log'


class Node:
    """A server that boots.

    :param server_id: of Nova; also its machine id.
    :param gib: of its disk.
    :param directories: of its image, the uppermost first.
    :param died: called when it ended by itself: switched off from inside.
    """

    def __init__(self, server_id, owner, directory, *, gib, directories, died) -> None:
        self.id = server_id
        self.directory = pathlib.Path(directory) / server_id
        self._name = namespace.name(owner, 'server', server_id)
        self._owner = owner
        self._group = f'{owner}/{server_id}'
        self._disk = Disk(self.directory, gib, directories)
        self._died = died
        self._process = None
        self._ports = []
        self._hurt = set()
        self._volumes = {}
        # One verb at a time.
        self.lock = threading.RLock()

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def power_on(self, ports, *, delay_s=0) -> None:
        """Boot it; returns when process 1 is about to start. One that runs goes on.

        :param ports: (:class:`~magnum_lite_dev.nodes.plan.Port`, network id, MTU) of each of its
            ports, in order.
        :raises Broken: what could not be made.
        """
        with self.lock:
            if self.is_on:
                return
            is_new = self._disk.is_new
            self._disk.mount()
            if is_new:
                self._fit()
            cgroup.end(self._group)
            self._ports = ports
            self._wire()
            self._boot(delay_s)

    def _fit(self) -> None:
        """Lay into its root what a namespace lacks against a virtual machine."""
        root = self._disk.root
        own = root / OWN
        own.mkdir(parents=True)
        shutil.copy(FILES / 'start.sh', own)
        unit = root / 'etc/systemd/system/namespace-node.service'
        shutil.copy(FILES / 'node.service', unit)
        wants = unit.parent / 'sysinit.target.wants'
        wants.mkdir(exist_ok=True)
        (wants / unit.name).symlink_to(f'../{unit.name}')
        console = root / 'etc/systemd/journald.conf.d/console.conf'
        console.parent.mkdir(parents=True, exist_ok=True)
        # As a real server's serial console shows it.
        console.write_text('[Journal]\nForwardToConsole=yes\nMaxLevelConsole=info\n')
        runc = root / 'usr/sbin/runc'
        if runc.exists() and not _has(CAP_SYS_RESOURCE):
            runc.rename(runc.with_suffix('.real'))
            shutil.copy(FILES / 'runc.sh', runc)
            runc.chmod(0o755)

    def _wire(self) -> None:
        # Anew: what a node has made of interfaces does not survive its boot.
        self._unwire()
        namespace.add(self._name)
        for number, (port, network_id, mtu) in enumerate(self._ports):
            switch = namespace.name(self._owner, 'net', network_id)
            plug(switch, firewall.link(port.id), self._name, f'eth{number}', mac=port.mac, mtu=mtu)
        # A cable that is pulled is so in the next boot too.
        self._set_cables()

    def _unwire(self) -> None:
        namespace.remove(self._name)

    def _boot(self, delay_s) -> None:
        path = namespace.MOUNTED / self._name
        command = [
            # nspawn mounts /sys before it joins the namespace, and would show our interfaces.
            'nsenter',
            f'--net={path}',
            *(('sh', '-c', f'sleep {float(delay_s)}; exec "$@"', 'sh') if delay_s else ()),
            'systemd-nspawn',
            '--quiet',
            '--boot',
            f'--directory={self._disk.root}',
            f'--machine={self._name}',
            f'--uuid={self.id}',
            f'--network-namespace-path={path}',
            '--keep-unit',
            '--register=no',
            '--console=read-only',
            '--capability=all',
            f'--system-call-filter={SYSTEM_CALLS}',
            '--link-journal=no',
            '--resolv-conf=off',
            '--timezone=off',
            # By which cloud-init knows Nova; a virtual machine has it in its firmware.
            '--setenv=product_name=OpenStack Nova',
            *(f'--bind={here}:{there}' for here, there in self._disk.data),
        ]
        groups = cgroup.make(self._group)
        process = start(command, groups, self.directory / CONSOLE)
        self._process = process
        (self.directory / 'pid').write_text(str(process.pid))
        threading.Thread(target=self._wait, args=(process,), name='node', daemon=True).start()

    def _wait(self, process) -> None:
        status = process.wait()
        with self.lock:
            if self._process is not process:
                return
            self._process = None
            try:
                if status == REBOOTED:
                    self.power_on(self._ports)
                else:
                    self._unwire()
                    self._died(status)
            except (Broken, OSError):
                LOG.exception('node %s did not boot again', self.id)

    def stop(self) -> None:
        """Shut it down in order, as somebody who presses its button; in time, or its power goes."""
        with self.lock:
            process, self._process = self._process, None
            if process:
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_WITHIN_S)
                self._process = process
            self.cut()

    def cut(self) -> None:
        """Take its power away: all that runs in it ends at once. Its disk stays."""
        with self.lock:
            process, self._process = self._process, None
            cgroup.end(self._group)
            if process:
                process.kill()
                process.wait()
            self._unwire()

    def hurt(self, kind) -> None:
        """Let a fault happen to it: ``power_loss``, ``cable_pulled`` or ``disk_full``."""
        with self.lock:
            self._hurt.add(kind)
            if kind == 'power_loss':
                self.cut()
            elif kind == 'disk_full':
                self._disk.fill()
            elif self.is_on:
                self._set_cables()

    def mend(self) -> None:
        """Undo what can be undone."""
        with self.lock:
            if 'disk_full' in self._hurt:
                self._disk.empty()
            was_cut = 'cable_pulled' in self._hurt
            self._hurt.clear()
            if was_cut and self.is_on:
                self._set_cables()

    def _set_cables(self) -> None:
        state = 'down' if 'cable_pulled' in self._hurt else 'up'
        for port, network_id, _ in self._ports:
            switch = namespace.name(self._owner, 'net', network_id)
            links(switch, f'link set {firewall.link(port.id)} {state}')

    def show_volumes(self, volumes, wanted) -> None:
        """Let it see these volumes and no others; waits for its process 1.

        :param volumes: the :class:`~magnum_lite_dev.nodes.volumes.Volumes`.
        :param wanted: {volume id: (device, GiB)}.
        :raises Broken: it does not run.
        """
        if not (wanted or self._volumes):
            return
        if self.is_on:
            # Not under the lock: meanwhile somebody may cut its power.
            leader(self.directory)
        with self.lock:
            inside, lines = Inside(self.id, self.directory), ['mkdir -p /dev/disk/by-id']
            gone = set(self._volumes) - set(wanted)
            for volume_id in gone:
                device = self._volumes.pop(volume_id)
                lines.append(f'rm -f {device} {_by_id(volume_id)}')
            for volume_id, (device, gib) in wanted.items():
                major, minor = volumes.device(volume_id, gib)
                self._volumes[volume_id] = device
                lines.append(f'[ -b {device} ] || mknod -m 660 {device} b {major} {minor}')
                lines.append(f'ln -sf {device} {_by_id(volume_id)}')
            if self.is_on:
                inside.shell('\n'.join(lines))
            for volume_id in gone:
                volumes.release(volume_id)

    def rest(self) -> None:
        """Cut its power and unmount its disk, which stays for another day."""
        with self.lock:
            self.cut()
            self._disk.unmount()

    def remove(self) -> None:
        """Cut its power and delete it."""
        with self.lock:
            self.cut()
            self._disk.remove()

    def console(self, lines=None) -> str:
        """The last lines of what it wrote to its console; all of them unless a number is given."""
        try:
            text = (self.directory / CONSOLE).read_text(errors='replace')
        except OSError:
            return ''
        return '\n'.join(text.splitlines()[-lines:]) if lines else text


def _by_id(volume_id) -> str:
    return f'/dev/disk/by-id/virtio-{volume_id[:20]}'


def _has(capability) -> bool:
    status = pathlib.Path('/proc/self/status').read_text()
    return bool(int(status.partition('CapBnd:')[2].split()[0], 16) >> capability & 1)
