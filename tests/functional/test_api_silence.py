"""Whoever does not answer in time lets a request in: drivers, conductors, brokers."""

import logging
import socket
import time

import oslo_messaging
import pytest

from magnum_lite import rpc
from magnum_lite_dev.rig import PATIENCE_S
from magnum_lite_dev.rig.services import vhost
from magnum_lite_kubernetes.driver import Kubernetes
from tests import fixtures


def test_a_cloud_that_takes_all_the_time_leaves_none_for_conductors(api, hearing, conf):
    template = api.template()
    conf.set_override('lookup_budget_s', 1, 'cloud')
    with socket.create_server(('127.0.0.1', 0), backlog=10) as listening:
        hung = f'http://127.0.0.1:{listening.getsockname()[1]}'
        conf.set_override('catalog', dict(conf.development.catalog, image=hung), 'development')
        conf.set_override('lookup_cache_s', 0, 'cloud')
        api.application.service.memory.keep_s = 0
        api.application.service.memory._found.clear()
        hearing.heard.clear()
        api.cluster(template)
    assert hearing.heard == []


class Older:
    """The endpoint of release 1.0."""

    target = oslo_messaging.Target(version='1.0')

    def wake(self, context, uuid):
        """Nothing."""


@pytest.fixture(params=['fake', pytest.param('rabbit', marks=pytest.mark.rabbitmq)])
def transport_url(request):
    """Of each kind of broker."""
    if request.param == 'fake':
        yield 'fake://'
    else:
        with vhost(request.getfixturevalue('rabbitmq_url')) as url:
            yield url


def test_a_conductor_of_an_earlier_release_lets_a_request_in(tmp_path, heat, transport_url, caplog):
    caplog.set_level(logging.INFO)
    conf = fixtures.make_conf(
        tmp_path,
        catalog=heat.catalog,
        transport_url=transport_url,
        api={'validate_s': 30},
        cloud={'lookup_budget_s': 60},
    )
    older = oslo_messaging.get_rpc_server(
        oslo_messaging.get_rpc_transport(conf),
        oslo_messaging.Target(topic=rpc.TOPIC, server='older'),
        [Older()],
    )
    older.start()
    try:
        with fixtures.service(conf) as running:
            running.cluster(running.template())
        assert (
            'Endpoint does not support RPC version 1.1'
            in [
                record.getMessage()
                for record in caplog.records
                if record.name == rpc.__name__ and record.levelname == 'WARNING'
            ][0]
        )
    finally:
        older.stop()
        older.wait()
        fixtures.forget_conf()


@pytest.mark.rabbitmq
def test_a_refusal_comes_through_a_broker(tmp_path, heat, rabbitmq_url):
    with vhost(rabbitmq_url) as url:
        conf = fixtures.make_conf(
            tmp_path,
            catalog=heat.catalog,
            transport_url=url,
            api={'validate_s': 30},
            cloud={'lookup_budget_s': 60},
        )
        with fixtures.working(conf, Kubernetes()) as running:
            error = running.refused(
                400,
                'POST',
                '/v1/clusters',
                {'cluster_template_id': running.template(), 'master_lb_enabled': True},
            )
        fixtures.forget_conf()
    assert error['title'].startswith('Invalid input for master_lb_enabled')


@pytest.mark.parametrize('transport_url', ['fake://', 'rabbit://guest:guest@127.0.0.1:9'])
def test_silence_lets_requests_in_and_nobody_is_asked_for_a_while(
    tmp_path, heat, transport_url, monkeypatch
):
    """No conductor, and no broker: where one call would last for ever."""
    conf = fixtures.make_conf(
        tmp_path,
        catalog=heat.catalog,
        transport_url=transport_url,
        api={'validate_s': 0.5},
        oslo_messaging_rabbit={'rabbit_retry_interval': 3600, 'rabbit_interval_max': 3600},
    )
    called, call = [], rpc.Asker._call
    monkeypatch.setattr(rpc.Asker, '_call', lambda *args: called.append(args[1]) or call(*args))
    with fixtures.service(conf) as running:
        template = running.template()
        for _ in range(3):
            running.cluster(template)
        assert len(called) == 1
        monkeypatch.setattr(running.application.service.asker, '_paused_until', 0)
        running.cluster(template)
        assert len(called) == 2
    fixtures.forget_conf()


def test_an_answer_of_anybody_keeps_the_question_open(conf, hearing, monkeypatch):
    """One driver that hangs does not let the requests of all others in."""
    asker = rpc.Asker(conf)
    wanted, heard = {'project_id': 'asking'}, hearing.heard
    hearing.pause_s = 1
    for limit_s in (30, 0.1, 30):
        assert asker.validate(wanted, limit_s) is None
    assert heard.count(wanted) == 3
    monkeypatch.setattr(asker, '_heard', time.monotonic() - 2 * rpc.PAUSE_S)
    for limit_s in (0.1, 30):
        asker.validate(wanted, limit_s)
    assert heard.count(wanted) <= 4


@pytest.fixture(params=['refuses', 'hangs'])
def absent(request):
    """Transport URL of a RabbitMQ that was not there yet when it was needed first."""
    with socket.create_server(('127.0.0.1', 0), backlog=10) as listening:
        url = f'rabbit://guest:guest@127.0.0.1:{listening.getsockname()[1]}/'
        if request.param == 'hangs':
            yield url
    if request.param == 'refuses':
        yield url


def test_a_broker_that_was_never_there_is_a_line_in_the_log(tmp_path, absent, caplog):
    waker = rpc.Waker(fixtures.make_conf(tmp_path, transport_url=absent))
    try:
        waker.wake('a')
        until = time.monotonic() + PATIENCE_S
        while not (told := [one for one in caplog.records if one.name.startswith('magnum_lite.')]):
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        waker.stop()
        fixtures.forget_conf()
    (line,) = told
    assert line.getMessage().startswith('The wake of operation a was not sent, the sweep will find')
    assert (line.levelname, line.exc_info) == ('WARNING', None)
