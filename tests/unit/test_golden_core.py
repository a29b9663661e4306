"""Golden files of the core: error codes, policy, fingerprints of versioned objects, OpenAPI.

``pytest --update-golden -k golden`` rewrites them; read the difference before it is committed.
"""

import hashlib
import importlib
import json
import pkgutil
from pathlib import Path

import pytest

import magnum_lite
from magnum_lite import objects, policy, rpc
from magnum_lite.api import (
    controllers,  # noqa: F401 - registers the endpoints
    microversion,
    openapi,
)
from magnum_lite.exceptions import ServiceError
from magnum_lite.releases import CURRENT, RELEASES

GOLDEN = Path(__file__).parent.parent / 'golden'


@pytest.fixture
def golden(request):
    """A function that compares text with a golden file, or rewrites it."""

    def compare(name, text):
        path = GOLDEN / name
        if request.config.getoption('--update-golden'):
            path.write_text(text)
        assert path.read_text() == text

    return compare


def errors(kind=ServiceError):
    """All classes of errors of the service, whichever module has them."""
    yield kind
    for below in kind.__subclasses__():
        yield from errors(below)


def import_all():
    """Import every module but those that are or prepare a process when they are imported."""
    for module in pkgutil.walk_packages(magnum_lite.__path__, 'magnum_lite.'):
        if not {'cmd', 'wsgi', 'migrations', 'testing'} & set(module.name.split('.')):
            importlib.import_module(module.name)


def fingerprint(resource):
    """Version and a hash of what an older service would notice: fields, types, limits, defaults."""
    fields = [
        (
            name,
            type(field.kind).__name__,
            field.kind.json_schema(),
            field.nullable,
            repr(field.default),
        )
        for name, field in sorted(resource.fields.items())
    ]
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    return f'{resource.VERSION}-{digest[:16]}'


def test_golden_codes(golden):
    import_all()
    lines = {
        f'{error.code} {error.status}'
        for error in errors()
        if error.__module__.startswith('magnum_lite.')
    }
    golden('codes.txt', '\n'.join(sorted(lines)) + '\n')


def test_a_code_has_one_status():
    import_all()
    found = {}
    for error in errors():
        found.setdefault(error.code, set()).add(error.status)
    assert {code: statuses for code, statuses in found.items() if len(statuses) > 1} == {}


def test_golden_policy(golden):
    lines = [
        f'{rule.name}: {rule.check_str}'
        + (f' [{",".join(rule.scope_types)}]' if rule.scope_types else '')
        for rule in policy.list_rules()
    ]
    golden('policy.txt', '\n'.join(lines) + '\n')


def test_golden_objects(golden):
    found = {resource.__name__: fingerprint(resource) for resource in objects.RESOURCES}
    golden('objects.json', json.dumps(found, indent=2, sort_keys=True) + '\n')


def test_golden_openapi(golden):
    golden('openapi.json', json.dumps(openapi.document(''), indent=1) + '\n')


def test_the_newest_release_tells_of_what_there_is():
    newest = RELEASES[CURRENT]
    assert list(RELEASES)[-1] == CURRENT
    assert newest['objects'] == {
        resource.__name__: resource.VERSION for resource in objects.RESOURCES
    }
    assert newest['api'] == microversion.NEWEST
    assert newest['rpc'] == rpc.VERSION
