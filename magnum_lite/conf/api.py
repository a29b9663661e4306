"""Options of ``[api]``: where it listens, its pages, and what projects may have."""

from oslo_config import cfg

OPTIONS = (
    cfg.HostAddressOpt(
        'bind_host',
        default='127.0.0.1',
        help='Address that the embedded server listens on. The development '
        'identity refuses anything but loopback.',
    ),
    cfg.PortOpt('port', default=9511, help='Port of the API.'),
    cfg.URIOpt(
        'public_endpoint',
        schemes=['http', 'https'],
        help='Base of the links in answers, without /v1. Default: taken from the request.',
    ),
    cfg.IntOpt('max_limit', default=1000, min=1, help='Most entries of one page of a list.'),
    cfg.StrOpt(
        'unknown_labels',
        default='refuse',
        choices=['refuse', 'accept'],
        help='What to do with a label that neither the driver nor upstream knows.',
    ),
    cfg.FloatOpt(
        'validate_s',
        default=2,
        min=0,
        help='Seconds that a request waits until a conductor has asked the driver whether '
        'it would build what is asked for; never more than [cloud] lookup_budget_s '
        'leaves. Then it is let in. 0: nobody is asked.',
    ),
    cfg.IntOpt(
        'cluster_quota',
        default=20,
        min=0,
        help='Clusters that a project may have where no quota is set.',
    ),
    cfg.IntOpt(
        'max_templates', default=500, min=0, help='Cluster templates that a project may have.'
    ),
    cfg.IntOpt(
        'service_down_s',
        default=180,
        min=1,
        help='Seconds without a heartbeat after which a conductor is shown as down.',
    ),
)
