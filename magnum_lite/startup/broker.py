"""Mistakes in the URLs of brokers: no URL, no such host, a wrong user or password."""

import logging
import socket
from typing import Any

import amqp
import oslo_messaging
from amqp.exceptions import AccessRefused, AMQPError, NotAllowed
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.startup.mistake import ESCAPED, NO_HOST, line, mistake

LOG = logging.getLogger(__name__)
_BROKER = '[DEFAULT] transport_url'
_NOTIFIED = '[oslo_messaging_notifications] transport_url'
_AMQP = ('rabbit', 'kombu')
_AMQP_PORT = 5672
_ANSWER_S = 2  # until a broker counts as away
_REFUSED_AMQP = (AccessRefused, NotAllowed)  # a wrong user or password; no such vhost


def check(conf: cfg.ConfigOpts) -> None:
    """Look at the broker of wakes, and at that of notifications where it is another one.

    :raises Misconfigured: it cannot be what the operator wants, and is not only away.
    """
    urls = {}
    for option, make in (
        (_BROKER, oslo_messaging.get_rpc_transport),
        (_NOTIFIED, oslo_messaging.get_notification_transport),
    ):
        try:
            transport = make(conf)
            transport.cleanup()
        except oslo_messaging.DriverLoadFailure as error:
            raise mistake(conf, option, f'cannot be used: {line(error)}') from error
        except (oslo_messaging.MessagingException, ValueError) as error:
            raise mistake(conf, option, f'is no URL of a broker: {ESCAPED}') from error
    urls[_BROKER] = oslo_messaging.TransportURL.parse(conf)
    if conf.oslo_messaging_notifications.transport_url:
        urls[_NOTIFIED] = oslo_messaging.TransportURL.parse(
            conf, conf.oslo_messaging_notifications.transport_url
        )
    for option, url in urls.items():
        _check_hosts(conf, option, url)


def _check_hosts(conf: cfg.ConfigOpts, option: str, url: oslo_messaging.TransportURL) -> None:
    unknown: list[str] = []
    silent: list[str] = []
    for host in url.hosts:
        if not host.hostname:
            continue
        where = f'{host.hostname}:{host.port or _AMQP_PORT}'
        try:
            _log_in(conf, url, host)
            return
        except _REFUSED_AMQP as error:
            raise mistake(conf, option, f'is refused by {where}: {line(error)}') from error
        except socket.gaierror as error:
            (unknown if error.errno in NO_HOST else silent).append(host.hostname)
        except (OSError, AMQPError):
            silent.append(where)
    if unknown and not silent:
        raise mistake(conf, option, f'names a host that nobody knows: {", ".join(unknown)}')
    if silent:
        LOG.warning(
            '%s: no broker of %s answers yet (%s): changes begin a little later until one does',
            options.files(conf),
            option,
            ', '.join(silent),
        )


def _log_in(conf: cfg.ConfigOpts, url: oslo_messaging.TransportURL, host: Any) -> None:
    """Connect to a broker; to RabbitMQ without TLS as the one that oslo.messaging will be.

    :raises AMQPError: the broker does not let us in.
    :raises OSError: it does not answer.
    """
    port = host.port or _AMQP_PORT
    if url.transport not in _AMQP or conf.oslo_messaging_rabbit.ssl:
        socket.create_connection((host.hostname, port), timeout=_ANSWER_S).close()
        return
    with amqp.Connection(
        f'{host.hostname}:{port}',
        userid=host.username or 'guest',
        password=host.password or 'guest',
        virtual_host=url.virtual_host or '/',
        connect_timeout=_ANSWER_S,
        read_timeout=_ANSWER_S,
    ):
        pass
