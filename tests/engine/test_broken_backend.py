"""A backend that raises what it must not: the operation is in trouble by its name."""

import pytest

from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from tests.engine.files import Directory, FilesAccess
from tests.engine.tiny_files import TinyFiles


@pytest.fixture
def driver(tmp_path):
    """A driver of files."""
    return TinyFiles(tmp_path / 'cloud')


@pytest.mark.parametrize(
    ('kind', 'where', 'method'),
    [
        ('delete', Directory, 'open'),
        ('delete', FilesAccess, 'remove'),
        ('resize', FilesAccess, 'shown'),
    ],
)
def test_what_breaks_in_a_backend_is_told_by_its_name(
    conf, database, tenant, driver, finish, monkeypatch, caplog, kind, where, method
):
    def broken(*args):
        raise ZeroDivisionError('somebody forgot the zero')

    def until(condition, state=None):
        return tenant.wait_for(
            operation, lambda now: manager.step(operation.uuid) or condition(now), state
        )

    create = tenant.create()
    finish(create)
    operation = (
        tenant.delete(create.cluster_id)
        if kind == 'delete'
        else tenant.resize(create.cluster_id, 2)
    )
    manager = Manager(conf, database, Registry({'tiny': driver}), owner='me')
    assert manager.claim(operation.uuid)
    with monkeypatch.context() as patches:
        patches.setattr(where, method, broken)
        found = until(lambda now: now.trouble)
    assert found.trouble.startswith(f'the directory failed in {method} with ZeroDivisionError')
    assert 'somebody forgot the zero' in caplog.text
    until(lambda now: now.ended_at, 'DONE')
