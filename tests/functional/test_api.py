"""What clients see: the gabbi files, one a noun, each on a fresh service.

Every answer is compared with the OpenAPI document too. Nothing is built here, so no Heat runs.
"""

import unittest
from pathlib import Path

import pytest
import yaml
from gabbi import suitemaker
from gabbi.handlers import RESPONSE_HANDLERS
from gabbi.handlers.base import ResponseHandler

from magnum_lite_dev.rig.cloud import running_cloud
from tests import fixtures
from tests.openapi import Checked

FOLDER = Path(__file__).parent / 'gabbits'
# Those of clients need a conductor: see test_api_clients.
FILES = sorted(path for path in FOLDER.glob('*.yaml') if not path.name.startswith('client_'))


class Forbidden(ResponseHandler):
    """``response_forbidden_strings``: what the body must not have."""

    test_key_suffix = 'forbidden_strings'
    test_key_value = []

    def action(self, test, item, value=None):
        test.assertNotIn(item, test.output)


def reason(traceback):
    """What a traceback says after its last frame."""
    start = traceback.rindex('\n', 0, traceback.rindex('Error: '))
    return ' '.join(traceback[start:].split())[:400]


@pytest.fixture(scope='module')
def cloud():
    """Where look-ups are answered."""
    with running_cloud() as catalog:
        yield catalog


@pytest.fixture
def conf(tmp_path, cloud):
    """The configuration of a service beside that cloud."""
    yield fixtures.make_conf(tmp_path, catalog=cloud)
    fixtures.forget_conf()


@pytest.mark.parametrize('path', FILES, ids=[path.stem for path in FILES])
def test_rest(path, api):
    run(path, api)


def run(path, api, *, failfast=False):
    """Send the requests of a file; fails with what was not as it says.

    :param failfast: whether the first that fails ends it.
    """
    suite = suitemaker.test_suite_from_dict(
        unittest.TestLoader(),
        path.stem,
        yaml.safe_load(path.read_text()),
        str(FOLDER),
        'magnum',
        None,
        None,
        lambda: Checked(api.application),
        handlers=[handler() for handler in (*RESPONSE_HANDLERS, Forbidden)],
    )
    result = unittest.TestResult()
    result.failfast = failfast
    suite.run(result)
    failed = [
        f'{type(test).__name__}: {reason(why)}' for test, why in (*result.failures, *result.errors)
    ]
    assert result.testsRun == suite.countTestCases() and not result.skipped
    assert not failed, '\n'.join(failed)
