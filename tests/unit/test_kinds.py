"""The table of kinds, and that nothing beside it decides by a kind's name."""

import re
from pathlib import Path

import pytest

import magnum_lite
from magnum_lite.objects import kinds
from magnum_lite.objects.statuses import STABLE, STATUSES

BY_NAME = re.compile(
    rf"\bkind\b.*(?:==|!=|\bin\b).*['\"](?:{'|'.join(kinds.KINDS)})['\"]"
    r'|\bkind\.startswith\(.nodegroup'
)


def test_the_words_of_a_status_are_ones_that_clients_know():
    for kind in kinds.TABLE.values():
        for phase in (kind.phase, kind.cluster_phase):
            assert {f'{phase}_{state}' for state in ('IN_PROGRESS', 'COMPLETE', 'FAILED')} <= set(
                STATUSES
            )
        assert set(kind.statuses) <= set(STATUSES)


@pytest.mark.parametrize(
    ('status', 'accepts'),
    [
        ('CREATE_IN_PROGRESS', {'delete'}),
        (
            'UPDATE_IN_PROGRESS',
            {'delete', 'resize', 'nodegroup_create', 'nodegroup_update', 'nodegroup_delete'},
        ),
        ('DELETE_IN_PROGRESS', set()),
        ('DELETE_FAILED', {'delete'}),
        *(
            (
                status,
                {
                    'delete',
                    'update',
                    'resize',
                    'nodegroup_create',
                    'nodegroup_update',
                    'nodegroup_delete',
                    'rotate_credentials',
                },
            )
            for status in ('CREATE_FAILED', 'UPDATE_FAILED', 'ROLLBACK_FAILED', 'RESUME_FAILED')
        ),
        *((status, set(kinds.KINDS) - {'create', 'rollback'}) for status in STABLE),
    ],
)
def test_what_is_accepted_in_a_status(status, accepts):
    assert {kind.name for kind in kinds.TABLE.values() if status in kind.statuses} == accepts


def test_a_kind_of_a_later_release_is_taken_for_a_change():
    later = kinds.TABLE['heal']
    assert (later.name, later.phase, later.statuses) == ('heal', 'UPDATE', ())
    assert later.name not in kinds.KINDS


def test_new_credentials_of_nodes_are_an_update():
    kind, option = kinds.TABLE['rotate_credentials'], 'application_credential'
    assert kind.lacking([], []) is None and kind.lacking(['update'], [option]) is None
    assert kind.lacking([option], [option]) == 'new credentials of its nodes'


def test_code_asks_the_table():
    root = Path(magnum_lite.__file__).parent
    asking = {
        path.relative_to(root).as_posix(): BY_NAME.findall(path.read_text())
        for path in root.rglob('*.py')
    }
    assert len(asking) > 100 and not {path: found for path, found in asking.items() if found}
