"""What this machine has to have for images and for nodes, and what it lacks."""

import os
import pathlib
import shutil
import sys

from magnum_lite_dev.trouble import Trouble

# {program: Debian package}
BUILDS = {'mmdebstrap': 'mmdebstrap', 'chroot': 'coreutils'}
BOOTS = {
    'dnsmasq': 'dnsmasq-base',
    'haproxy': 'haproxy',
    'ip': 'iproute2',
    'iptables-restore': 'iptables',
    'losetup': 'mount',
    'mkfs.ext4': 'e2fsprogs',
    'nft': 'nftables',
    'nsenter': 'util-linux',
    'systemd-nspawn': 'systemd-container',
}
CGROUPS = pathlib.Path('/sys/fs/cgroup')
# Without it what crosses a bridge passes no rule of iptables: no security group would hold.
BRIDGE_RULES = pathlib.Path('/proc/sys/net/bridge/bridge-nf-call-iptables')


def lacks_for_images() -> list[str]:
    """What is missing to build images, a text each; [] when nothing is."""
    return [*_rights(), *lacks_programs(BUILDS)]


def lacks_for_nodes() -> list[str]:
    """What is missing to boot nodes, and to make the images they boot from."""
    return [*_rights(), *lacks_programs({**BUILDS, **BOOTS}), *_kernel()]


def lacks_programs(needed) -> list[str]:
    """The programs that are not installed, as one text; [] when all are.

    :param needed: {program: its package in Debian}.
    """
    missing = [name for name in needed if shutil.which(name) is None]
    packages = sorted({needed[name] for name in missing})
    return [f'not installed: {", ".join(missing)} (Debian: {", ".join(packages)})'] * bool(missing)


def demand(what, missing) -> None:
    """Go on when nothing is missing.

    :param what: that cannot be done without it.
    :raises Trouble: with all that is missing.
    """
    if missing:
        raise Trouble(f'{what}:\n' + '\n'.join(f'  {text}' for text in missing))


def _rights() -> list[str]:
    if not sys.platform.startswith('linux'):
        return ['this is not Linux']
    if os.geteuid():
        return ['not root']
    bounds = _capabilities()
    return [] if bounds >> 21 & 1 else ['root, but without CAP_SYS_ADMIN: a container of its own?']


def _kernel() -> list[str]:
    if not sys.platform.startswith('linux'):
        return []
    missing = []
    filesystems = pathlib.Path('/proc/filesystems').read_text().split()
    missing += [
        f'no {name} in the kernel' for name in ('overlay', 'ext4') if name not in filesystems
    ]
    if not pathlib.Path('/dev/loop-control').exists():
        missing.append('no loop devices')
    if not BRIDGE_RULES.exists():
        missing.append('the kernel module br_netfilter is not loaded')
    if not os.access(CGROUPS, os.W_OK):
        missing.append(f'{CGROUPS} cannot be written')
    return missing


def _capabilities() -> int:
    status = pathlib.Path('/proc/self/status').read_text()
    return int(status.partition('CapEff:')[2].split()[0], 16)
