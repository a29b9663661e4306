"""JSON-Patch: what steps change."""

import pytest

from magnum_lite.api import patch
from magnum_lite.exceptions import BadRequest, Invalid
from magnum_lite.objects import ClusterTemplate

NEW = (1, 14)
NOW = {
    'name': 'a',
    'labels': {'kube_tag': 'v1'},
    'tags': None,
    'public': True,
    'coe': 'k',
    'docker_volume_size': 3,
    'uuid': 'u',
    'network_driver': 'flannel',
}


def changes(*steps, **more):
    """The changes that ``(op, path, value)`` make of ``NOW``."""
    body = [dict(zip(('op', 'path', 'value'), step, strict=False)) for step in steps]
    return patch.changes(ClusterTemplate, NOW, patch.parse(body), NEW, **more)


@pytest.mark.parametrize(
    'step, changed',
    [
        (('replace', '/name', 'b'), {'name': 'b'}),
        (('replace', '/name', 'a'), {}),
        (('add', '/tags', 'x'), {'tags': 'x'}),
        (('remove', '/docker_volume_size'), {'docker_volume_size': None}),
        (('replace', '/docker_volume_size', None), {'docker_volume_size': None}),
        (('replace', '/docker_volume_size', '4'), {'docker_volume_size': 4}),
        (('remove', '/public'), {'public': False}),
        (('replace', '/public', 'false'), {'public': False}),
        (('remove', '/tags'), {}),
        (('remove', '/labels'), {'labels': {}}),
        (('add', '/labels/a-b', 5), {'labels': {'kube_tag': 'v1', 'a-b': '5'}}),
        (('add', '/labels/kube_tag', 'v2'), {'labels': {'kube_tag': 'v2'}}),
        (('remove', '/labels/kube_tag'), {'labels': {}}),
        (('replace', '/labels/kube_tag', None), {'labels': {}}),
        (('replace', '/labels', "{'a': '1', 'b': True}"), {'labels': {'a': '1', 'b': 'True'}}),
        (('replace', '/labels', '{"a": true}'), {'labels': {'a': 'True'}}),
        (('replace', '/labels', {'a': 1}), {'labels': {'a': '1'}}),
        (('replace', '/network_driver', ''), {'network_driver': None}),
    ],
)
def test_a_step_changes(step, changed):
    assert changes(step) == changed


def test_steps_build_on_each_other_and_leave_what_they_started_from():
    before = {**NOW, 'labels': dict(NOW['labels'])}
    assert changes(
        ('remove', '/labels/kube_tag'),
        ('add', '/labels/x', 'y'),
        ('remove', '/tags'),
        ('add', '/tags', 'z'),
    ) == {'labels': {'x': 'y'}, 'tags': 'z'}
    assert before == NOW


@pytest.mark.parametrize(
    'step',
    [
        ('replace', '/uuid', 'x'),
        ('remove', '/coe'),
        ('add', '/name', 'x'),
        ('replace', '/foo', 'x'),
        ('replace', '/user_id', 'x'),
        ('replace', '/labels/x', 'y'),
        ('remove', '/labels/x'),
        ('add', '/name/x', 'y'),
        ('add', '/labels/x', []),
        ('replace', '/labels', '[1]'),
        ('replace', '/labels', 'dict()'),
        ('replace', '/labels', '{' * 20_000),
        ('replace', '/labels', '-' * 70_000),
        ('replace', '/name', ['x']),
        ('replace', '/docker_volume_size', 'x'),
        ('replace', '/docker_volume_size', '0'),
        ('replace', '/links', 'x'),
        ('add', '/tags', '\0'),
    ],
)
def test_a_step_is_refused(step):
    with pytest.raises(Invalid) as error:
        changes(step, fixed=('coe',))
    assert 'internal' not in str(error.value)


@pytest.mark.parametrize(
    'body',
    [
        {},
        None,
        'x',
        [1],
        [None],
        [[]],
        [{}],
        [{'op': 'add'}],
        [{'path': '/name'}],
        [{'op': 'move', 'path': '/a', 'value': 'x'}],
        [{'op': 'replace', 'path': '/a'}],
        [{'op': 'add', 'path': '/a', 'value': None}],
        [{'op': 'add', 'path': '/a', 'value': 1.5}],
        [{'op': 'add', 'path': 'a', 'value': 'x'}],
        [{'op': 'add', 'path': '/', 'value': 'x'}],
        [{'op': 'add', 'path': '/a/', 'value': 'x'}],
        [{'op': 'add', 'path': '/a\n', 'value': 'x'}],
        [{'op': 'add', 'path': '/a.b', 'value': 'x'}],
        [{'op': [], 'path': {}, 'value': 'x'}],
        [{'op': 'remove', 'path': '/a', 'from': '/b'}],
    ],
)
def test_what_is_no_patch_is_refused(body):
    with pytest.raises(BadRequest):
        patch.parse(body)


def test_an_unknown_attribute_is_answered_with_a_near_one():
    with pytest.raises(Invalid, match='for coee: unknown attribute, did you mean coe\\?$'):
        changes(('replace', '/coee', 'x'))
    with pytest.raises(Invalid, match='for rocket: unknown attribute$'):
        changes(('replace', '/rocket', 'x'))


@pytest.mark.parametrize(
    'step, named',
    [
        (('replace', '/labels/x', 'y'), 'labels.x'),
        (('add', '/labels/a', []), 'labels.a'),
        (('replace', '/docker_volume_size', 'x'), 'docker_volume_size'),
        (('remove', '/coe'), 'coe'),
        (('replace', '/labels', '[1]'), 'labels'),
        (('replace', '/uuid', 'x'), 'uuid'),
    ],
)
def test_a_refusal_names_the_attribute_as_all_others_do(step, named):
    with pytest.raises(Invalid, match=f'^Invalid input for {named}: '):
        changes(step, fixed=('coe',))


@pytest.mark.parametrize(
    'body, named',
    [
        ({'op': 'add', 'path': '/labels/x'}, 'labels.x'),
        ({'op': 'add', 'path': '/labels/x', 'value': 1.5}, 'labels.x'),
        ({'op': 'replace', 'path': '/name'}, 'name'),
    ],
)
def test_a_step_without_a_fit_value_names_it_so_too(body, named):
    with pytest.raises(Invalid, match=f'^Invalid input for {named}: '):
        patch.parse([body])
