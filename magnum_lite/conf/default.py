"""Options of ``[DEFAULT]``: the host."""

import socket

from oslo_config import cfg

OPTIONS = (
    cfg.HostAddressOpt(
        'host',
        default=socket.gethostname(),
        sample_default='<host name>',
        help='Name of this host in the list of services; one per machine.',
    ),
)
