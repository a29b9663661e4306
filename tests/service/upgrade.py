"""A service of two releases on one database and one broker."""

import json
import time

import kombu
import sqlalchemy as sa

from magnum_lite_dev.rig.client import PATIENCE_S
from magnum_lite_dev.rig.production import wait_ready
from magnum_lite_dev.rig.programs import OURS
from magnum_lite_dev.state import free_port


class Upgrade:
    """Two releases of a service.

    :ivar theirs: a client of the API of the release before.
    :ivar ours: a client of the API of this one, once it was started.
    """

    def __init__(self, service, heat, url, broker):
        self.service, self.heat = service, heat
        self.theirs, self.ours = service.client('red'), None
        self._engine = sa.create_engine(url)
        self._broker = kombu.Connection(broker.replace('rabbit:', 'amqp:'))
        self._port = free_port()

    def close(self):
        """Let the database and the broker go."""
        self._engine.dispose()
        self._broker.release()

    def begin(self):
        """What the guide says of the first host: migrate while the old release works.

        :returns: a client of our API.
        """
        self.says('[secrets]\nreadable_by = 1.0\n[enrolment]\nenabled = false\n')
        assert 'ran 002' in self.service.manage('db', 'upgrade', programs=OURS)
        return self.start_ours()

    def says(self, text):
        """Add something to the configuration of both."""
        with self.service.config.open('a') as file:
            file.write(text)

    def start_ours(self):
        """Start our API, at the same port each time; a client of it."""
        self.service.url = self.service.api('api-ours', OURS, port=self._port)
        self.ours = self.service.client('red')
        wait_ready(self.service)
        return self.ours

    def rows(self, table):
        """All rows of a table."""
        with self._engine.connect() as connection:
            return connection.execute(table.select()).all()

    def until(self, is_so):
        """Wait until it is so."""
        until = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < until, self.service.log()
            time.sleep(0.2)

    def drain(self):
        """Ids of the notifications that the broker has; it has none of them any more."""
        found = set()
        with self._broker.channel() as channel:
            for queue in ('notifications.info', 'notifications.error'):
                channel.queue_declare(queue, durable=False, auto_delete=False)
                while message := channel.basic_get(queue, no_ack=True):
                    content = json.loads(json.loads(message.body)['oslo.message'])
                    found.add(content['payload']['id'])
        return found
