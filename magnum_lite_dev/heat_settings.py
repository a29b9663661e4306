"""The configuration files of the embedded Heat, as text."""

import pathlib

from magnum_lite_dev.directory import ACCOUNT, PASSWORD

HEAT = """\
[DEFAULT]
host = embedded
transport_url = fake://
deferred_auth_method = trusts
convergence_engine = true
# One thread per resource in progress, and the parent of a nested stack holds one too: fewer than
# groups and members together and all of them wait for ever.
executor_thread_pool_size = {threads}
# Heat's own default, which the plans of the drivers must fit.
max_resources_per_stack = 1000
max_stacks_per_tenant = 100000
stack_action_timeout = 3600
# With the default 5 a server in ERROR is made five times more before anybody hears of it.
action_retry_limit = {retries}
heat_metadata_server_url = {signal_url}/v1
log_dir = {state}
log_file = heat.log
[database]
connection = sqlite:///{state}/heat.sqlite?timeout=60
sqlite_synchronous = false
max_retries = -1
[paste_deploy]
api_paste_config = {state}/api-paste.ini
[oslo_messaging_notifications]
{notifications}
[oslo_policy]
enforce_scope = false
enforce_new_defaults = false
"""
# Without a Keystone: a stand-in, and a token that needs none.
ALONE = """\
[DEFAULT]
keystone_backend = magnum_lite_dev.heat_identity.Keystone
server_keystone_endpoint_type =
[clients_heat]
# Signals go there.
url = {signal_url}/v1/%(tenant_id)s
[trustee]
auth_type = password
"""
# With one: tokens are validated, and Heat makes trusts and users as it does anywhere. It asks for
# the caller's token to be alive, unless a service vouches for it.
BEHIND_KEYSTONE = """\
[DEFAULT]
server_keystone_endpoint_type = public
stack_user_domain_name = heat
stack_domain_admin = heat_domain_admin
stack_domain_admin_password = {password}
[clients_keystone]
auth_uri = {keystone_url}
[keystone_authtoken]
www_authenticate_uri = {keystone_url}
{account}
service_type = orchestration
service_token_roles = service
service_token_roles_required = true
[trustee]
auth_type = password
auth_url = {keystone_url}
username = heat
password = {password}
user_domain_id = default
"""
# fake:// keeps what nobody fetches, so without a broker nothing is sent at all. The engine's own
# calls stay on fake:// in any case: one process, and no other Heat on the same broker is met.
SILENT = 'driver = noop'
# Heat sends inside its own steps: with retries for ever, a broker that is down stops all stacks.
TOLD = """\
driver = messagingv2
transport_url = {transport_url}
topics = {topics}
retry = 1"""

PASTE = """\
[pipeline:heat-api]
pipeline = request_id faultwrap {filters} context versionnegotiation apiv1app
[app:apiv1app]
paste.app_factory = heat.common.wsgi:app_factory
heat.app_factory = heat.api.openstack.v1:API
[filter:versionnegotiation]
paste.filter_factory = heat.common.wsgi:filter_factory
heat.filter_factory = heat.api.openstack:version_negotiation_filter
[filter:faultwrap]
paste.filter_factory = heat.common.wsgi:filter_factory
heat.filter_factory = heat.api.openstack:faultwrap_filter
[filter:context]
paste.filter_factory = heat.common.context:ContextMiddleware_filter_factory
[filter:stand_in]
paste.filter_factory = magnum_lite_dev.heat_identity:filter_factory
[filter:auth_url]
paste.filter_factory = heat.common.auth_url:filter_factory
[filter:auth_token]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
[filter:request_id]
paste.filter_factory = oslo_middleware.request_id:RequestId.factory
"""


def write(
    state, *, signal_url, threads, transport_url, topics, keystone_url=None, retries=0
) -> pathlib.Path:
    """Write ``heat.conf`` and ``api-paste.ini`` to the state directory; the former's path.

    :param signal_url: of Heat as nodes reach it, without /v1.
    :param transport_url: where notifications go; ``fake://`` sends none.
    :param topics: the notification topics, comma-separated.
    :param keystone_url: of the Keystone that vouches for callers; None does without.
    :param retries: how often Heat makes a server again that went to ERROR.
    """
    state = pathlib.Path(state)
    told = not transport_url.startswith('fake:')
    notifications = TOLD.format(transport_url=transport_url, topics=topics) if told else SILENT
    (state / 'api-paste.ini').write_text(
        PASTE.format(filters='auth_url auth_token' if keystone_url else 'stand_in')
    )
    path = state / 'heat.conf'
    path.touch(mode=0o600)
    identity = BEHIND_KEYSTONE if keystone_url else ALONE
    path.write_text(
        (HEAT + identity).format(
            state=state,
            signal_url=signal_url,
            threads=threads,
            notifications=notifications,
            keystone_url=keystone_url,
            password=PASSWORD,
            retries=retries,
            account=ACCOUNT.format(url=keystone_url, user='heat'),
        )
    )
    return path
