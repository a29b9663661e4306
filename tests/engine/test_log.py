"""The request id that a client got finds the reason in the conductor's log."""

import io
import logging

import pytest
from oslo_config import cfg
from oslo_log import formatters
from oslo_log import log as oslo_log

from magnum_lite.conductor.manager import Manager
from magnum_lite_dev.rig.tiny import Tiny
from tests.engine.conftest import working


class Broken(Tiny):
    """A driver with a mistake that its author did not foresee."""

    def create(self, cloud, spec, /):
        """Fail."""
        raise RuntimeError('no member of this set is a number')


@pytest.fixture
def heat(memory_heat):
    """The Heat of everybody."""
    return memory_heat


@pytest.fixture
def log():
    """What the conductor writes, as ``oslo.log`` formats it."""
    options = cfg.ConfigOpts()
    oslo_log.register_options(options)
    options([])
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatters.ContextFormatter(config=options))
    logger = logging.getLogger('magnum_lite')
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


def _lines(log, request_id):
    return '\n'.join(line for line in log.getvalue().splitlines() if request_id in line)


def test_the_request_id_finds_the_traceback_of_a_driver(conf, tenant, log):
    with working(conf, Broken()):
        create = tenant.create()
        failed = tenant.wait(create, 'FAILED')
    assert 'The request id finds the reason' in failed.error_text
    found = _lines(log, create.request_id)
    assert 'no member of this set is a number' in found and 'Traceback' in found


def test_what_broke_off_is_found_by_the_request_id(conf, tenant, log, monkeypatch):
    """An error that nobody foresaw, outside of the driver's methods."""

    def prepare(self, *args):
        monkeypatch.undo()
        raise AssertionError('never thought of')

    with working(conf):
        monkeypatch.setattr(Manager, '_prepare', prepare)
        create = tenant.create()
        tenant.wait_for(create, lambda now: now.trouble or now.ended_at)
    assert 'never thought of' in _lines(log, create.request_id)


def test_the_log_of_one_request_has_nothing_of_another(conf, tenant, log):
    with working(conf, Broken()):
        first, second = tenant.create(), tenant.create()
        for operation in (first, second):
            tenant.wait(operation, 'FAILED')
    for operation, other in ((first, second), (second, first)):
        found = _lines(log, operation.request_id)
        assert operation.uuid in found and other.uuid not in found
