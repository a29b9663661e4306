"""Every option of the service. ``register`` puts them on a ConfigOpts; no module keeps a global."""

import socket
from collections.abc import Iterable, Sequence

from keystoneauth1 import loading
from oslo_config import cfg
from oslo_db import options as db_options
from oslo_log import log
from oslo_middleware import cors, opts
from oslo_policy import opts as policy_opts

DEFAULT = (
    cfg.HostAddressOpt(
        'host',
        default=socket.gethostname(),
        sample_default='<host name>',
        help='Name of this host in the list of services; one per machine.',
    ),
)
API = (
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
CLUSTER = (
    cfg.StrOpt(
        'default_network_driver',
        default='flannel',
        help='Network driver of templates that name none.',
    ),
    cfg.ListOpt(
        'allowed_network_drivers',
        default=['flannel', 'calico'],
        help='Network drivers that templates may name.',
    ),
    cfg.IntOpt(
        'default_boot_volume_size',
        default=0,
        min=0,
        help="GiB of the boot volume of nodes; 0 boots from the flavor's disk.",
    ),
    cfg.IntOpt(
        'max_nodes',
        default=1000,
        min=2,
        help='Nodes that one cluster may have over all its node groups, those of the '
        'control plane too. A driver may have a lower limit of its own. A cluster '
        'that has more already can only shrink.',
    ),
    cfg.IntOpt(
        'max_node_groups',
        default=100,
        min=2,
        help='Node groups that one cluster may have, the two that come with it too.',
    ),
)
CERTIFICATES = (
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
SECRETS = (
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
DATABASE = (
    cfg.IntOpt(
        'connect_s',
        default=5,
        min=1,
        help='Seconds that connecting to the database may take. What the URL of the '
        'connection says itself wins, here and for the other bounds.',
    ),
    cfg.IntOpt(
        'statement_s',
        default=30,
        min=1,
        help='Seconds until the answer to a statement: the server gives the statement up '
        '(MariaDB, PostgreSQL), and a second later its connection counts as dead. '
        'Migrations have no bound. Less than a quarter of [conductor] lease_s lets '
        'leases survive a connection that goes silent.',
    ),
    cfg.IntOpt(
        'lock_wait_s',
        default=5,
        min=1,
        help='Seconds that a statement waits for rows that others hold; the transaction '
        'is tried three times.',
    ),
    cfg.IntOpt(
        'idle_transaction_s',
        default=10,
        min=1,
        help='Seconds after which the server (MariaDB, PostgreSQL) ends a transaction whose '
        'process has gone silent, and with it frees the rows that it holds.',
    ),
)
CONDUCTOR = (
    cfg.IntOpt('workers', default=2, min=1, help='Worker processes of magnum-lite-conductor.'),
    cfg.IntOpt('threads', default=16, min=1, help='Steps that one worker takes at a time.'),
    cfg.IntOpt(
        'max_owned',
        default=500,
        min=1,
        help='Operations that one worker owns at a time, most of them waiting for Heat.',
    ),
    cfg.FloatOpt(
        'lease_s',
        default=120,
        min=2,
        help='Seconds after which the operations of a silent worker are taken over. '
        "Galera's nodes have clocks of their own: no less than a minute there.",
    ),
    cfg.FloatOpt(
        'heartbeat_s',
        default=20,
        min=0.5,
        help='Seconds between heartbeats; at most a third of lease_s.',
    ),
    cfg.FloatOpt(
        'poll_min_s',
        default=1,
        min=0.05,
        help='Seconds until the first look at Heat after a change; doubles each time.',
    ),
    cfg.FloatOpt('poll_max_s', default=30, min=0.05, help='Most seconds between looks at Heat.'),
    cfg.FloatOpt(
        'sweep_s',
        default=1,
        min=0.05,
        help='Seconds between looks for operations whose wake was lost.',
    ),
    cfg.IntOpt(
        'outbox_keep_days',
        default=7,
        min=1,
        help='Days after which a worker drops notifications that were sent. Those that were '
        'not are kept.',
    ),
    cfg.FloatOpt(
        'trouble_s',
        default=600,
        min=1,
        help='Seconds for which an operation is tried again while nothing succeeds; any '
        'good answer of the cloud begins them anew. Then it fails.',
    ),
    cfg.FloatOpt(
        'stray_s',
        default=600,
        min=1,
        help='Seconds after which a trust or an application credential is deleted whose '
        'request broke off before it was accepted; more than a request may take.',
    ),
    cfg.FloatOpt(
        'compare_s',
        default=600,
        min=0,
        help='Seconds after which the clusters of a project on which nothing is at work '
        'are compared with the cloud again: one list of its stacks, and one of its '
        'servers. 0: never.',
    ),
    cfg.StrOpt(
        'notification_topic',
        default='magnum_lite_heat',
        help="Topic of Heat's notifications: add it to [oslo_messaging_notifications] "
        "topics in heat.conf. One of our own takes nobody else's messages.",
    ),
    cfg.BoolOpt('listen', default=True, help="Whether to listen to Heat's notifications."),
)
CLOUD = (
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
IDENTITY = (
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
ENROLMENT = (
    cfg.URIOpt(
        'public_url',
        schemes=['https', 'http'],
        help='URL of this API, without /v1, at which nodes fetch their secrets; their '
        'images have to trust its certificate. Without it keys and tokens travel in '
        'user data, where every reader of the project can see them in Heat.',
    ),
    cfg.IntOpt(
        'window_s',
        default=3600,
        min=60,
        help='Seconds after the creation of a server within which it may fetch its keys.',
    ),
    cfg.IntOpt(
        'at_once',
        default=4,
        min=1,
        help='Enrolments that one API process checks at a time, half of them at most '
        'for one project; more are told to come again.',
    ),
)
DEVELOPMENT = (
    cfg.DictOpt(
        'catalog',
        default={},
        help='Endpoints of the cloud by service type, for the development identity; '
        '%(project_id)s is filled in.',
    ),
)
AUDIT = (
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
# Headers that browsers may send and read, beside the simple ones.
CORS = {
    'allow_headers': ['X-Auth-Token', 'OpenStack-API-Version', 'X-OpenStack-Request-ID'],
    'expose_headers': [
        'OpenStack-API-Version',
        'OpenStack-API-Minimum-Version',
        'OpenStack-API-Maximum-Version',
        'X-OpenStack-Request-ID',
        'Location',
    ],
    'allow_methods': ['GET', 'POST', 'PATCH', 'DELETE'],
}
MIDDLEWARE = (
    opts.list_opts_cors,
    opts.list_opts_http_proxy_to_wsgi,
    opts.list_opts_sizelimit,
    opts.list_opts_healthcheck,
)
SERVICE_AUTH = 'service_auth'
GROUPS = {
    None: DEFAULT,
    'api': API,
    'cluster': CLUSTER,
    'certificates': CERTIFICATES,
    'secrets': SECRETS,
    'database': DATABASE,
    'conductor': CONDUCTOR,
    'cloud': CLOUD,
    'identity': IDENTITY,
    'enrolment': ENROLMENT,
    'development': DEVELOPMENT,
    'audit': AUDIT,
}


def register(conf: cfg.ConfigOpts) -> None:
    """Put every option on ``conf``; may be called again."""
    for group, options in GROUPS.items():
        conf.register_opts(options, group=group)
    conf.register_opts(db_options.database_opts, group='database')
    loading.register_auth_conf_options(conf, SERVICE_AUTH)
    loading.register_session_conf_options(conf, SERVICE_AUTH)
    policy_opts.set_defaults(conf, policy_file='policy.yaml')
    set_defaults()
    for list_options in MIDDLEWARE:
        for group, options in list_options():
            conf.register_opts(options, group=group)


def set_defaults() -> None:
    """Give libraries' options the defaults of this service, in samples too."""
    cors.set_defaults(**CORS)


def list_opts() -> list[tuple[str | None, Iterable[cfg.Opt]]]:
    """``[(group, options)]`` for oslo-config-generator; libraries list their own."""
    auth = loading.get_auth_common_conf_options() + loading.get_auth_plugin_conf_options('password')
    return [*GROUPS.items(), (SERVICE_AUTH, auth + loading.get_session_conf_options())]


def load(
    argv: Sequence[str],
    *,
    config_files: Sequence[str] | None = None,
    prog: str = 'magnum-lite',
    version: str | None = None,
) -> cfg.ConfigOpts:
    """The configured options of a process: files, then the command line.

    The global object, because oslo.messaging registers its tracing options on that one only;
    it is passed on as an argument everywhere.

    :param config_files: None looks in the usual places (``/etc/magnum-lite`` ...).
    :param version: what ``--version`` prints.
    :raises SystemExit: a command line that cannot be understood.
    :raises cfg.Error: files that cannot be used, or values that do not go together.
    """
    conf = cfg.CONF
    register(conf)
    log.register_options(conf)
    # What alembic says at each start of a program is for those who write migrations.
    log.set_defaults(default_log_levels=[*log.get_default_log_levels(), 'alembic=WARN'])
    conf(
        list(argv),
        project='magnum-lite',
        prog=prog,
        version=version,
        default_config_files=config_files,
    )
    log.setup(conf, prog)
    _check(conf)
    return conf


def files(conf: cfg.ConfigOpts = cfg.CONF) -> str:
    """The configuration files, as a message names them, also where they could not be used."""
    try:
        found = [*conf.config_file, *conf.config_dir]
    except (cfg.Error, TypeError):
        found = []
    return ', '.join(found) or 'no configuration file'


def _check(conf: cfg.ConfigOpts) -> None:
    if conf.conductor.heartbeat_s * 3 > conf.conductor.lease_s:
        raise cfg.Error('[conductor] heartbeat_s: at most a third of lease_s is accepted')
    if conf.conductor.lease_s <= conf.cloud.heat_timeout_s:
        raise cfg.Error(
            '[conductor] lease_s: more than [cloud] heat_timeout_s is needed, since no '
            'call to Heat may outlast the lease'
        )
