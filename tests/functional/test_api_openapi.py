"""The real service does as its OpenAPI document says, whatever the document lets clients send.

The cloud does not answer, which lets requests in.
"""

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, strategies
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from magnum_lite.api import openapi
from tests import fixtures
from tests.functional.authorities import csr, write_authorities

HEADERS = {'X-Auth-Token': 'root:red:admin,member,reader'}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = [
    (path, method) for path, methods in openapi.document('')['paths'].items() for method in methods
]
# Meant before any with a variable, as OpenAPI has it: /clusters/detail is no cluster.
CONSTANT = {path for path, _ in OPERATIONS if '{' not in path}
# Whether a server is a node only the cloud can say, so its silence is a 503 there.
NEEDS_THE_CLOUD = {'/v1/enrolments'}
EXAMPLES = 12  # of what the document allows, and as many of what it does not


@pytest.fixture(scope='module')
def running(tmp_path_factory):
    """The service, and ``{variable of a path, or attribute of a body: what exists}``."""
    conf = fixtures.make_conf(tmp_path_factory.mktemp('openapi'), api={'cluster_quota': 1000})
    with fixtures.service(conf) as api:
        template = api.template()
        cluster = api.cluster(template)
        api.settle(cluster)
        operation = api.ok('GET', f'/v1/clusters/{cluster}/operations')['operations'][0]['uuid']
        api.db.write(write_authorities, api.application.service.vault, cluster)
        yield (
            api,
            {
                'template': template,
                'cluster': cluster,
                'nodegroup': 'default-worker',
                'operation': operation,
                'driver': 'kubernetes',
                'project': 'red',
                'resource': 'Cluster',
                'cluster_template_id': template,
                'cluster_template': template,
                'cluster_uuid': cluster,
                'csr': csr(),
                'coe': 'kubernetes',
                'labels': {},
                'network_driver': 'flannel',
            },
        )
    fixtures.forget_conf()


@pytest.fixture(scope='module')
def described(running):
    """The document as the service hands it out, for calls to that service."""
    application = running[0].application

    def from_here(environ, start_response):
        return application({**environ, 'REMOTE_ADDR': '127.0.0.1'}, start_response)

    return schemathesis.openapi.from_wsgi('/v1/openapi.json', from_here)


@pytest.mark.parametrize('mode', list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize('path, method', OPERATIONS, ids=lambda word: word)
def test_answers_are_as_the_document_says(running, described, path, method, mode):
    places = running[1]

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(
        case=described[path][method].as_strategy(generation_mode=mode),
        is_real=strategies.booleans(),
    )
    def ask(case, is_real):
        if is_real:
            _name_what_exists(case, places)
        hypothesis.assume('{' not in path or case.formatted_path not in CONSTANT)
        answer = case.call(headers=HEADERS)
        is_silence = path in NEEDS_THE_CLOUD and answer.status_code == 503
        case.validate_response(answer, checks=CHECKS[1:] if is_silence else CHECKS)

    ask()


def _name_what_exists(case, places):
    """Let a case mean things that there are: made-up names never hit one."""
    for given in (case.path_parameters, case.body):
        if isinstance(given, dict):
            given.update({name: value for name, value in places.items() if name in given})
