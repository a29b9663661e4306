"""What a Resource accepts and how it shows; input that gabbi files do not reach."""

import datetime
from types import SimpleNamespace

import pytest
import yaml

from magnum_lite.api import schema
from magnum_lite.exceptions import BadRequest, Invalid
from magnum_lite.objects import RESOURCES, Cluster, ClusterTemplate, Operation
from magnum_lite.objects.fields import (
    Boolean,
    Enum,
    Integer,
    String,
    StringList,
    StringMap,
    Text,
    Uuid,
)

NEW, OLD = (1, 14), (1, 12)


@pytest.mark.parametrize(
    'name',
    [
        *(
            spelt
            for word in ('y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null')
            for spelt in (word, word.title(), word.upper())
        ),
        'yEs',
        'e5',
        'nan',
        'inf',
        'yes-1',
        'null.',
        'A',
        'Nu',
        'ON1',
        'x1e5',
    ],
)
def test_the_name_of_a_cluster_is_text_to_clients_that_write_it_into_yaml(name):
    # PyYAML leaves y and n alone, which the reader of kubectl takes for truths.
    is_text = isinstance(yaml.safe_load(name), str) and name.lower() not in ('y', 'n')
    body = {'cluster_template_id': 't', 'name': name}
    if is_text:
        assert schema.create(Cluster, body, NEW)['name'] == name
    else:
        with pytest.raises(Invalid, match='no word of YAML'):
            schema.create(Cluster, body, NEW)


@pytest.mark.parametrize(
    'kind, given, taken',
    [
        (Integer(), '3', 3),
        (Integer(), 3.0, 3),
        (Integer(), True, 1),
        (Integer(min=0), 0, 0),
        (Boolean(), 'Yes', True),
        (Boolean(), 0, False),
        (Boolean(), 'F', False),
        (String(), 'é', 'é'),
        (Enum('a', 'b'), 'b', 'b'),
        (Uuid(), 'a name', 'a name'),
        (Text(), 'x' * 10_000, 'x' * 10_000),
        (StringMap(), {'a': True, 'b': 5, 'c': 1.5}, {'a': 'True', 'b': '5', 'c': '1.5'}),
        (StringMap(strict=True), {'a': 'b'}, {'a': 'b'}),
        (StringList(), ['a'], ['a']),
    ],
)
def test_types_take_what_clients_send(kind, given, taken):
    accepted = kind.accept(given)
    assert accepted == taken and type(accepted) is type(taken)


@pytest.mark.parametrize(
    'kind, given',
    [
        (Integer(), 'x'),
        (Integer(), ''),
        (Integer(), 1.5),
        (Integer(), None),
        (Integer(), []),
        (Integer(), 2**31),
        (Integer(min=1), 0),
        (Integer(), float('inf')),
        (Integer(), float('nan')),
        (Boolean(), 'maybe'),
        (Boolean(), ''),
        (Boolean(), 2),
        (Boolean(), []),
        (Boolean(), 1.0),
        (String(min=1), ''),
        (String(max=2), 'abc'),
        (String(), 5),
        (String(pattern='^a$'), 'b'),
        (String(), 'a\0'),
        (String(), '\ud800'),
        (Enum('a'), 'A'),
        (Enum('a'), []),
        (Uuid(), ''),
        (StringMap(), {'a': None}),
        (StringMap(), {'a': []}),
        (StringMap(), []),
        (StringMap(), {'a' * 256: 'b'}),
        (StringMap(), {'a': 'b' * 4097}),
        (StringMap(), {'a': '\0'}),
        (StringMap(strict=True), {'a': 1}),
        (StringList(), ['a', 1]),
        (StringList(), 'a'),
    ],
)
def test_types_refuse_the_rest(kind, given):
    with pytest.raises(ValueError):
        kind.accept(given)


def test_null_is_absent():
    given = schema.create(Cluster, {'cluster_template_id': 't', 'name': None, 'labels': None}, NEW)
    assert given == {'cluster_template_id': 't'}
    with pytest.raises(Invalid, match='cluster_template_id: the attribute is mandatory'):
        schema.create(Cluster, {'cluster_template_id': None}, NEW)


def test_what_blank_means():
    blank = {'network_driver': '', 'volume_driver': '', 'coe': 'k', 'image_id': 'i'}
    assert schema.create(ClusterTemplate, blank, NEW) == {'coe': 'k', 'image_id': 'i'}
    with pytest.raises(Invalid, match='keypair_id'):
        schema.create(ClusterTemplate, {**blank, 'keypair_id': ''}, NEW)


@pytest.mark.parametrize('body', [[], None, 'x', 5, True])
def test_a_body_is_an_object(body):
    with pytest.raises(BadRequest):
        schema.create(Cluster, body, NEW)


def test_an_attribute_of_a_later_version_is_unknown():
    with pytest.raises(Invalid, match='cluster_id: unknown attribute'):
        schema.create(Cluster, {'cluster_id': 'x'}, OLD)
    with pytest.raises(Invalid, match='cluster_id: the attribute is read-only'):
        schema.create(Cluster, {'cluster_id': 'x'}, NEW)


def row(resource):
    """What looks like a row with nothing in it, but for its times."""
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5)  # as rows have it: without a zone
    return SimpleNamespace(**{**dict.fromkeys(resource.fields), 'created_at': moment})


def test_internal_fields_never_show():
    for resource in RESOURCES:
        document = schema.view(resource, row(resource), NEW)
        internal = {name for name, field in resource.fields.items() if not field.exposure.since}
        assert not internal & document.keys()
    assert 'identity' in Operation.fields and 'ssh_public_key' in Cluster.fields


def test_times_have_an_offset():
    document = schema.view(Cluster, row(Cluster), NEW)
    assert document['created_at'] == '2026-01-02T03:04:05+00:00'
    assert document['updated_at'] is None


def test_computed_attributes_show_from_their_version_on():
    assert schema.view(Cluster, row(Cluster), NEW, cluster_id='x')['cluster_id'] == 'x'
    assert 'cluster_id' not in schema.view(Cluster, row(Cluster), OLD, cluster_id='x')


def test_invented_names_are_names():
    for _ in range(50):
        name = schema.made_up_name('cluster')
        assert Cluster.fields['name'].kind.accept(name) == name


@pytest.mark.parametrize(
    ('name', 'told'),
    [
        ('nodecount', 'unknown attribute, did you mean node_count?'),
        ('master_flavour_id', 'unknown attribute, did you mean master_flavor_id?'),
        ('rocket', 'unknown attribute'),
        ('api_adress', 'unknown attribute'),
    ],
)
def test_an_unknown_attribute_is_answered_with_a_near_one_that_may_be_given(name, told):
    with pytest.raises(Invalid) as error:
        schema.create(Cluster, {'cluster_template_id': 't', name: 1}, NEW)
    assert str(error.value) == f'Invalid input for {name}: {told}'
