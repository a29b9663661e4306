"""An enrolment costs the same, however often its cluster was changed."""

import pytest
import sqlalchemy as sa

from magnum_lite.db import enrolments, journal, store
from magnum_lite.exceptions import NotEnrolled
from magnum_lite.objects import Cluster, ClusterTemplate, Operation

CLUSTER = '00000000-0000-0000-0000-000000000001'
SERVER = '00000000-0000-0000-0000-000000000002'


@pytest.fixture
def newest(sqlite):
    """Uuid of the last operation of a cluster that had many."""
    who = {'name': 'n', 'project_id': 'p', 'user_id': 'u'}
    template = ClusterTemplate.new(coe='tiny', image_id='i', **who)
    sqlite.write(store.insert, template)
    sqlite.write(
        store.insert,
        Cluster.new(
            uuid=CLUSTER,
            cluster_template_id=template.uuid,
            driver='tiny',
            driver_version=1,
            status='CREATE_COMPLETE',
            **who,
        ),
    )
    made = [
        Operation.new(
            cluster_id=CLUSTER,
            kind='resize',
            reason='r',
            project_id='p',
            user_id='u',
            cluster_version=1,
            state='DONE',
        )
        for _ in range(300)
    ]
    sqlite.write(store.insert, *made)
    return made[-1].uuid


def test_the_journal_is_told_without_a_look_at_all_operations(sqlite, newest):
    read = []

    @sa.event.listens_for(sqlite.engine, 'before_cursor_execute')
    def note(connection, cursor, statement, *more):
        if 'FROM operations' in statement:
            read.append(' LIMIT ' in statement)

    assert sqlite.write(enrolments.enrol, CLUSTER, SERVER, 'g', 'f' * 64)
    with pytest.raises(NotEnrolled):
        sqlite.write(enrolments.enrol, CLUSTER, SERVER, 'g', 'e' * 64)
    for _ in range(2):
        sqlite.write(enrolments.refuse, CLUSTER, SERVER)
        sqlite.write(journal.note_cluster, CLUSTER, 'something else')
    with sqlite.read() as connection:
        texts = [step.text for step in journal.steps_of(connection, newest)]
    assert texts == [
        f'server {SERVER} enrolled and was given its secrets',
        f'a second enrolment as server {SERVER} was refused',
        'something else',
    ]
    assert read and all(read)
