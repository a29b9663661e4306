"""The attributes that a ClusterTemplate defaults and a Cluster may override: written once."""

from typing import Any

from magnum_lite.objects.attribute import Attribute, attr
from magnum_lite.objects.fields import MAX_GIB, Boolean, Integer, String

# Name on the template -> name on the cluster, where they differ.
RENAMED = {'keypair_id': 'keypair'}


def _types() -> dict[str, tuple[Any, str, str]]:
    name = String(min=1, max=255)
    return {
        'keypair_id': (name, '', 'Name of the Nova key pair for the login user of the nodes.'),
        'docker_volume_size': (
            Integer(min=1, max=MAX_GIB),
            'GiB',
            'Size of an extra volume for containers.',
        ),
        'master_flavor_id': (name, '', 'Flavor of control-plane nodes, name or id.'),
        'flavor_id': (name, '', 'Flavor of worker nodes, name or id.'),
        'fixed_network': (name, '', 'A network to use, name or id; without it one is made.'),
        'fixed_subnet': (name, '', 'A subnet of fixed_network to use, name or id.'),
    }


def defaults() -> dict[str, Attribute]:
    """The attributes as a ClusterTemplate has them."""
    return {
        **{
            name: attr(kind, nullable=True, create='optional', update=True, unit=unit, doc=doc)
            for name, (kind, unit, doc) in _types().items()
        },
        'floating_ip_enabled': attr(
            Boolean(),
            default=True,
            create='optional',
            update=True,
            doc='Whether the API endpoint gets a floating IP.',
        ),
        'master_lb_enabled': attr(
            Boolean(),
            default=False,
            create='optional',
            update=True,
            doc='Whether a load balancer stands before the API servers.',
        ),
    }


def overrides() -> dict[str, Attribute]:
    """The attributes as a Cluster has them: not given means as the template says."""
    found = {
        RENAMED.get(name, name): attr(
            kind, nullable=True, create='optional', unit=unit, doc=doc + " Default: the template's."
        )
        for name, (kind, unit, doc) in _types().items()
    }
    for name in ('floating_ip_enabled', 'master_lb_enabled'):
        found[name] = attr(
            Boolean(),
            nullable=True,
            create='optional',
            doc=defaults()[name].exposure.doc + " Default: the template's.",
        )
    return found


# Attribute of the cluster -> the attribute of the template that gives its default.
INHERITED = {RENAMED.get(name, name): name for name in defaults()}
