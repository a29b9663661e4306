"""What a request names in the cloud, looked up with the caller's own token (contract 4.3).

The look-ups of a request have one budget of time, in which all services are asked side by side,
and a short memory. A cloud that does not answer lets the request in: the conductor looks again
before it builds.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent import futures
from dataclasses import dataclass, field, fields
from typing import Any

import openstack
from openstack import exceptions as sdk_exc
from oslo_config import cfg

from magnum_lite.cloud import answers, transport
from magnum_lite.cloud.things import LOOKS, Flavor, Image, Thing
from magnum_lite.context import RequestContext
from magnum_lite.driver_sdk import Image as Kept
from magnum_lite.exceptions import Ambiguous, Forbidden, Invalid, NotFound
from magnum_lite.objects import labels

LOG = logging.getLogger(__name__)
MOST = 10_000  # remembered look-ups
THREADS = 8  # look-ups of one service at a time; a hung one does not keep others waiting
# What a service that is away says; half a document is a ValueError.
_UNANSWERED = (sdk_exc.SDKException, *answers.FROM_CLIENTS)


@dataclass
class Memory:
    """Found things by caller and name, for a while, and the threads that look for them; for all
    requests of a process."""

    keep_s: float
    _found: dict[Any, tuple[float, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: dict[str, futures.Executor] = field(default_factory=dict)

    def start(self, service: str, work: Callable[..., None], *args: Any) -> None:
        """Run ``work`` in a thread of a service, once one is free."""
        with self._lock:
            if service not in self._threads:
                self._threads[service] = futures.ThreadPoolExecutor(THREADS, f'ask-{service}')
        self._threads[service].submit(work, *args)

    def get(self, key: Any) -> Any:
        """What was found lately, or None."""
        with self._lock:
            until, value = self._found.get(key, (0.0, None))
        return value if until > time.monotonic() else None

    def put(self, key: Any, value: Any) -> None:
        """Remember it."""
        now = time.monotonic()
        with self._lock:
            if len(self._found) >= MOST:
                self._found = {k: v for k, v in self._found.items() if v[0] > now}
            if len(self._found) < MOST:
                self._found[key] = now + self.keep_s, value


class _Question:
    """A look-up that was begun.

    :ivar answer: what it finds, or the error.
    """

    def __init__(self, look: Callable[[Any, str], Any], ident: str):
        self.look, self.ident = look, ident
        self.answer: futures.Future[Any] = futures.Future()


class Lookups:
    """The look-ups of one request; a context manager, since they keep connections open.

    Each gives what it found, or None where the cloud does not answer within the budget of all.

    :ivar until: when the budget ends, of ``time.monotonic``; None before the first question.
    """

    def __init__(self, conf: cfg.ConfigOpts, context: RequestContext, memory: Memory):
        self._conf, self._context, self._memory = conf, context, memory
        self._connecting = threading.Lock()
        self._session: Any = None
        self._connection: Any = None
        self.until: float | None = None
        self._asked: dict[Any, _Question] = {}
        self._silent: set[str] = set()  # services that did not answer this request

    @property
    def left_s(self) -> float:
        """Seconds that are left of the budget, for whoever else is asked."""
        budget_s: float = self._conf.cloud.lookup_budget_s
        return budget_s if self.until is None else self.until - time.monotonic()

    def __enter__(self) -> 'Lookups':
        return self

    def __exit__(self, *error: Any) -> None:
        open_questions = [
            question.answer
            for question in self._asked.values()
            if not question.answer.cancel() and not question.answer.done()
        ]
        for answer in open_questions:  # its thread still uses the session
            answer.add_done_callback(self._close)
        if not open_questions:
            self._close()

    def _close(self, *answer: Any) -> None:
        if self._session is not None:
            self._session.session.close()

    def check(
        self, named: Mapping[str, str | None], given: Mapping[str, str], *, volume_gib: int
    ) -> Image | None:
        """Look up all that a template or a cluster names; the image.

        :param named: ``{attribute: name or id}``; what is None is not looked up.
        :param given: its labels.
        :param volume_gib: the boot volume where they name none; 0 for none.
        :raises ServiceError: as the look-ups below, flavors first.
        """
        size = labels.number(given, 'boot_volume_size')
        from_disk = not (volume_gib if size is None else size)
        self._ask_for(named)
        for attribute in ('flavor_id', 'master_flavor_id'):
            if ident := named.get(attribute):
                flavor = self.flavor(attribute, ident)
                if flavor and from_disk and not flavor.disk:
                    raise Invalid(
                        path=attribute,
                        reason=f'flavor {ident} has no root disk: give the label boot_volume_size',
                    )
        image = self.image(ident) if (ident := named.get('image_id')) else None
        for attribute in ('external_network_id', 'fixed_network'):
            if ident := named.get(attribute):
                self.network(attribute, ident)
        if ident := named.get('fixed_subnet'):
            self.subnet('fixed_subnet', ident)
        return image

    def image(self, ident: str) -> Image | None:
        """An image with the property ``os_distro``.

        :raises Invalid: there is none, or it lacks the property.
        :raises Ambiguous: several have the name.
        :raises Forbidden: Glance does not let the caller see it.
        """
        found: Image | None = self._find('image', 'image_id', ident)
        if found and not found.os_distro:
            raise Invalid(path='image_id', reason=f'image {ident} has no property os_distro')
        return found

    def flavor(self, attribute: str, ident: str) -> Flavor | None:
        """A flavor.

        :raises Invalid: there is none.
        """
        found: Flavor | None = self._find('compute', attribute, ident)
        return found

    def network(self, attribute: str, ident: str) -> Thing | None:
        """A network; ``external_network_id`` has to be external.

        :raises Invalid: there is none.
        :raises Ambiguous: several have the name.
        """
        found: Thing | None = self._find('network', attribute, ident)
        if found and attribute == 'external_network_id' and not found.is_external:
            raise Invalid(path=attribute, reason=f'network {ident} is not external')
        return found

    def subnet(self, attribute: str, ident: str) -> Thing | None:
        """A subnet.

        :raises Invalid: there is none.
        :raises Ambiguous: several have the name.
        """
        found: Thing | None = self._find('network', attribute, ident)
        return found

    def keypair(self, name: str) -> Thing | None:
        """A key pair of the caller.

        :raises NotFound: there is none.
        """
        try:
            found: Thing | None = self._find('compute', 'keypair', name)
        except Invalid:
            raise NotFound(noun='Keypair', ident=name) from None
        return found

    def _ask_for(self, named: Mapping[str, str | None]) -> None:
        """Begin all look-ups of what is named: each service has its own thread."""
        for service, looks in LOOKS.items():
            self._ask(
                service,
                [
                    (look, ident)
                    for attribute, look in looks.items()
                    if (ident := named.get(attribute))
                    and self._memory.get(self._key(look, ident)) is None
                ],
            )

    def _ask(self, service: str, wanted: list[tuple[Callable[[Any, str], Any], str]]) -> None:
        if not wanted:
            return
        if self.until is None:
            self.until = time.monotonic() + self._conf.cloud.lookup_budget_s
        questions = {self._key(*one): _Question(*one) for one in wanted}
        self._asked.update(questions)
        self._memory.start(service, self._answer, list(questions.values()))

    def _answer(self, questions: list[_Question]) -> None:
        """Answer questions to one service, in its thread, until it does not answer."""
        self._context.update_store()
        for question in questions:
            if not question.answer.set_running_or_notify_cancel():
                continue
            try:
                question.answer.set_result(question.look(self._connect(), question.ident))
            except _UNANSWERED as error:
                question.answer.set_exception(error)
            finally:
                if not question.answer.done():  # unforeseen: the request fails with it
                    question.answer.set_exception(sys.exc_info()[1])

    def _key(self, look: Callable[[Any, str], Any], ident: str) -> tuple[Any, ...]:
        return self._context.project_id, self._context.user_id, look, ident

    def _find(self, service: str, attribute: str, ident: str) -> Any:
        look = LOOKS[service][attribute]
        key = self._key(look, ident)
        found = self._memory.get(key)
        if found is not None or service in self._silent:
            return found
        if key not in self._asked:
            self._ask(service, [(look, ident)])
        try:
            found = self._asked[key].answer.result(max(0, (self.until or 0) - time.monotonic()))
        except sdk_exc.DuplicateResource as error:
            raise Ambiguous(noun=look.__name__.strip('_'), ident=ident, uuids=error) from None
        except sdk_exc.ForbiddenException:
            raise Forbidden(f'{attribute}: the cloud does not let you use {ident}') from None
        except (*_UNANSWERED, futures.TimeoutError) as error:
            LOG.warning(
                'The %s service does not answer, so %s is not checked: %s',
                service,
                attribute,
                error or 'the look-ups of the request took too long',
            )
            self._silent.add(service)
            return None
        if found is None:
            raise Invalid(path=attribute, reason=f'{ident} could not be found')
        self._memory.put(key, found)
        return found

    def _connect(self) -> Any:
        with self._connecting:
            if self._connection is None:
                conf, context = self._conf, self._context
                self._session = transport.session(
                    conf, context.token_auth, timeout_s=conf.cloud.lookup_timeout_s
                )
                self._connection = openstack.connection.Connection(
                    session=self._session,
                    region_name=conf.cloud.region_name,
                    interface=conf.cloud.interface,
                )
            return self._connection


def facts(image: Image | None) -> dict[str, Any]:
    """What a cluster keeps of the look-ups: what its driver is told of the image."""
    return {'image': {one.name: getattr(image, one.name) for one in fields(Kept)}} if image else {}
