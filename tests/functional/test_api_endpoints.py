"""The table of endpoints: each is guarded, each rule exists, none hides another."""

import collections
import re
from pathlib import Path

import pytest

from magnum_lite import policy
from magnum_lite.api import controllers
from magnum_lite.api.endpoint import ENDPOINTS
from magnum_lite.api.microversion import RANGE, VERSIONS, number

GUARDED = [known for known in ENDPOINTS if known.rule]
BODIES = {
    ('POST', '/clusters'): {'cluster_template_id': 'small'},
    ('POST', '/clustertemplates'): {'coe': 'kubernetes', 'image_id': 'debian-13'},
    ('POST', '/certificates'): {'cluster_uuid': 'c1', 'csr': 'x'},
    ('POST', '/clusters/{cluster}/actions/resize'): {'node_count': 1},
    ('POST', '/clusters/{cluster}/nodegroups'): {'name': 'x'},
    ('POST', '/clusters/{cluster}/actions/upgrade'): {'cluster_template': 'small'},
    ('PATCH', '/clusters/{cluster}/nodegroups/{nodegroup}'): [],
    ('POST', '/federations'): {},
    ('POST', '/quotas'): {'project_id': 'red'},
    ('PATCH', '/quotas/{project}/{resource}'): {},
    ('PATCH', '/federations/{federation}'): [],
    ('PATCH', '/clusters/{cluster}'): [],
    ('PATCH', '/clustertemplates/{template}'): [],
}


def test_every_module_of_endpoints_has_some():
    assert {known.handler.__module__.rpartition('.')[2] for known in ENDPOINTS} == set(
        controllers.__all__
    )


def test_only_discovery_and_the_place_where_nodes_enrol_are_public():
    assert {known.path for known in ENDPOINTS if not known.rule} == {
        '/',
        '/v1',
        '/openapi.json',
        '/enrolments',
        '/enrolments/reports',
    }


def test_rules_of_endpoints_exist():
    rules = {rule.name for rule in policy.list_rules()}
    asked = {rule for known in GUARDED for rule in (known.rule, known.everywhere) if rule}
    assert asked <= rules


def test_every_rule_is_asked_for_something_or_is_part_of_others():
    asked = {rule for known in GUARDED for rule in (known.rule, known.everywhere)}
    asked |= {
        rule
        for path in Path(controllers.__file__).parent.glob('*.py')
        for rule in re.findall(r"\.can\('([\w:]+)'\)", path.read_text())
    }
    parts = {rule.name for rule in policy.BLOCKS}
    assert {rule.name for rule in policy.list_rules()} - parts - asked == set()


def test_no_endpoint_is_said_twice():
    count = collections.Counter((known.method, known.path) for known in ENDPOINTS)
    assert [place for place, times in count.items() if times > 1] == []


def test_versions_are_in_order_and_each_says_what_it_brought():
    numbers = [number(text) for text, _ in VERSIONS]
    assert numbers == sorted(set(numbers)) and (numbers[0], numbers[-1]) == RANGE
    assert all(sentence.endswith('.') for _, sentence in VERSIONS)
    assert all(RANGE[0] <= known.since <= RANGE[1] for known in ENDPOINTS)


@pytest.mark.parametrize('known', GUARDED, ids=lambda known: f'{known.method} {known.path}')
def test_who_has_no_role_may_do_nothing(api, known):
    template = api.template()
    cluster = api.cluster(template)
    operation = api.ok('GET', f'/v1/clusters/{cluster}/operations')['operations'][0]['uuid']
    path = '/v1' + known.path.format(
        template=template,
        cluster=cluster,
        operation=operation,
        nodegroup='default-worker',
        driver='kubernetes',
        project='red',
        resource='Cluster',
        federation='any',
    )
    error = api.refused(
        403, known.method, path, BODIES.get((known.method, known.path)), token='alice:red:none'
    )
    assert error['title'] == f'Policy does not allow {known.rule}'
