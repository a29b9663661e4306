"""Labels: types by text, unknown ones, differences."""

import functools

import pytest

from magnum_lite.api import views
from magnum_lite.api.known_labels import KNOWN
from magnum_lite.exceptions import Invalid
from magnum_lite.objects import DriverVersion, labels

SCHEMA = {
    'type': 'object',
    'properties': {
        'size': {'type': 'integer', 'minimum': 1, 'maximum': 9},
        'on': {'type': 'boolean'},
        'ratio': {'type': 'number'},
        'net': {
            'type': 'string',
            'title': 'a network of /12 to /28',
            'pattern': '/1[2-9]|/2[0-8]',
            'default': '10.254.0.0/16',
        },
        'word': {'type': 'string', 'maxLength': 3, 'pattern': '^[a-z]*$', 'examples': ['abc']},
        'mode': {'type': 'string', 'enum': ['a', 'b']},
        'either': {'type': ['string', 'null']},
        'list': {'type': 'array', 'items': {'type': 'string'}},
    },
}
check = functools.partial(labels.check, known=KNOWN)


@pytest.mark.parametrize(
    'name, text, value',
    [
        ('size', '5', 5),
        ('size', ' 5 ', 5),
        ('on', 'True', True),
        ('on', 'off', False),
        ('ratio', '1.5', 1.5),
        ('word', 'abc', 'abc'),
        ('word', '', ''),
        ('mode', 'b', 'b'),
        ('list', '["x"]', ['x']),
    ],
)
def test_a_label_gets_the_type_of_the_schema(name, text, value):
    assert labels.typed({name: text, 'kube_tag': 'v1'}, SCHEMA) == {name: value}


@pytest.mark.parametrize(
    'name, text, accepted',
    [
        ('size', '0', 'an integer from 1 to 9'),
        ('size', 'x', 'an integer from 1 to 9'),
        ('size', '1.5', 'an integer'),
        ('on', 'maybe', 'a boolean'),
        ('ratio', '1,5', 'a number'),
        ('word', 'abcd', 'a string of at most 3 characters such as abc is expected, not "abcd"'),
        ('word', 'ab\n', 'a string of at most 3 characters such as abc'),
        ('word', 'A', 'a string of at most 3 characters such as abc'),
        (
            'net',
            '10.0.0.0/30',
            'a network of /12 to /28 such as 10.254.0.0/16 is expected, not "10.',
        ),
        ('mode', 'c', 'one of a, b'),
        ('list', '{}', 'a list in JSON'),
        ('list', '[' * 50_000, 'a list in JSON'),
    ],
)
def test_an_ill_typed_label_is_refused_with_what_is_accepted(name, text, accepted):
    with pytest.raises(Invalid) as error:
        check({name: text}, SCHEMA)
    assert str(error.value).startswith(f'Invalid input for labels.{name}: {accepted}')


def test_an_unknown_label_is_refused_with_the_nearest_one():
    with pytest.raises(Invalid, match='did you mean kube_tag?'):
        check({'kubetag': 'x'}, SCHEMA)
    with pytest.raises(Invalid, match='did you mean mode?'):
        check({'modes': 'x'}, SCHEMA)
    check({'kubetag': 'x'}, SCHEMA, accept_unknown=True)


def test_what_the_service_reads_itself_is_a_number_whatever_the_driver():
    with pytest.raises(Invalid, match='boot_volume_size'):
        check({'boot_volume_size': 'big'}, SCHEMA)
    assert labels.number({'boot_volume_size': '10'}, 'boot_volume_size') == 10
    assert labels.number({}, 'boot_volume_size') is None


def test_labels_replace_the_parents_or_lie_over_them():
    parent = {'a': '1', 'b': '2'}
    assert labels.merged({'b': '3'}, parent, over=False) == {'b': '3'}
    assert labels.merged({'b': '3'}, parent, over=True) == {'a': '1', 'b': '3'}
    assert labels.merged({}, parent, over=False) == parent
    assert labels.merged(None, parent, over=False) == parent


