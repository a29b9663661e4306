"""Options of ``[identity]``: who vouches for callers, and what is lent to clusters."""

from oslo_config import cfg

OPTIONS = (
    cfg.StrOpt(
        'mode',
        default='keystone',
        choices=['keystone', 'development'],
        help='Who vouches for callers: keystonemiddleware, or the token itself '
        '(user:project[:role,role]; loopback only).',
    ),
    cfg.StrOpt(
        'delegation',
        default='trust',
        choices=['trust', 'service'],
        help='In whose name the operations of a cluster call the cloud: through a Keystone '
        "trust by the user who asked for the cluster, or with the service user's own "
        'role in the project. Clusters that exist keep theirs.',
    ),
    cfg.ListOpt(
        'node_roles',
        default=['member', 'load-balancer_member'],
        help='Roles of the application credential of nodes, where a driver asks for one: '
        'those of them that the caller has, and what Keystone lets them imply.',
    ),
    cfg.IntOpt(
        'node_credential_days',
        default=365,
        min=1,
        help='Days until the application credential of nodes ends; PATCH /v1/credentials/'
        '<cluster> makes a new one.',
    ),
)
