"""Sending a notification so that its sender learns whether the broker has it."""

from typing import Any

import oslo_messaging
from oslo_config import cfg
from oslo_messaging.transport import NotificationTransport


class Notifier:
    """Sends by the drivers that ``[oslo_messaging_notifications]`` names.

    Nothing is connected before the first use.
    """

    def __init__(self, conf: cfg.ConfigOpts):
        self._conf = conf
        self._transport: _Watched | None = None
        self._notifier: oslo_messaging.Notifier | None = None

    def send(self, event_type: str, payload: dict[str, Any]) -> Exception | None:
        """None once the broker has confirmed it, on every topic.

        :returns: what went wrong otherwise: the broker may have it nevertheless.
        """
        try:
            transport, notifier = self._made()
        except oslo_messaging.MessagingException as error:
            refusal: Exception = error
            return refusal
        transport.failure = None
        send = notifier.error if event_type.endswith('.error') else notifier.info
        send({}, event_type, payload)
        return transport.failure

    def close(self) -> None:
        """End the connections."""
        if self._transport:
            self._transport.cleanup()

    def _made(self) -> tuple['_Watched', oslo_messaging.Notifier]:
        if self._transport is None or self._notifier is None:
            transport = _Watched(oslo_messaging.get_notification_transport(self._conf)._driver)
            # retry=0: what fails is in the outbox still, and tried again from there.
            self._notifier = oslo_messaging.Notifier(
                transport,
                publisher_id=f'magnum_lite.{self._conf.host}',
                topics=self._conf.oslo_messaging_notifications.topics,
                retry=0,
            )
            self._transport = transport
        return self._transport, self._notifier


class _Watched(NotificationTransport):  # type: ignore[misc] # oslo.messaging has no types
    """Keeps what went wrong, which the drivers of oslo.messaging would log and tell nobody.

    The drivers that operators choose stay between, so messages are what they were. To them all
    goes well: they would log each notification with a traceback while the broker is away.
    """

    failure: Exception | None = None

    def _send_notification(self, *args: Any, **kwargs: Any) -> None:
        if self.failure:
            return  # one topic that was not told is enough: all are told again
        try:
            super()._send_notification(*args, **kwargs)
        except Exception as error:
            self.failure = error