def test_differences_tell_the_parents_value_of_what_differs():
    assert views.difference({'a': '1', 'b': '3', 'd': '4'}, {'a': '1', 'b': '2', 'c': '9'}) == {
        'labels_overridden': {'b': '2'},
        'labels_added': {'d': '4'},
        'labels_skipped': {'c': '9'},
    }


@pytest.mark.parametrize(
    ('name', 'meant'), [('kubetag', 'kube_tag'), ('sizes', 'size'), ('kube_tagg', 'kube_tag')]
)
def test_a_near_name_is_suggested(name, meant):
    with pytest.raises(Invalid, match=f'did you mean {meant}\\?$'):
        check({name: 'x'}, SCHEMA)


@pytest.mark.parametrize('name', ['rocket', 'flavour', 'colour_of_nodes', 'x' * 300, ''])
def test_no_name_is_suggested_that_is_not_near(name):
    with pytest.raises(Invalid, match='the driver knows no such label$'):
        check({name: 'x'}, SCHEMA)


CIDRS = {
    'type': 'object',
    'properties': {
        'fixed_subnet_cidr': {'type': 'string', 'pattern': '^[0-9./]+$', 'default': '10.0.0.0/24'},
        'master_lb_allowed_cidrs': {
            'type': 'string',
            'pattern': '^[0-9./]+(,[0-9./]+)*$',
            'examples': ['192.0.2.0/24'],
        },
        'kube_tag': {
            'type': 'string',
            'pattern': r'^v[0-9]+\.[0-9]+\.[0-9]+$',
            'examples': ['v1.36.2'],
        },
    },
}


@pytest.mark.parametrize(
    ('given', 'understood'),
    [
        ({'fixed_network_cidr': '10.1.0.0/16'}, {'fixed_subnet_cidr': '10.1.0.0/16'}),
        (
            {'fixed_network_cidr': '10.1.0.0/16', 'fixed_subnet_cidr': '10.2.0.0/16'},
            {'fixed_subnet_cidr': '10.2.0.0/16'},
        ),
        (
            {'api_master_lb_allowed_cidrs': '192.0.2.0/24;198.51.100.7/32'},
            {'master_lb_allowed_cidrs': '192.0.2.0/24,198.51.100.7/32'},
        ),
        (
            {'api_master_lb_allowed_cidrs': '192.0.2.0/24, 198.51.100.7/32'},
            {'master_lb_allowed_cidrs': '192.0.2.0/24,198.51.100.7/32'},
        ),
        ({'api_master_lb_allowed_cidrs': ''}, {}),
        ({'kube_tag': '1.36.2'}, {'kube_tag': 'v1.36.2'}),
        ({'kube_tag': 'v1.36.2'}, {'kube_tag': 'v1.36.2'}),
    ],
)
def test_what_others_call_it_means_the_same(given, understood):
    check(given, CIDRS)
    assert labels.typed(given, CIDRS) == understood


def test_another_name_is_judged_as_the_drivers_own():
    with pytest.raises(Invalid, match='labels.fixed_network_cidr: a string such as 10.0.0.0/24'):
        check({'fixed_network_cidr': 'big'}, CIDRS)
    with pytest.raises(Invalid, match='a string such as v1.36.2 is expected, not "1.36"'):
        check({'kube_tag': '1.36'}, CIDRS)
    plain = {'properties': {'kube_tag': {'type': 'string'}}}
    assert labels.typed({'kube_tag': '1.36'}, plain) == {'kube_tag': '1.36'}


def test_a_driver_version_of_release_1_0_takes_its_own_names_and_spellings_only():
    """Conductors of that release know no others, and its clusters were built without them."""
    given = {'fixed_network_cidr': '10.1.0.0/16'}
    assert check(given, CIDRS, literal=True) == ['fixed_network_cidr']
    assert labels.typed(given, CIDRS, literal=True) == {}
    with pytest.raises(Invalid, match='a string such as v1.36.2 is expected, not "1.36.2"'):
        check({'kube_tag': '1.36.2'}, CIDRS, literal=True)
    assert labels.is_literal(DriverVersion(limits=None))
    assert not labels.is_literal(DriverVersion(limits={}))


