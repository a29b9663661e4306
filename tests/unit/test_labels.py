"""Labels: types by text, unknown ones, differences."""

import pytest

from magnum_lite.exceptions import Invalid
from magnum_lite.objects import labels

SCHEMA = {'type': 'object', 'properties': {
    'size': {'type': 'integer', 'minimum': 1, 'maximum': 9},
    'on': {'type': 'boolean'},
    'ratio': {'type': 'number'},
    'word': {'type': 'string', 'maxLength': 3, 'pattern': '^[a-z]*$',
             'examples': ['abc']},
    'mode': {'type': 'string', 'enum': ['a', 'b']},
    'either': {'type': ['string', 'null']},
    'list': {'type': 'array', 'items': {'type': 'string'}}}}


@pytest.mark.parametrize('name, text, value', [
    ('size', '5', 5), ('size', ' 5 ', 5), ('on', 'True', True), ('on', 'off', False),
    ('ratio', '1.5', 1.5), ('word', 'abc', 'abc'), ('word', '', ''), ('mode', 'b', 'b'),
    ('list', '["x"]', ['x'])])
def test_a_label_gets_the_type_of_the_schema(name, text, value):
    assert labels.typed({name: text, 'kube_tag': 'v1'}, SCHEMA) == {name: value}


@pytest.mark.parametrize('name, text, accepted', [
    ('size', '0', 'an integer from 1 to 9'), ('size', 'x', 'an integer from 1 to 9'),
    ('size', '1.5', 'an integer'), ('on', 'maybe', 'a boolean'), ('ratio', '1,5', 'a number'),
    ('word', 'abcd', 'a string of at most 3 characters such as abc is expected, not "abcd"'),
    ('word', 'A', 'a string of at most 3 characters such as abc'),
    ('mode', 'c', 'one of a, b'), ('list', '{}', 'a list in JSON'),
    ('list', '[' * 50_000, 'a list in JSON')])
def test_an_ill_typed_label_is_refused_with_what_is_accepted(name, text, accepted):
    with pytest.raises(Invalid) as error:
        labels.check({name: text}, SCHEMA)
    assert str(error.value).startswith(f'Invalid input for labels.{name}: {accepted}')


def test_an_unknown_label_is_refused_with_the_nearest_one():
    with pytest.raises(Invalid, match='did you mean kube_tag?'):
        labels.check({'kubetag': 'x'}, SCHEMA)
    with pytest.raises(Invalid, match='did you mean mode?'):
        labels.check({'modes': 'x'}, SCHEMA)
    labels.check({'kubetag': 'x'}, SCHEMA, accept_unknown=True)




def test_what_the_service_reads_itself_is_a_number_whatever_the_driver():
    with pytest.raises(Invalid, match='boot_volume_size'):
        labels.check({'boot_volume_size': 'big'}, SCHEMA)
    assert labels.number({'boot_volume_size': '10'}, 'boot_volume_size') == 10
    assert labels.number({}, 'boot_volume_size') is None


def test_labels_replace_the_parents_or_lie_over_them():
    parent = {'a': '1', 'b': '2'}
    assert labels.merged({'b': '3'}, parent, over=False) == {'b': '3'}
    assert labels.merged({'b': '3'}, parent, over=True) == {'a': '1', 'b': '3'}
    assert labels.merged({}, parent, over=False) == parent
    assert labels.merged(None, parent, over=False) == parent


def test_differences_tell_the_parents_value_of_what_differs():
    assert labels.difference({'a': '1', 'b': '3', 'd': '4'}, {'a': '1', 'b': '2', 'c': '9'}) == {
        'labels_overridden': {'b': '2'}, 'labels_added': {'d': '4'}, 'labels_skipped': {'c': '9'}}
