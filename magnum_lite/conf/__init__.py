"""Every option of the service, a module for each group. ``register`` puts them on a ConfigOpts; no
module keeps a global.
"""

from collections.abc import Callable, Iterable, Sequence

from keystoneauth1 import loading
from oslo_config import cfg
from oslo_db import options as db_options
from oslo_log import log
from oslo_middleware import cors, opts
from oslo_policy import opts as policy_opts

from magnum_lite.conf import (
    api,
    audit,
    certificates,
    cloud,
    cluster,
    conductor,
    database,
    default,
    development,
    enrolment,
    health,
    identity,
    secrets,
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
GROUPS: dict[str | None, Sequence[cfg.Opt]] = {
    None: default.OPTIONS,
    'api': api.OPTIONS,
    'cluster': cluster.OPTIONS,
    'certificates': certificates.OPTIONS,
    'secrets': secrets.OPTIONS,
    'database': database.OPTIONS,
    'conductor': conductor.OPTIONS,
    'health': health.OPTIONS,
    'cloud': cloud.OPTIONS,
    'identity': identity.OPTIONS,
    'enrolment': enrolment.OPTIONS,
    'development': development.OPTIONS,
    'audit': audit.OPTIONS,
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
    check: Callable[[cfg.ConfigOpts], None] | None = None,
) -> cfg.ConfigOpts:
    """The configured options of a process: files, then the command line.

    The global object, because oslo.messaging registers its tracing options on that one only;
    it is passed on as an argument everywhere.

    :param config_files: None looks in the usual places (``/etc/magnum-lite`` ...).
    :param version: what ``--version`` prints.
    :param check: called before the first value is used.
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
        default_config_files=None if config_files is None else list(config_files),
    )
    if check is not None:
        check(conf)
    # Again: [service_auth] auth_section, which is known now, may name another section for them.
    loading.register_auth_conf_options(conf, SERVICE_AUTH)
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
    if 0 < conf.health.interval_s < conf.health.timeout_s * 3:
        raise cfg.Error('[health] timeout_s: at most a third of interval_s is accepted')