# What Horizon's dialog sends, and what templates of the drivers for Cluster API have.
SENT = """
auto_scaling_enabled auto_healing_enabled master_lb_floating_ip_enabled api_master_lb_allowed_cidrs
min_node_count max_node_count etcd_volume_size etcd_blockdevice_volume_type monitoring_enabled
etcd_blockdevice_size etcd_blockdevice_type etcd_blockdevice_volume_az extra_network_name
extra_network_names kube_dashboard_enabled keystone_auth_enabled octavia_provider
octavia_lb_algorithm octavia_lb_healthcheck csi_cinder_reclaim_policy csi_cinder_fstype
capi_helm_chart_version boot_volume_size boot_volume_type boot_volume_availability_zone
server_group_policies different_failure_domain audit_log_enabled oidc_issuer_url cilium_tag
manila_csi_plugin_tag api_server_cert_sans kubelet_serving_tls_enabled fixed_subnet_cidr
fixed_network_cidr availability_zone ingress_controller
""".split()


def test_labels_that_live_clients_send_are_accepted_and_what_is_ignored_is_told():
    given = dict.fromkeys(SENT, '1')
    ignored = check(given, SCHEMA)
    assert set(ignored) == set(SENT) - {'boot_volume_size', 'min_node_count', 'max_node_count'}
    assert check(
        {'size': '1', 'kube_tag': 'x', 'example.org/a': 'b'}, SCHEMA, accept_prefixed=True
    ) == ['kube_tag']
    assert check({'own': 'x'}, SCHEMA, accept_unknown=True) == ['own']


IDLE = {
    'properties': {
        'size': {'type': 'integer', 'minimum': 0},
        'on': {'type': 'boolean'},
        'kind': {'type': 'string', 'only_with': {'size': True}},
        'tag': {'type': 'string', 'only_with': {'network_driver': ['a', 'b'], 'on': True}},
        'fixed_subnet_cidr': {'type': 'string', 'only_with': {'fixed_network': False}},
    }
}


@pytest.mark.parametrize(
    ('given', 'around', 'told'),
    [
        ({'kind': 'x', 'size': '3'}, {'size': 0}, {}),
        ({'kind': 'x'}, {'size': 3}, {}),
        ({'kind': 'x'}, {'size': 0}, {'kind': 'only with size'}),
        ({'kind': 'x', 'size': '0'}, {'size': 3}, {'kind': 'only with size'}),
        ({'kind': ''}, {'size': 0}, {}),  # not given
        ({'kind': 'x'}, {}, {}),  # not known
        ({'tag': 'x', 'on': 'yes'}, {'network_driver': 'b'}, {}),
        (
            {'tag': 'x', 'on': 'yes'},
            {'network_driver': 'c'},
            {'tag': 'only with network_driver a or b'},
        ),
        ({'tag': 'x', 'on': 'no'}, {'network_driver': 'a'}, {'tag': 'only with on'}),
        (
            {'fixed_network_cidr': 'x'},
            {'fixed_network': 'private'},
            {'fixed_network_cidr': 'only without fixed_network'},
        ),
        ({'fixed_network_cidr': 'x'}, {'fixed_network': None}, {}),
    ],
)
def test_a_label_that_changes_nothing_is_found_by_what_its_schema_says(given, around, told):
    assert labels.idle(given, DriverVersion(limits={}, config_schema=IDLE), around) == told


def test_a_sentence_tells_what_is_ignored_and_what_has_no_effect():
    both = labels.sentence('acme', ['a', 'b'], {'c': 'only with d', 'e': 'only without f'})
    assert both == (
        'Ignored, since driver acme has no such labels: a, b. '
        'Without effect: c (only with d), e (only without f)'
    )
    assert labels.sentence('acme', [], {'c': 'only with d'}) == 'Without effect: c (only with d)'
    assert labels.sentence('acme', [], {}) == ''
