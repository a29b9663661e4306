"""Who may do what: every rule with its default, as contract Part 5 has them.

Building blocks come first; each API rule names one of them, so that operators override one line.
"""

from oslo_config import cfg
from oslo_policy import policy

ADMIN = 'rule:context_is_admin'
MEMBER = 'rule:admin_or_project_member_deny_cluster_user'
READER = 'rule:admin_or_project_reader_deny_cluster_user'
_ANY_MEMBER = 'rule:admin_or_project_member'
_ANY_READER = 'rule:admin_or_project_reader'
_SINCE = '1.0'
_REASON = "The roles member and reader came with Keystone's default roles."


def _old(name: str, check: str) -> policy.DeprecatedRule:
    return policy.DeprecatedRule(name, check, deprecated_reason=_REASON, deprecated_since=_SINCE)


def _block(name: str, check: str, old: str | None = None) -> policy.RuleDefault:
    """A building block; ``old`` is or-ed in unless ``enforce_new_defaults`` is on."""
    if old is None:
        return policy.RuleDefault(name, check)
    return policy.RuleDefault(name, check, deprecated_rule=_old(name, old))


_OWNER = 'is_admin:True or project_id:%(project_id)s'
_USER = 'is_admin:True or user_id:%(user_id)s'
_MEMBER_USER = '(rule:project_member and rule:is_user)'
_READER_USER = '(rule:project_reader and rule:is_user)'
BLOCKS = (
    _block('context_is_admin', 'role:admin'),
    _block('admin_or_owner', _OWNER),
    _block('admin_or_user', _USER),
    _block('is_user', 'user_id:%(user_id)s'),
    _block('project_member', 'role:member and project_id:%(project_id)s'),
    _block('project_reader', 'role:reader and project_id:%(project_id)s'),
    _block('admin_or_project_reader', f'{ADMIN} or rule:project_reader', _OWNER),
    _block('admin_or_project_member', f'{ADMIN} or rule:project_member', _OWNER),
    _block('admin_or_project_member_user', f'{ADMIN} or {_MEMBER_USER}', _USER),
    _block('admin_or_project_member_user_or_cluster_user', f'{ADMIN} or {_MEMBER_USER}', _USER),
    _block('admin_or_project_reader_user', f'{ADMIN} or {_READER_USER}', _USER),
    _block('project_member_deny_cluster_user', 'rule:project_member', _OWNER),
    _block('project_reader_deny_cluster_user', 'rule:project_reader', _OWNER),
    _block('admin_or_project_member_deny_cluster_user', f'{ADMIN} or rule:project_member', _OWNER),
    _block('admin_or_project_reader_deny_cluster_user', f'{ADMIN} or rule:project_reader', _OWNER),
)
# (noun, check, verbs); rules of administrators alone have no scope.
_API = (
    ('certificate', 'rule:admin_or_project_member_user', 'create'),
    ('certificate', 'rule:admin_or_project_reader_user', 'get'),
    ('certificate', _ANY_MEMBER, 'rotate_ca'),
    ('cluster', MEMBER, 'create delete update resize upgrade'),
    ('cluster', READER, 'detail get get_all'),
    ('cluster', 'rule:admin_or_project_member_user_or_cluster_user', 'update_health_status'),
    (
        'cluster',
        ADMIN,
        'get_one_all_projects get_all_all_projects detail_all_projects '
        'delete_all_projects update_all_projects upgrade_all_projects',
    ),
    ('clustertemplate', MEMBER, 'create'),
    ('clustertemplate', _ANY_MEMBER, 'delete update'),
    ('clustertemplate', READER, 'detail get get_all'),
    (
        'clustertemplate',
        ADMIN,
        'get_one_all_projects get_all_all_projects detail_all_projects '
        'delete_all_projects update_all_projects publish',
    ),
    ('credential', 'rule:project_member_deny_cluster_user', 'rotate'),
    ('driver', READER, 'get get_all'),
    ('federation', MEMBER, 'create delete update'),
    ('federation', READER, 'detail get get_all'),
    ('magnum-service', ADMIN, 'get_all'),
    ('nodegroup', _ANY_READER, 'get get_all'),
    ('nodegroup', _ANY_MEMBER, 'create update delete'),
    ('nodegroup', ADMIN, 'get_one_all_projects get_all_all_projects'),
    ('quota', _ANY_READER, 'get'),
    ('quota', ADMIN, 'create update delete get_all'),
    ('stats', _ANY_READER, 'get_all'),
)


# Rules of what belongs to a project.
OF_PROJECTS = frozenset(
    f'{noun}:{verb}' for noun, check, verbs in _API if check != ADMIN for verb in verbs.split()
)


def list_rules() -> list[policy.RuleDefault]:
    """Every rule with its default."""
    rules = [*BLOCKS]
    for noun, check, verbs in _API:
        for rule in [f'{noun}:{verb}' for verb in verbs.split()]:
            scopes = ['project'] if rule in OF_PROJECTS else None
            rules.append(policy.RuleDefault(rule, check, scope_types=scopes))
    return rules


def enforcer(conf: cfg.ConfigOpts | None = None) -> policy.Enforcer:
    """An enforcer that knows all rules and reads the operator's policy file.

    :param conf: None for oslo.policy's command-line tools, which bring none.
    """
    if conf is None:
        conf = cfg.ConfigOpts()
        conf([], project='magnum-lite')
    found = policy.Enforcer(conf)
    found.register_defaults(list_rules())
    return found
