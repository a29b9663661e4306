"""Nodes enrol where Keystone's catalog says that the service is: nobody has configured it."""

import re

import pytest

from magnum_lite.db.engine import Database
from magnum_lite.secrets.vault import Vault
from magnum_lite_dev.rig.tiny import Tiny
from tests import fixtures
from tests.functional.programs import STATUS, run
from tests.walker import Walker, shown

pytestmark = pytest.mark.keystone


@pytest.fixture
def vault(make_conf, keystone_service):
    """A function that gives ``{name: text}`` of all secrets of a cluster."""
    path = keystone_service.path
    conf = make_conf(
        database={'connection': f'sqlite:///{path}/service.sqlite'},
        secrets={'key_file': path / 'keys'},
    )
    database = Database(conf)

    def read(cluster):
        with database.read() as connection:
            return Vault(conf).values(connection, cluster)

    yield read
    database.dispose()


@pytest.mark.parametrize('roles', [['reader'], ['member']])
def test_nobody_sees_a_secret_of_a_cluster(tenants, project, vault, keystone_service, roles):
    owner = tenants('owner', project, 'member')
    cluster = owner.create(owner.template())
    owner.wait(cluster)
    who = tenants('-'.join(roles), project, *roles).session
    walker = Walker(
        who.get_token(),
        *(who.get_endpoint(service_type=name) for name in ('orchestration', 'compute')),
    )
    walker.stacks()
    assert any('kubeadm init' in text for text in walker.texts)  # the walk reaches user data
    walker.servers()
    assert '/clusters/{cluster}' in walker.ours(keystone_service.url, cluster)
    kept = vault(cluster)
    assert {'ca.kubernetes.key', 'ca.etcd.key', 'service_account', 'bootstrap'} <= set(kept)
    assert [name for name, text in kept.items() if shown(text, walker.texts)] == []
    assert [text for text in walker.texts if '"password": "' in text] == []


@pytest.fixture
def unlisted(keystone):
    """The service has no endpoint in the catalog."""
    listed = [
        endpoint
        for service in keystone.admin.services.list(type='container-infra')
        for endpoint in keystone.admin.endpoints.list(service=service)
    ]
    for endpoint in listed:
        keystone.admin.endpoints.update(endpoint, enabled=False)
    yield
    for endpoint in listed:
        keystone.admin.endpoints.update(endpoint, enabled=True)


def test_without_an_address_no_secret_goes_anywhere(make_conf, unlisted, token, project, tmp_path):
    conf = make_conf()
    who = {'token': token('ann', project, 'member')}
    with fixtures.working(conf, Tiny()) as api:
        template = api.ok(
            'POST',
            '/v1/clustertemplates',
            {
                'name': 't',
                'coe': 'tiny',
                'image_id': 'debian-13',
                'flavor_id': 'm1.small',
                'master_flavor_id': 'm1.small',
                'external_network_id': 'public',
            },
            **who,
        )['uuid']
        cluster = api.ok(
            'POST', '/v1/clusters', {'name': 'c', 'cluster_template_id': template}, **who
        )['uuid']
        found = api.wait(f'/v1/clusters/{cluster}', status='CREATE_FAILED', **who)
    assert 'does not know at which URL nodes fetch their secrets' in found['status_reason']
    ended = run(STATUS, '--config-file', conf.config_file[0], 'upgrade', 'check', folder=tmp_path)
    assert ended.returncode == 2
    assert 'does not know at which URL' in re.sub(r'[\s|]+', ' ', ended.stdout)
