"""The checker notices each thing that can be wrong, and nothing in a world where nothing is."""

import copy

import pytest

from tools.chaos import report
from tools.chaos.answers import Answer
from tools.chaos.checker import after_deletion, after_storm, nothing_shown
from tools.chaos.ear import Heard
from tools.chaos.heard import DOUBLING_S, doubles
from tools.chaos.world import TABLES, Stack, World


@pytest.fixture
def world():
    """One cluster of one node, as it should be."""
    rows = {table: [] for table in TABLES}
    of = {'cluster_id': 'c1'}
    rows |= {
        'clusters': [{'uuid': 'c1', 'name': 'one', 'project_id': 'p', 'status': 'CREATE_COMPLETE'}],
        'nodegroups': [
            {
                **of,
                'uuid': 'g1',
                'name': 'worker',
                'project_id': 'p',
                'node_count': 1,
                'status': 'CREATE_COMPLETE',
            }
        ],
        'operations': [
            {
                **of,
                'uuid': 'o1',
                'kind': 'create',
                'state': 'DONE',
                'progress': 'done',
                'request_id': 'req-1',
                'error_code': None,
                'error_text': None,
            }
        ],
        'certificates': [{**of, 'uuid': 'x1', 'key_ref': 's1'}],
        'secrets': [{**of, 'ref': 's1'}],
        'ledger': [
            {**of, 'kind': 'heat-stack', 'name': 'one-a', 'closed_at': None},
            {**of, 'kind': 'trust', 'name': 'm1', 'external_id': 't1', 'closed_at': None},
        ],
        'outbox': [
            {
                'uuid': name,
                'event_type': 'create',
                'sent_at': 1,
                'payload': {'target': {'id': 'c1'}},
            }
            for name in ('n1', 'n2')
        ],
        'usages': [{'project_id': 'p', 'resource': 'Cluster', 'in_use': 1}],
    }
    return World(
        rows,
        {'p': [Stack('one-a', 'CREATE_COMPLETE', ('c1',))]},
        {('c1', 'g1'): 1},
        [Heard('n1', 100), Heard('n2', 101)],
        lent={('trust', 't1'): 'm1'},
    )


ANSWERS = [
    Answer('p', 'create', 'one', 'c1', 202, 'req-1'),
    Answer('p', 'resize', 'one', 'c1', 409, 'req-2'),
    Answer('p', 'create', 'two', None, None, None),
]


def change(world, what):
    """A copy of a world after ``what`` was done to it."""
    world = copy.deepcopy(world)
    what(world)
    return world


def put(table, **values):
    return lambda world: world.rows[table][0].update(values)


def stack(**values):
    return Stack('one-a', 'CREATE_COMPLETE', ('c1',))._replace(**values)


def stacks(**values):
    return lambda world: world.stacks.update(p=[stack(**values)])


def servers(counts):
    return lambda world: (world.servers.clear(), world.servers.update(counts))


def test_nothing_is_wrong_with_what_is_as_promised(world):
    assert after_storm(world, ANSWERS) == []


@pytest.mark.parametrize(
    ('what', 'kind', 'words'),
    [
        (put('operations', request_id='req-9'), 'lost', 'in no journal'),
        (lambda world: world.rows['clusters'].clear(), 'lost', 'is gone'),
        (put('operations', state='RUNNING'), 'stuck', 'is RUNNING'),
        (put('operations', state='FAILED'), 'failed', 'create o1'),
        (put('clusters', status='UPDATE_IN_PROGRESS'), 'stuck', 'UPDATE_IN_PROGRESS'),
        (lambda world: world.rows['clusters'].append(world.rows['clusters'][0]), 'doubled', 'one'),
        (lambda world: world.stacks['p'].clear(), 'lost', 'not in Heat'),
        (
            lambda world: world.stacks['p'].append(stack(name='x')),
            'left over',
            'stack x is in Heat',
        ),
        (lambda world: world.stacks['p'].append(stack()), 'doubled', 'have the name one-a'),
        (stacks(status='UPDATE_FAILED'), 'failed', 'UPDATE_FAILED'),
        (stacks(clusters=()), 'lost', 'no tag of its cluster c1'),
        (stacks(clusters=('c9',)), 'left over', 'tag of cluster c9, not there'),
        (stacks(clusters=('c1', 'c9')), 'doubled', 'tags of 2 clusters'),
        (put('usages', in_use=2), 'lost', 'quota'),
        (servers({}), 'lost', 'cluster c1 has 0 servers'),
        (servers({('c1', 'g1'): 2}), 'left over', 'cluster c1 has 2 servers'),
        # As many as there should be in all, and yet wrong.
        (servers({('c1', 'g9'): 1}), 'lost', 'g1 of cluster c1 has 0 servers'),
        (servers({('c1', 'g1'): 1, ('c9', 'g9'): 1}), 'left over', 'cluster c9 has 1 servers'),
        (servers({('c1', 'g1'): 1, (None, None): 1}), 'left over', 'cluster None has 1 servers'),
        (put('secrets', ref='s9'), 'lost', 'certificate x1'),
        (put('secrets', cluster_id='c9'), 'left over', 'secrets has a row of cluster c9'),
        (lambda world: world.lent.clear(), 'lost', 'trust t1 of cluster c1'),
        (lambda world: world.lent.update({('trust', 't9'): 'm9'}), 'left over', 'trust t9 (m9)'),
        (
            lambda world: world.rows['ledger'][1].update(external_id=None),
            'stuck',
            'm1 of a request',
        ),
        (put('outbox', sent_at=None, uuid='n3'), 'stuck', 'not sent'),
        (put('outbox', uuid='n3'), 'lost', 'not heard'),
        (lambda world: world.heard.reverse(), 'doubled', 'out of order'),
    ],
)
def test_what_is_wrong_is_said(world, what, kind, words):
    found = after_storm(change(world, what), ANSWERS)
    assert any(kind == of and words in text for of, text in found), found


