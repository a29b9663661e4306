"""Heat's notifications: each makes the next look at its cluster due at once."""

import logging
from collections.abc import Callable
from typing import Any

import oslo_messaging
from oslo_config import cfg

from magnum_lite.driver_sdk import tags

LOG = logging.getLogger(__name__)
EVENTS = oslo_messaging.NotificationFilter(
    event_type=r'^orchestration\.stack\.(create|update|delete)\.(end|error)$'
)


class _Endpoint:
    filter_rule = EVENTS

    def __init__(self, hurry: Callable[[str], None]):
        self._hurry = hurry

    def info(
        self,
        context: Any,
        publisher: str,
        event_type: str,
        payload: dict[str, Any],
        metadata: dict[str, Any],
    ) -> None:
        cluster_id = cluster_of(payload)
        if cluster_id:
            LOG.debug('%s of cluster %s', event_type, cluster_id)
            self._hurry(cluster_id)

    error = info


def cluster_of(payload: dict[str, Any]) -> str | None:
    """Uuid of the cluster that a stack belongs to, by its tags; None for what is not ours.

    Stacks inside stacks have no tags: the outer one tells when all is done.
    """
    return tags.cluster(payload.get('tags') or ())


def listener(conf: cfg.ConfigOpts, hurry: Callable[[str], None]) -> Any:
    """A listener, not started, that calls ``hurry(cluster uuid)`` when a stack's action ended."""
    transport = oslo_messaging.get_notification_transport(conf)
    target = oslo_messaging.Target(topic=conf.conductor.notification_topic)
    return oslo_messaging.get_notification_listener(transport, [target], [_Endpoint(hurry)])
