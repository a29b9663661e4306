"""Options of ``[certificates]``: authorities, and what they sign for users."""

from oslo_config import cfg

OPTIONS = (
    cfg.StrOpt(
        'key_type',
        default='ec-p256',
        choices=['ec-p256', 'rsa-2048'],
        help='Key of certificate authorities.',
    ),
    cfg.IntOpt(
        'validity_days', default=1825, min=1, help='Days that certificate authorities are valid.'
    ),
    cfg.IntOpt(
        'max_days',
        default=365,
        min=1,
        help='Days that a certificate that users have signed is valid, unless they '
        'ask for fewer; never beyond its authority. It cannot be taken back but by '
        'replacing the authority.',
    ),
)
