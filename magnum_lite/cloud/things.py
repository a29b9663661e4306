"""What look-ups find in the cloud."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Image:
    """A Glance image: what decides about driver and nodes."""

    id: str
    name: str
    os_distro: str | None
    magnum_driver: str | None


@dataclass(frozen=True)
class Flavor:
    """A Nova flavor.

    :ivar disk: GiB of its root disk.
    """

    id: str
    disk: int


@dataclass(frozen=True)
class Thing:
    """A network, a subnet or a key pair.

    :ivar is_external: whether a network is one of floating IPs.
    :ivar public_key: of a key pair, OpenSSH text.
    """

    id: str
    is_external: bool = False
    public_key: str = ''
