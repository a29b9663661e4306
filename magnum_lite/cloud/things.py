"""What look-ups find in the cloud, and how."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from openstack import exceptions as sdk_exc

from magnum_lite.db.store import normal_uuid


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


def _image(cloud: Any, ident: str) -> Image | None:
    found = _one(ident, cloud.image.get_image, cloud.image.images)
    return found and Image(
        found.id, found.name or '', found.os_distro, (found.properties or {}).get('magnum_driver')
    )


def _flavor(cloud: Any, ident: str) -> Flavor | None:
    for found in cloud.compute.flavors():
        if ident in (found.id, found.name):
            return Flavor(found.id, found.disk)
    return None


def _network(cloud: Any, ident: str) -> Thing | None:
    found = _one(ident, cloud.network.get_network, cloud.network.networks)
    return found and Thing(found.id, is_external=bool(found.is_router_external))


def _subnet(cloud: Any, ident: str) -> Thing | None:
    found = _one(ident, cloud.network.get_subnet, cloud.network.subnets)
    return found and Thing(found.id)


def _keypair(cloud: Any, ident: str) -> Thing | None:
    for found in cloud.compute.keypairs():
        if found.name == ident:
            return Thing(found.name, public_key=found.public_key)
    return None


def _one(ident: str, get: Callable[[str], Any], find: Callable[..., Iterable[Any]]) -> Any:
    """What has that id, else that name.

    The SDK's own ``find_...`` puts any text into the path of a URL; this puts ids there only.
    """
    if uuid := normal_uuid(ident):
        try:
            return get(uuid)
        except sdk_exc.NotFoundException:
            pass
    found = list(find(name=ident))
    if len(found) > 1:
        raise sdk_exc.DuplicateResource(', '.join(one.id for one in found[:10]))
    return found[0] if found else None


# Service -> attribute -> what finds the thing of a name or id; None where there is none.
LOOKS: dict[str, dict[str, Callable[[Any, str], Any]]] = {
    'compute': {'flavor_id': _flavor, 'master_flavor_id': _flavor, 'keypair': _keypair},
    'image': {'image_id': _image},
    'network': {
        'external_network_id': _network,
        'fixed_network': _network,
        'fixed_subnet': _subnet,
    },
}
