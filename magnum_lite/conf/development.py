"""Options of ``[development]``: the cloud of the development identity."""

from oslo_config import cfg

OPTIONS = (
    cfg.DictOpt(
        'catalog',
        default={},
        help='Endpoints of the cloud by service type, for the development identity; '
        '%(project_id)s is filled in.',
    ),
)
