"""What the service knows of clusters that no Heat has: what their backend says, or nothing."""

import pytest

from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import ledger
from magnum_lite.driver_sdk.backend import Backend
from magnum_lite.driver_sdk.errors import Unanswered
from magnum_lite.exceptions import NotFound
from tests.engine.conftest import working
from tests.engine.files import Directory, Files
from tests.engine.tiny_files import TinyFiles


class Silent(TinyFiles):
    """Says nothing of where it builds: what it is given is the lease of the step."""

    def __init__(self, directory):
        super().__init__(directory)
        self.directory = self.backend.home
        self.backend = Backend()

    def _files(self, lease, spec):
        return Files(self.directory, spec.project_id, lease)

    def create(self, cloud, spec, /):
        return super().create(self._files(cloud, spec), spec)

    update = upgrade = rotate_ca = create

    def delete(self, cloud, spec, /):
        return super().delete(self._files(cloud, spec), spec)

    def get_status(self, cloud, spec, /):
        return super().get_status(self._files(cloud, spec), spec)


@pytest.fixture
def driver(tmp_path):
    """A driver of files."""
    return TinyFiles(tmp_path / 'cloud')


def _health(tenant, operation):
    return tenant.cluster(operation.cluster_id).health_status_reason


def test_a_driver_that_says_nothing_is_believed(conf, database, tenant, tmp_path, comparing):
    with working(conf, Silent(tmp_path / 'cloud')):
        create = tenant.create()
        tenant.wait(create)
        tenant.wait(tenant.resize(create.cluster_id, 2))
        cluster = tenant.cluster(create.cluster_id)
        assert (cluster.status, cluster.api_address) == ('UPDATE_COMPLETE', 'https://tiny:6443')
        assert len(tenant.groups(cluster.uuid)['default-worker'].node_addresses) == 2
        assert set(tenant.stacks().values()) == {'CREATE_COMPLETE', 'UPDATE_COMPLETE'}
        tenant.wait(tenant.delete(cluster.uuid))
    assert tenant.stacks() == {}
    with database.read() as connection:
        assert ledger.open_entries(connection, cluster.uuid) == []


def test_the_last_look_of_a_deletion_is_at_the_backend_of_the_driver(
    database, tenant, finish, driver, monkeypatch
):
    """The driver believes that it is done: only the ledger and the backend know the other file."""
    create = tenant.create()
    finish(create)
    monkeypatch.setattr(TinyFiles, 'delete', lambda self, cloud, spec: self._remove(cloud, []))
    delete = tenant.delete(create.cluster_id)
    finish(delete)
    with pytest.raises(NotFound):
        tenant.cluster(create.cluster_id)
    assert tenant.stacks() == {}
    with database.read() as connection:
        assert ledger.open_entries(connection, create.cluster_id) == []


def test_files_at_rest_are_compared_with_what_the_last_change_left(
    tenant, finish, driver, comparing
):
    create = tenant.create()
    finish(create)
    comparing.now()
    assert _health(tenant, create) == {}
    name = next(name for name in tenant.stacks() if name != f'tiny-{create.cluster_id}')
    (driver.backend.home / tenant.project / f'{name}.json').unlink()
    comparing.now()
    assert _health(tenant, create) == {f'file {name}': 'is gone'}
    finish(tenant.resize(create.cluster_id, 1))
    comparing.now()
    assert _health(tenant, create) == {}


def test_all_clusters_of_a_project_go_on_by_one_look(conf, tenant, driver, monkeypatch):
    looks, look = [], Directory.look
    monkeypatch.setattr(Directory, 'look', lambda self, who: looks.append(1) or look(self, who))
    listed, lists = [], Files.list
    monkeypatch.setattr(
        Files,
        'list',
        lambda self, cluster=None: listed.append(cluster in self.seen) or lists(self, cluster),
    )
    driver.backend.settings()  # slow, so that they wait together
    with working(conf, driver):
        creates = [tenant.create() for _ in range(3)]
        for create in creates:
            tenant.wait_for(create, lambda now: now.state == 'WAITING')
        tenant.wait_for(creates[0], lambda now: len(looks) > 2)
    assert listed.count(True) > 3


class Unheard(Silent):
    """Its calls are made, and nobody hears the answer."""

    def create(self, cloud, spec, /):
        super().create(cloud, spec)
        cloud.unanswered()
        raise Unanswered('no answer came')


def test_a_deletion_waits_for_a_call_that_a_driver_had_no_answer_to(
    conf, database, tenant, tmp_path
):
    conf.set_override('late_s', 1, 'cloud')
    manager = Manager(conf, database, Registry({'tiny': Unheard(tmp_path / 'cloud')}), owner='me')
    create = tenant.create()
    assert manager.claim(create.uuid)
    manager.step(create.uuid)
    assert tenant.operation(create.uuid).trouble == 'no answer came'
    delete = tenant.delete(create.cluster_id)
    assert manager.claim(delete.uuid)
    late = tenant.wait_for(
        delete, lambda now: manager.step(delete.uuid) or 'may still take' in (now.progress or '')
    )
    assert late.progress == 'a call that the cloud did not answer may still take effect'
    tenant.wait_for(delete, lambda now: manager.step(delete.uuid) or now.ended_at, 'DONE')
    assert tenant.stacks() == {}
