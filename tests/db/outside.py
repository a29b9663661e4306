"""What is outside of the senders of notifications: a database, a broker with a queue, workers."""

import json
import threading
import time
import uuid

import kombu

from magnum_lite.conductor.sender import Sender
from magnum_lite.db import migrate, outbox
from magnum_lite.db.engine import Database
from magnum_lite.db.operations import tell
from magnum_lite.objects import Operation
from magnum_lite_dev.rig import PATIENCE_S
from tests import fixtures

LEASE_S = 3
WORKER = """
import sys
from oslo_config import cfg
from magnum_lite import conf
from magnum_lite.conductor.sender import Sender
from magnum_lite.db.engine import Database
conf.register(cfg.CONF)
cfg.CONF(['--config-file', sys.argv[1]], project='magnum-lite')
Sender(cfg.CONF, Database(cfg.CONF)).run()
"""


class Outside:
    """A database with notifications, a broker with a queue, and senders between them."""

    def __init__(self, folder, connection, broker, transport_url, conductor):
        self._topic = f'events-{uuid.uuid4().hex[:8]}'
        self._senders = []
        self.file = folder / 'magnum-lite.conf'
        self.conf = fixtures.make_conf(
            folder,
            connection=connection,
            transport_url=transport_url,
            conductor={'heartbeat_s': 0.5, 'lease_s': LEASE_S, **conductor},
            oslo_messaging_rabbit={'kombu_reconnect_delay': 0.1, 'rabbit_retry_interval': 1},
            oslo_messaging_notifications={'driver': 'messagingv2', 'topics': self._topic},
        )
        migrate.upgrade(self.conf)
        self.database = Database(self.conf)
        self._broker = kombu.Connection(broker.replace('rabbit:', 'amqp:'))

    def write(self, clusters, each):
        """Notifications of some clusters, taking turns."""
        operations = [
            Operation.new(
                cluster_id=f'cluster-{number}',
                kind='resize',
                reason='r',
                project_id='p',
                user_id='u',
                cluster_version=1,
            )
            for number in range(clusters)
        ]

        def work(connection):
            for _turn in range(each):
                for operation in operations:
                    tell(connection, operation, 'start')

        self.database.write(work)

    def start(self):
        """A worker that sends."""
        database = Database(self.conf)
        sender = Sender(self.conf, database)
        thread = threading.Thread(target=sender.run, daemon=True)
        self._senders.append((sender, thread, database))
        thread.start()

    def sends(self, clusters=1, each=1, *, workers=1):
        """New notifications, which have left by new workers."""
        self.write(clusters, each)
        for _ in range(workers):
            self.start()
        self.wait(lambda: not self.waiting())

    def waiting(self):
        """Ids of the notifications that are not marked as sent."""
        with self.database.read() as connection:
            return [row.id for row in outbox.unsent(connection, limit=10000)]

    def wait(self, is_so, *, within_s=PATIENCE_S):
        """Until it is so; what it is then."""
        until = time.monotonic() + within_s
        while not (result := is_so()):
            assert time.monotonic() < until, f'{len(self.waiting())} still wait'
            time.sleep(0.05)
        return result

    def stop(self):
        """Let the workers end."""
        for sender, _thread, _database in self._senders:
            sender.stop()
        for _sender, thread, database in self._senders:
            thread.join(20)
            assert not thread.is_alive()
            database.dispose()
        self._senders.clear()

    def messages(self):
        """Messages in the order in which the broker got them; it has none of them any more."""
        found, channel = [], self._broker.channel()
        while message := channel.basic_get(f'{self._topic}.info', no_ack=True):
            found.append(message)
        channel.close()
        return found

    def arrived(self):
        """Payloads of these."""
        return [
            json.loads(json.loads(message.body)['oslo.message'])['payload']
            for message in self.messages()
        ]

    def depth(self):
        """How many notifications the broker has."""
        with self._broker.channel() as channel:
            channel.queue_declare(f'{self._topic}.info', durable=False, auto_delete=False)
            return channel.queue_declare(f'{self._topic}.info', passive=True).message_count

    def written(self):
        """{cluster: [id of each notification]}, in the order of the changes."""
        with self.database.read() as connection:
            return by_cluster(
                row.payload
                for row in connection.execute(outbox.outbox.select().order_by(outbox.outbox.c.id))
            )

    def close(self):
        """End it, and forget its queue."""
        self.stop()
        self.database.dispose()
        with self._broker.channel() as channel:
            channel.queue_delete(f'{self._topic}.info')
        self._broker.release()


def by_cluster(payloads):
    """{cluster: [id of each notification, where it came first]}."""
    found = {}
    for payload in payloads:
        ids = found.setdefault(payload['target']['id'], [])
        if payload['id'] not in ids:
            ids.append(payload['id'])
    return found
