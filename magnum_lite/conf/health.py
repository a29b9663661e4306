"""Options of ``[health]``: when and where clusters are looked at."""

import ipaddress
from typing import Any

from oslo_config import cfg, types


class _Network(types.String):
    def __call__(self, value: Any) -> Any:
        return ipaddress.ip_network(super().__call__(value))


OPTIONS = (
    cfg.FloatOpt(
        'interval_s',
        default=180,
        min=0,
        help="Seconds after which a cluster's health is looked at again, where its "
        'driver can. 0: never.',
    ),
    cfg.FloatOpt(
        'timeout_s',
        default=5,
        min=0.1,
        help='Seconds that one look may take in all; at most a third of interval_s.',
    ),
    cfg.IntOpt('threads', default=8, min=1, help='Looks that one worker takes at a time.'),
    cfg.FloatOpt(
        'reported_s',
        default=600,
        min=0,
        help='Seconds in which a health that somebody reports with PATCH stands: nobody '
        'looks meanwhile.',
    ),
    cfg.ListOpt(
        'denied_networks',
        item_type=_Network(),
        default=[
            '127.0.0.0/8',
            '::1/128',
            '0.0.0.0/8',
            '::/128',
            '169.254.0.0/16',
            'fe80::/10',
            '224.0.0.0/4',
            'ff00::/8',
        ],
        help='Networks in which a conductor asks no cluster. Tenants can make their '
        "API's address one of those: add the networks of the cloud itself. Where "
        'this is empty, names are looked at too, and not only addresses.',
    ),
)