def test_a_deletion_without_an_answer_excuses_a_cluster_that_is_gone(world):
    answers = [*ANSWERS, Answer('p', 'delete', 'one', 'c1', None, None)]
    for table in ('clusters', 'nodegroups', 'certificates', 'secrets', 'ledger', 'usages'):
        world.rows[table].clear()
    world.stacks, world.servers, world.lent = {'p': []}, {}, {}
    assert after_storm(world, answers) == after_deletion(world) == []


@pytest.mark.parametrize('status', [500, 502])
def test_an_answer_that_nobody_foresaw_is_a_failure_and_503_is_none(world, status):
    answers = [*ANSWERS, Answer('p', 'list', '', None, 503, 'req-4')]
    assert after_storm(world, answers) == []
    answers.append(Answer('p', 'resize', 'one', 'c1', status, 'req-5'))
    assert after_storm(world, answers) == [
        ('failed', f'resize of one was answered {status} (req-5)')
    ]


def test_an_accepted_deletion_that_was_not_done_is_stuck(world):
    world.rows['operations'][0]['request_id'] = 'req-3'
    answers = [Answer('p', 'delete', 'one', 'c1', 204, 'req-3')]
    assert [kind for kind, _text in after_storm(world, answers)] == ['stuck']


def test_a_deletion_asked_for_twice_is_in_the_journal_once(world):
    world.rows['operations'].append(
        {**world.rows['operations'][0], 'kind': 'delete', 'request_id': 'req-3'}
    )
    answers = [Answer('p', 'delete', 'one', 'c1', 204, name) for name in ('req-3', 'req-4')]
    assert not any('in no journal' in text for _kind, text in after_storm(world, answers))


@pytest.mark.parametrize(
    ('first', 'group', 'lost'),
    [
        (('req-1', 204), 'g', 0),
        ((None, None), 'g', 0),
        (('req-3', 503), 'g', 0),
        (('req-3', 409), 'g', 1),
        (('req-1', 204), 'h', 1),
    ],
)
def test_a_deletion_of_a_group_asked_for_twice_is_in_the_journal_once(world, first, group, lost):
    request_id, status = first
    answers = [
        Answer('p', 'nodegroup_delete', 'one', 'c1', status, request_id, 'g'),
        Answer('p', 'nodegroup_delete', 'one', 'c1', 204, 'req-4', group),
    ]
    found = after_storm(world, answers)
    assert len([text for kind, text in found if 'in no journal' in text]) == lost


def test_whatever_is_there_after_the_deletion_is_left_over(world):
    texts = [text for kind, text in after_deletion(world) if kind == 'left over']
    for words in (
        'rows of clusters',
        'rows of nodegroups',
        'rows of secrets',
        'rows of certificates',
        'one-a in the ledger',
        'one-a (CREATE_COMPLETE) in Heat',
        '1 servers of node group g1',
        'm1 in the ledger',
    ):
        assert any(words in text for text in texts), words


@pytest.mark.parametrize('again_s', [104, 99 + DOUBLING_S])
def test_a_notification_heard_again_near_a_fault_is_counted_and_no_violation(world, again_s):
    world.heard.append(Heard('n1', again_s))
    world.doubling = [(10, 20), (90, 99)]
    assert after_storm(world, ANSWERS) == []
    assert doubles(world) == (['n1'], [])


@pytest.mark.parametrize('doubling', [[], [(10, 20)], [(200, 210)]])
def test_a_notification_heard_again_without_a_fault_is_a_violation(world, doubling):
    world.heard.append(Heard('n1', 104))
    world.doubling = doubling
    assert after_storm(world, ANSWERS) == [
        ('doubled', 'notification n1 was heard again, and nothing was hurt')
    ]
    assert doubles(world) == ([], ['n1'])


def test_what_a_stack_made_and_left_in_the_cloud_is_left_over():
    world = World({table: [] for table in TABLES}, cloud={'ports': 1, 'stack-users': 2})
    assert after_deletion(world) == [
        ('left over', '1 ports in the cloud'),
        ('left over', '2 stack-users in the cloud'),
    ]


@pytest.mark.parametrize(
    ('faults', 'struck', 'accepted', 'words'),
    [
        (['fault'], 1, 0, ['no request was accepted']),
        ([], 1, 1, ['no fault was made']),
        (['fault'], 0, 1, ['no fault of a door changed anything']),
        (
            [],
            0,
            0,
            ['no request was accepted', 'no fault was made', 'no fault of a door changed anything'],
        ),
        (['fault'], 1, 1, []),
    ],
)
def test_a_run_that_shows_nothing_is_said_to(faults, struck, accepted, words):
    found = nothing_shown(faults, {'heat': 0, 'api': struck}, {'accepted': accepted})
    assert found == [('void', text) for text in words]


def test_a_report_counts_each_kind():
    lines = list(report.lines([], {'heat': 3}, {'accepted': 2}, 5, [('lost', 'a'), ('lost', 'b')]))
    assert 'found: lost 2, stuck 0, failed 0, doubled 0, left over 0, void 0' in lines
    assert '  lost: b' in lines
    assert 'notifications that came again near a fault, as is allowed: 5' in lines
