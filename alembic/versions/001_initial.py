"""The tables of the first release.

Revision ID: 001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '001'
down_revision = None

OPTIONS = {
    'mysql_engine': 'InnoDB',
    'mysql_charset': 'utf8mb4',
    'mysql_collate': 'utf8mb4_bin',
    'mariadb_engine': 'InnoDB',
    'mariadb_charset': 'utf8mb4',
    'mariadb_collate': 'utf8mb4_bin',
    'sqlite_autoincrement': True,
}


def long_text():
    """Text of at least 1,000,000 characters."""
    return sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb')


def moment():
    """A date and time with microseconds."""
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')


def _cluster_templates():
    op.create_table(
        'cluster_templates',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('coe', sa.String(255), nullable=False),
        sa.Column('image_id', sa.String(255), nullable=False),
        sa.Column('keypair_id', sa.String(255), nullable=True),
        sa.Column('docker_volume_size', sa.Integer(), nullable=True),
        sa.Column('master_flavor_id', sa.String(255), nullable=True),
        sa.Column('flavor_id', sa.String(255), nullable=True),
        sa.Column('fixed_network', sa.String(255), nullable=True),
        sa.Column('fixed_subnet', sa.String(255), nullable=True),
        sa.Column('floating_ip_enabled', sa.Boolean(), nullable=False),
        sa.Column('master_lb_enabled', sa.Boolean(), nullable=False),
        sa.Column('external_network_id', sa.String(255), nullable=True),
        sa.Column('dns_nameserver', sa.String(255), nullable=True),
        sa.Column('docker_storage_driver', sa.String(255), nullable=True),
        sa.Column('apiserver_port', sa.Integer(), nullable=True),
        sa.Column('network_driver', sa.String(255), nullable=True),
        sa.Column('volume_driver', sa.String(32), nullable=True),
        sa.Column('http_proxy', sa.String(255), nullable=True),
        sa.Column('https_proxy', sa.String(255), nullable=True),
        sa.Column('no_proxy', sa.String(255), nullable=True),
        sa.Column('insecure_registry', sa.String(255), nullable=True),
        sa.Column('registry_enabled', sa.Boolean(), nullable=False),
        sa.Column('tls_disabled', sa.Boolean(), nullable=False),
        sa.Column('labels', long_text(), nullable=False),
        sa.Column('public', sa.Boolean(), nullable=False),
        sa.Column('hidden', sa.Boolean(), nullable=False),
        sa.Column('server_type', sa.String(32), nullable=False),
        sa.Column('cluster_distro', sa.String(255), nullable=True),
        sa.Column('tags', sa.String(255), nullable=True),
        sa.Column('driver', sa.String(255), nullable=True),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('user_id', sa.String(255), nullable=False),
        sa.Column('created_at', moment(), nullable=True),
        sa.Column('updated_at', moment(), nullable=True),
        sa.UniqueConstraint('uuid', name='uniq_cluster_templates0uuid'),
        **OPTIONS,
    )
    op.create_index('ix_cluster_templates_name', 'cluster_templates', ['name'])
    op.create_index('ix_cluster_templates_project_id', 'cluster_templates', ['project_id'])
    op.create_index('ix_cluster_templates_public', 'cluster_templates', ['public'])


def _clusters():
    op.create_table(
        'clusters',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('name', sa.String(242), nullable=False),
        sa.Column('cluster_template_id', sa.String(36), nullable=False),
        sa.Column('keypair', sa.String(255), nullable=True),
        sa.Column('docker_volume_size', sa.Integer(), nullable=True),
        sa.Column('master_flavor_id', sa.String(255), nullable=True),
        sa.Column('flavor_id', sa.String(255), nullable=True),
        sa.Column('fixed_network', sa.String(255), nullable=True),
        sa.Column('fixed_subnet', sa.String(255), nullable=True),
        sa.Column('floating_ip_enabled', sa.Boolean(), nullable=True),
        sa.Column('master_lb_enabled', sa.Boolean(), nullable=True),
        sa.Column('labels', long_text(), nullable=False),
        sa.Column('create_timeout', sa.Integer(), nullable=True),
        sa.Column('status', sa.String(32), nullable=False),
        sa.Column('status_reason', long_text(), nullable=True),
        sa.Column('health_status', sa.String(32), nullable=True),
        sa.Column('health_status_reason', long_text(), nullable=False),
        sa.Column('stack_id', sa.String(255), nullable=True),
        sa.Column('discovery_url', long_text(), nullable=True),
        sa.Column('api_address', sa.String(255), nullable=True),
        sa.Column('coe_version', sa.String(255), nullable=True),
        sa.Column('container_version', sa.String(255), nullable=True),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('user_id', sa.String(255), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('version_reason', long_text(), nullable=True),
        sa.Column('driver', sa.String(255), nullable=False),
        sa.Column('driver_version', sa.Integer(), nullable=False),
        sa.Column('facts', long_text(), nullable=False),
        sa.Column('ca_generation', sa.Integer(), nullable=False),
        sa.Column('ssh_public_key', long_text(), nullable=True),
        sa.Column('identity', long_text(), nullable=False),
        sa.Column('application_credential', long_text(), nullable=False),
        sa.Column('created_at', moment(), nullable=True),
        sa.Column('updated_at', moment(), nullable=True),
        sa.UniqueConstraint('uuid', name='uniq_clusters0uuid'),
        sa.ForeignKeyConstraint(
            ['cluster_template_id'],
            ['cluster_templates.uuid'],
            name='fk_clusters0cluster_template_id',
        ),
        **OPTIONS,
    )
    op.create_index('ix_clusters_cluster_template_id', 'clusters', ['cluster_template_id'])
    op.create_index('ix_clusters_driver_driver_version', 'clusters', ['driver', 'driver_version'])
    op.create_index('ix_clusters_name', 'clusters', ['name'])
    op.create_index('ix_clusters_project_id', 'clusters', ['project_id'])


def _cluster_versions():
    op.create_table(
        'cluster_versions',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('reason', long_text(), nullable=False),
        sa.Column('operation', sa.String(36), nullable=False),
        sa.Column('snapshot', long_text(), nullable=False),
        sa.Column('user_id', sa.String(255), nullable=False),
        sa.Column('request_id', sa.String(255), nullable=True),
        sa.Column('created_at', moment(), nullable=True),
        sa.UniqueConstraint(
            'cluster_id', 'version', name='uniq_cluster_versions0cluster_id0version'
        ),
        **OPTIONS,
    )


def _nodegroups():
    op.create_table(
        'nodegroups',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('docker_volume_size', sa.Integer(), nullable=True),
        sa.Column('labels', long_text(), nullable=False),
        sa.Column('flavor_id', sa.String(255), nullable=True),
        sa.Column('image_id', sa.String(255), nullable=True),
        sa.Column('node_addresses', long_text(), nullable=False),
        sa.Column('node_count', sa.Integer(), nullable=False),
        sa.Column('role', sa.String(255), nullable=False),
        sa.Column('min_node_count', sa.Integer(), nullable=False),
        sa.Column('max_node_count', sa.Integer(), nullable=True),
        sa.Column('is_default', sa.Boolean(), nullable=False),
        sa.Column('stack_id', sa.String(255), nullable=True),
        sa.Column('status', sa.String(32), nullable=False),
        sa.Column('status_reason', long_text(), nullable=True),
        sa.Column('version', long_text(), nullable=True),
        sa.Column('node_labels', long_text(), nullable=False),
        sa.Column('node_taints', long_text(), nullable=False),
        sa.Column('generation', sa.Integer(), nullable=False),
        sa.Column('removed', long_text(), nullable=False),
        sa.Column('created_at', moment(), nullable=True),
        sa.Column('updated_at', moment(), nullable=True),
        sa.UniqueConstraint('cluster_id', 'name', name='uniq_nodegroups0cluster_id0name'),
        sa.UniqueConstraint('uuid', name='uniq_nodegroups0uuid'),
        **OPTIONS,
    )


def _drivers():
    op.create_table(
        'drivers',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('plugin_name', sa.String(255), nullable=False),
        sa.Column('plugin_version', sa.String(255), nullable=False),
        sa.Column('public', sa.Boolean(), nullable=False),
        sa.Column('enabled', sa.Boolean(), nullable=False),
        sa.Column('lifecycle', sa.String(32), nullable=False),
        sa.Column('expires_at', moment(), nullable=True),
        sa.Column('coe', sa.String(255), nullable=False),
        sa.Column('server_types', long_text(), nullable=False),
        sa.Column('distros', long_text(), nullable=False),
        sa.Column('capabilities', long_text(), nullable=False),
        sa.Column('config', long_text(), nullable=False),
        sa.Column('config_schema', long_text(), nullable=False),
        sa.Column('deleted_at', moment(), nullable=True),
        sa.Column('created_at', moment(), nullable=True),
        sa.Column('updated_at', moment(), nullable=True),
        sa.UniqueConstraint('uuid', name='uniq_drivers0uuid'),
        sa.UniqueConstraint('name', 'version', name='uniq_drivers0name0version'),
        **OPTIONS,
    )


def _operations():
    op.create_table(
        'operations',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('kind', sa.String(32), nullable=False),
        sa.Column('state', sa.String(32), nullable=False),
        sa.Column('node_group', sa.String(36), nullable=True),
        sa.Column('cluster_version', sa.Integer(), nullable=False),
        sa.Column('reason', long_text(), nullable=False),
        sa.Column('progress', long_text(), nullable=True),
        sa.Column('error_code', sa.String(64), nullable=True),
        sa.Column('error_text', long_text(), nullable=True),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('user_id', sa.String(255), nullable=False),
        sa.Column('request_id', sa.String(255), nullable=True),
        sa.Column('caller_project_id', sa.String(255), nullable=True),
        sa.Column('slot', sa.String(64), nullable=True),
        sa.Column('target', long_text(), nullable=False),
        sa.Column('restore', long_text(), nullable=False),
        sa.Column('timeout_min', sa.Integer(), nullable=False),
        sa.Column('identity', long_text(), nullable=False),
        sa.Column('owner', sa.String(255), nullable=True),
        sa.Column('fence', sa.Integer(), nullable=False),
        sa.Column('lease_until', moment(), nullable=True),
        sa.Column('check_at', moment(), nullable=True),
        sa.Column('interval_ms', sa.Integer(), nullable=False),
        sa.Column('troubles', sa.Integer(), nullable=False),
        sa.Column('deadline_at', moment(), nullable=True),
        sa.Column('started_at', moment(), nullable=True),
        sa.Column('ended_at', moment(), nullable=True),
        sa.Column('created_at', moment(), nullable=True),
        sa.Column('updated_at', moment(), nullable=True),
        sa.UniqueConstraint('cluster_id', 'slot', name='uniq_operations0cluster_id0slot'),
        sa.UniqueConstraint('uuid', name='uniq_operations0uuid'),
        **OPTIONS,
    )
    op.create_index('ix_operations_owner_check_at', 'operations', ['owner', 'check_at'])
    op.create_index('ix_operations_state_lease_until', 'operations', ['state', 'lease_until'])


def _certificates():
    op.create_table(
        'certificates',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('purpose', sa.String(64), nullable=False),
        sa.Column('generation', sa.Integer(), nullable=False),
        sa.Column('pem', long_text(), nullable=False),
        sa.Column('key_ref', sa.String(36), nullable=False),
        sa.Column('not_after', moment(), nullable=False),
        sa.Column('created_at', moment(), nullable=True),
        sa.UniqueConstraint(
            'cluster_id',
            'purpose',
            'generation',
            name='uniq_certificates0cluster_id0purpose0generation',
        ),
        sa.UniqueConstraint('uuid', name='uniq_certificates0uuid'),
        **OPTIONS,
    )


def _quotas():
    op.create_table(
        'quotas',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('resource', sa.String(255), nullable=False),
        sa.Column('hard_limit', sa.Integer(), nullable=False),
        sa.Column('created_at', moment(), nullable=True),
        sa.Column('updated_at', moment(), nullable=True),
        sa.UniqueConstraint('project_id', 'resource', name='uniq_quotas0project_id0resource'),
        **OPTIONS,
    )


def _usages():
    op.create_table(
        'usages',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('resource', sa.String(255), nullable=False),
        sa.Column('in_use', sa.Integer(), nullable=False),
        sa.UniqueConstraint('project_id', 'resource', name='uniq_usages0project_id0resource'),
        **OPTIONS,
    )


def _services():
    op.create_table(
        'services',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('host', sa.String(255), nullable=False),
        sa.Column('binary', sa.String(255), nullable=False),
        sa.Column('report_count', sa.Integer(), nullable=False),
        sa.Column('disabled', sa.Boolean(), nullable=False),
        sa.Column('disabled_reason', long_text(), nullable=True),
        sa.Column('plugins', long_text(), nullable=False),
        sa.Column('seen_at', moment(), nullable=True),
        sa.Column('created_at', moment(), nullable=False),
        sa.Column('updated_at', moment(), nullable=True),
        sa.UniqueConstraint('host', 'binary', name='uniq_services0host0binary'),
        **OPTIONS,
    )


def _ledger():
    op.create_table(
        'ledger',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('kind', sa.String(64), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('external_id', sa.String(255), nullable=True),
        sa.Column('created_at', moment(), nullable=False),
        sa.Column('closed_at', moment(), nullable=True),
        sa.UniqueConstraint('cluster_id', 'kind', 'name', name='uniq_ledger0cluster_id0kind0name'),
        **OPTIONS,
    )
    op.create_index('ix_ledger_kind_external_id', 'ledger', ['kind', 'external_id'])


def _outbox():
    op.create_table(
        'outbox',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('event_type', sa.String(255), nullable=False),
        sa.Column('payload', long_text(), nullable=False),
        sa.Column('created_at', moment(), nullable=False),
        sa.Column('sent_at', moment(), nullable=True),
        **OPTIONS,
    )
    op.create_index('ix_outbox_sent_at', 'outbox', ['sent_at'])


def _steps():
    op.create_table(
        'steps',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('operation_id', sa.String(36), nullable=False),
        sa.Column('fence', sa.Integer(), nullable=False),
        sa.Column('text', long_text(), nullable=False),
        sa.Column('created_at', moment(), nullable=False),
        **OPTIONS,
    )
    op.create_index('ix_steps_operation_id', 'steps', ['operation_id'])


def _secrets():
    op.create_table(
        'secrets',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('ref', sa.String(36), nullable=False),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('sealed', long_text(), nullable=False),
        sa.Column('created_at', moment(), nullable=False),
        sa.UniqueConstraint('cluster_id', 'name', name='uniq_secrets0cluster_id0name'),
        sa.UniqueConstraint('ref', name='uniq_secrets0ref'),
        **OPTIONS,
    )


def upgrade():
    """Make the tables."""
    _cluster_templates()
    _clusters()
    _cluster_versions()
    _nodegroups()
    _drivers()
    _operations()
    _certificates()
    _quotas()
    _usages()
    _services()
    _ledger()
    _outbox()
    _steps()
    _secrets()
