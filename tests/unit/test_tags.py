"""The tags of stacks: what is written is read again, and nobody else knows how."""

import ast
import pathlib

import magnum_lite
from magnum_lite.driver_sdk import StackView, tags

HOME = pathlib.Path(magnum_lite.__file__).parent
GRAMMAR = ('cluster:', 'plan:', 'attempt:', 'mends:')


def test_what_is_written_is_read_again():
    given = [*tags.of_stack('c', 'd' * 32, 'a'), *tags.of_mends(['x/0', 'handle'])]
    view = StackView('i', 'n', 'CREATE_COMPLETE', tags=frozenset(given))
    assert (view.cluster, view.digest, view.attempt) == ('c', 'd' * 32, 'a')
    assert tags.mends(given) == ['x/0', 'handle']
    assert tags.OURS in given and tags.of_cluster('c') in given


def test_another_attempt_takes_the_place_of_the_one_before():
    given = tags.with_attempt(tags.of_stack('c', 'd', 'a'), 'b')
    assert (tags.attempt(given), len(given)) == ('b', 4)


def test_a_stack_of_somebody_else_says_nothing():
    view = StackView('i', 'n', 'CREATE_COMPLETE', tags=frozenset({'other', 'clusters'}))
    assert (view.cluster, view.digest, view.attempt) == (None, None, None)


def test_the_grammar_of_tags_stands_in_one_module():
    # In the API and its policy the first is a word of rules.
    places = [path for path in HOME.rglob('*.py') if not {'api', 'policy.py'} & set(path.parts)]
    found = {
        path.name
        for path in places
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(GRAMMAR)
    }
    assert found == {'tags.py'}
