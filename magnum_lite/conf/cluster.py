"""Options of ``[cluster]``: what clusters are made with, and how large they may be."""

from oslo_config import cfg

OPTIONS = (
    cfg.StrOpt(
        'default_network_driver',
        default='flannel',
        help='Network driver of templates that name none.',
    ),
    cfg.ListOpt(
        'allowed_network_drivers',
        default=['flannel', 'calico'],
        help='Network drivers that templates may name.',
    ),
    cfg.IntOpt(
        'default_boot_volume_size',
        default=0,
        min=0,
        max=16384,
        help='GiB of the boot volume of virtual nodes, for new clusters without the label '
        "boot_volume_size, where their driver has it; 0 boots from the flavor's "
        'disk. Clusters keep what it was when they were made.',
    ),
    cfg.IntOpt(
        'max_nodes',
        default=1000,
        min=2,
        help='Nodes that one cluster may have over all its node groups, those of the '
        'control plane too. A driver may have a lower limit of its own. A cluster '
        'that has more already can only shrink.',
    ),
    cfg.IntOpt(
        'max_node_groups',
        default=100,
        min=2,
        help='Node groups that one cluster may have, the two that come with it too.',
    ),
)
