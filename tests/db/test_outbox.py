"""Notifications reach a real broker: each, in order of the changes of its cluster."""

import contextlib
import datetime
import gc
import json
import signal
import subprocess
import sys
import time

import oslo_messaging
import pytest
import sqlalchemy as sa
from oslo_messaging.transport import NotificationTransport

from magnum_lite.conductor import sender as module
from magnum_lite.conductor.sender import Sender
from magnum_lite.db import outbox, store
from magnum_lite_dev.rig.doors import Door, before
from magnum_lite_dev.rig.services import vhost
from tests import fixtures
from tests.db.conftest import SERVERS
from tests.db.outside import WORKER, Outside, by_cluster

# kombu leaves a connection that was cut to the collector.
pytestmark = [
    pytest.mark.rabbitmq,
    pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning'),
]


@pytest.fixture(scope='module')
def broker(rabbitmq_url):
    """Transport URL of a RabbitMQ that nobody else uses."""
    with vhost(rabbitmq_url) as url:
        yield url


@pytest.fixture
def door(broker):
    """A door before the broker; its ``url`` leads through it."""
    with contextlib.ExitStack() as stack:
        door, door_url = before(stack.enter_context, Door, broker)
        door.url = door_url
        yield door


@pytest.fixture
def outside(tmp_path, broker, connection, caplog):
    """What the senders of a test use."""
    made = []

    def make(transport_url=broker, **conductor):
        made.append(Outside(tmp_path, connection, broker, transport_url, conductor))
        return made[-1]

    yield make
    for one in made:
        one.close()
    caplog.get_records('call').clear()  # whose errors hold connections
    gc.collect()
    fixtures.forget_conf()


def test_two_workers_send_each_notification_once(outside):
    service = outside()
    service.sends(5, 60, workers=2)
    service.write(5, 3)
    service.wait(lambda: not service.waiting())
    service.stop()
    arrived = service.arrived()
    assert len(arrived) == 5 * 63
    assert by_cluster(arrived) == service.written()


