"""Options of ``[cloud]``: its endpoints, and how long they may take."""

from oslo_config import cfg

OPTIONS = (
    cfg.StrOpt('region_name', help="Region of the cloud's endpoints."),
    cfg.StrOpt(
        'interface',
        default='internal',
        choices=['public', 'internal', 'admin'],
        help="Interface of the cloud's endpoints.",
    ),
    cfg.FloatOpt(
        'lookup_timeout_s',
        default=10,
        min=0.1,
        help='Seconds that one call of a look-up may take, and a call to Keystone.',
    ),
    cfg.FloatOpt(
        'lookup_budget_s',
        default=10,
        min=0.1,
        help='Seconds that all look-ups of a request may take together: image, flavors, '
        'networks, key pair. What has not answered then lets the request in.',
    ),
    cfg.FloatOpt(
        'heat_timeout_s',
        default=60,
        min=0.1,
        help='Seconds that a call to Heat may take; less than [conductor] lease_s.',
    ),
    cfg.FloatOpt(
        'late_s',
        default=600,
        min=0,
        help='Seconds in which a call that Heat did not answer may still take effect. '
        'The deletion of a cluster that had one, or whose conductor died in the '
        'middle of a step, ends no earlier.',
    ),
    cfg.FloatOpt(
        'lookup_cache_s',
        default=30,
        min=0,
        help='Seconds that a found image, flavor or network is remembered.',
    ),
)
