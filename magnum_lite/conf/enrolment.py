"""Options of ``[enrolment]``: how nodes fetch their secrets."""

from oslo_config import cfg

OPTIONS = (
    cfg.BoolOpt(
        'enabled',
        default=True,
        help='Whether nodes fetch their secrets from this API. Without that keys and '
        'tokens travel in user data, where every reader of the project can see them '
        'in Heat.',
    ),
    cfg.URIOpt(
        'public_url',
        schemes=['https', 'http'],
        help='URL of this API, without /v1, at which nodes fetch their secrets; their '
        'images have to trust its certificate. Default: [api] public_endpoint, or '
        'else the public endpoint of container-infra in the catalog.',
    ),
    cfg.IntOpt(
        'window_s',
        default=3600,
        min=60,
        help='Seconds after the creation of a server within which it may fetch its keys; '
        'and for as many a certificate is valid that it joins by.',
    ),
    cfg.IntOpt(
        'at_once',
        default=4,
        min=1,
        help='Enrolments that one API process checks at a time, half of them at most '
        'for one project; more are told to come again.',
    ),
)