@pytest.mark.parametrize('how', [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize('connection', SERVERS, indirect=True)
def test_another_worker_goes_on_when_the_lease_of_one_has_run_out(outside, how):
    service = outside()
    service.write(10, 120)
    worker = subprocess.Popen([sys.executable, '-c', WORKER, service.file])
    try:
        service.wait(lambda: service.depth() > 150)
        worker.send_signal(how)
        assert len(service.waiting()) > 100
        service.start()
        service.wait(lambda: not service.waiting())
        worker.send_signal(signal.SIGCONT if how == signal.SIGSTOP else how)
        time.sleep(1.5)  # three rounds of who was stopped
    finally:
        worker.kill()
        worker.wait(30)
    service.stop()
    arrived = service.arrived()
    assert by_cluster(arrived) == service.written()
    assert len(arrived) <= 1200 + 101  # a batch that was not marked, and one


def test_notifications_wait_for_a_broker_that_is_away(outside, door, caplog):
    service = outside(door.url)
    service.sends(2, 2, workers=2)
    door.fault = 'cut'
    service.write(5, 30)
    time.sleep(5)
    assert len(service.waiting()) == 150
    ours = [
        record.getMessage()
        for record in caplog.records
        if record.name == 'magnum_lite.conductor.sender'
    ]
    assert 1 <= len(ours) <= 2 and all('wait for the broker' in text for text in ours), ours
    door.fault = None
    service.wait(lambda: not service.waiting())
    service.stop()
    assert by_cluster(service.arrived()) == service.written()


@pytest.mark.parametrize('connection', ['sqlite'], indirect=True)
def test_a_notification_whose_answer_is_lost_is_sent_again(outside, door):
    service = outside(door.url)
    service.sends()
    door.fault = 'lose'
    service.write(1, 1)
    service.wait(lambda: service.depth() == 2)
    time.sleep(1)
    assert len(service.waiting()) == 1
    door.fault = None
    service.wait(lambda: not service.waiting())
    ids = [payload['id'] for payload in service.arrived()]
    assert len(ids) == 3 and ids[1] == ids[2] != ids[0]


@pytest.mark.parametrize('connection', ['sqlite'], indirect=True)
def test_messages_are_those_that_oslo_messaging_sends(outside):
    service = outside()
    service.sends()
    transport = oslo_messaging.get_notification_transport(service.conf)
    with service.database.read() as connection:
        row = connection.execute(outbox.outbox.select()).one()
    oslo_messaging.Notifier(transport, publisher_id='magnum_lite.here').info(
        {}, row.event_type, row.payload
    )
    transport.cleanup()
    ours, theirs = (_plain(message) for message in service.messages())
    assert ours == theirs


def _plain(message):
    """Headers, properties and the envelope of a message, without what each has of its own."""
    envelope = json.loads(message.body)
    content = json.loads(envelope.pop('oslo.message'))
    for name in ('message_id', 'timestamp', '_unique_id'):
        del content[name]
    return message.headers, message.properties, envelope, content


@pytest.mark.parametrize('connection', ['sqlite'], indirect=True)
def test_a_notification_that_the_broker_refuses_holds_back_no_other_cluster(outside, monkeypatch):
    service = outside()
    send = NotificationTransport._send_notification
    service.write(4, 5)
    refused = service.waiting()[0]

    def refuse(transport, target, context, message, **how):
        if message['payload']['target']['id'] == 'cluster-0':
            raise oslo_messaging.MessageDeliveryFailure('too large')
        send(transport, target, context, message, **how)

    monkeypatch.setattr(NotificationTransport, '_send_notification', refuse)
    service.start()
    service.wait(lambda: len(service.waiting()) == 5)
    assert refused in service.waiting()
    monkeypatch.setattr(NotificationTransport, '_send_notification', send)
    service.wait(lambda: not service.waiting())
    service.stop()
    assert by_cluster(service.arrived()) == service.written()


def test_what_was_sent_long_ago_goes_and_what_was_not_stays(outside):
    service = outside('rabbit://127.0.0.1:9/', outbox_keep_days=3)  # nobody answers
    service.write(1, 460)
    ids, table = service.waiting(), outbox.outbox
    ages = {days: store.utcnow() - datetime.timedelta(days=days) for days in (2, 4, 400)}

    def age(connection):
        connection.execute(table.update().values(created_at=ages[400]))
        connection.execute(table.update().where(table.c.id.in_(ids[:450])).values(sent_at=ages[4]))
        connection.execute(table.update().where(table.c.id == ids[450]).values(sent_at=ages[2]))

    def kept():
        with service.database.read() as connection:
            return connection.execute(table.select().order_by(table.c.id)).all()

    service.database.write(age)
    service.start()
    service.wait(lambda: len(kept()) == 10)
    assert [row.id for row in kept()] == ids[450:]
    assert service.waiting() == ids[451:]
    service.stop()


@pytest.mark.parametrize('connection', SERVERS, indirect=True)
def test_notifications_wait_for_a_database_that_is_away(outside, connection):
    service = outside()
    with contextlib.ExitStack() as stack:
        door, url = before(stack.enter_context, Door, connection)
        assert not service.waiting()  # the test's own connections lead past the door
        service.conf.set_override('connection', url, group='database')
        service.sends()
        door.fault = 'cut'
        service.write(3, 40)
        time.sleep(3)
        assert len(service.waiting()) == 120
        door.fault = None
        service.wait(lambda: not service.waiting())
        service.stop()
        service.conf.clear_override('connection', group='database')
    assert by_cluster(service.arrived()) == service.written()


@pytest.mark.parametrize('connection', ['sqlite'], indirect=True)
@pytest.mark.parametrize(('count', 'most'), [(0, 1), (1, 7), (250, 13)])
def test_a_round_takes_few_statements(outside, count, most):
    service = outside('fake://')
    service.write(1, count)
    statements = []

    def note(connection, cursor, statement, *more):
        if statement.startswith(('SELECT', 'UPDATE', 'INSERT', 'DELETE')):
            statements.append(statement)

    sender = Sender(service.conf, service.database)
    sa.event.listen(service.database.engine, 'before_cursor_execute', note)
    sender._send()
    sa.event.remove(service.database.engine, 'before_cursor_execute', note)
    assert len(statements) <= most, statements
    assert not service.waiting()


@pytest.mark.parametrize('connection', ['sqlite'], indirect=True)
def test_who_lost_the_lease_sends_no_more(outside, monkeypatch):
    """Not even what it left out in its first pass."""
    service = outside('fake://')
    service.write(1, 5)
    held = iter([True])
    monkeypatch.setattr(module, 'BATCH', 1)
    monkeypatch.setattr(outbox, 'hold', lambda *_args, **_how: next(held, False))
    sender, sent = Sender(service.conf, service.database), []
    monkeypatch.setattr(sender._notifier, 'send', lambda *what: sent.append(what))
    monkeypatch.setattr(sender._patience, 'again', lambda: True)
    sender._send()
    assert len(sent) == 1
