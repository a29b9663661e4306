"""Options of ``[audit]``: what is told of requests."""

from oslo_config import cfg

OPTIONS = (
    cfg.BoolOpt(
        'enabled',
        default=False,
        help="Whether keystonemiddleware's audit tells of every request: two CADF "
        'notifications each.',
    ),
    cfg.StrOpt(
        'map_file',
        help='Map of paths to targets for the audit; a sample is in '
        'etc/magnum_lite/api_audit_map.conf of the source.',
    ),
    cfg.ListOpt('ignore_methods', default=[], help='HTTP methods that audit leaves out, e.g. GET.'),
)
