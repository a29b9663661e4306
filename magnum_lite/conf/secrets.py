"""Options of ``[secrets]``: the keys that encrypt what is in the database."""

from oslo_config import cfg

OPTIONS = (
    cfg.StrOpt(
        'key_file',
        help='File with the keys that encrypt secrets in the database, one '
        'base64 key a line; the first encrypts, all decrypt. '
        'magnum-lite-manage secret key makes one.',
    ),
    cfg.StrOpt(
        'readable_by',
        default='1.1',
        choices=['1.0', '1.1'],
        help='The oldest release that has to read new secrets. 1.1 binds each to its row. '
        'Say 1.0 while processes of that release run.',
    ),
)
