"""Judge: what a driver says of a request before it is accepted, when the API asks.

Nothing is written, and no secret is read. What this conductor cannot say lets the request in: the
operation is validated again before anything is built.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from oslo_config import cfg

from magnum_lite import threads
from magnum_lite.cloud import address
from magnum_lite.conductor import keys, resolve, trace, validation
from magnum_lite.conductor.backends import enrols
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import generations, journal, store
from magnum_lite.db.engine import AWAY, Connection, Database
from magnum_lite.driver_sdk import ClusterSpec, DriverError, FailedError, Rejected
from magnum_lite.exceptions import ServiceError
from magnum_lite.objects import Cluster, ClusterTemplate, DriverVersion, NodeGroup, Operation, kinds
from magnum_lite.secrets.keyring import Keyring

LOG = logging.getLogger(__name__)
# Together they leave some of the threads that hear wakes, see ``rpc.THREADS``.
THREADS = 4  # drivers at a time, half of them for one project
WAITING = 2  # questions that wait for one of them


class Judge:
    """Asks drivers, in threads of its own: one that hangs holds nobody else."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, registry: Registry):
        self._conf = conf
        self._database = database
        self._registry = registry
        self._keyring = Keyring(conf)
        self._crew = threads.Crew('judge', THREADS, waiting=WAITING)

    def validate(self, wanted: dict[str, Any], within_s: float) -> dict[str, str] | None:
        """What the driver refuses, as ``path`` and ``reason``; None if nothing, or if it does not
        say.

        :param wanted: see ``rpc.py``.
        """
        try:
            refusal: dict[str, str] | None = self._crew.ask(
                wanted['project_id'] or '', within_s, self._judge, wanted
            )
            return refusal
        except TimeoutError as error:
            LOG.warning(
                'Request %s is not validated, its driver took more than %.1f s: %s',
                wanted['request_id'],
                within_s,
                error or 'it goes on',
            )
            return None

    def _judge(self, wanted: dict[str, Any]) -> dict[str, str] | None:
        operation = Operation.new(
            cluster_id=wanted['cluster']['uuid'],
            node_group=wanted['focus'],
            **{name: wanted[name] for name in ('kind', 'project_id', 'user_id', 'request_id')},
        )
        trace.follow(operation)
        try:
            if sealed := wanted.get('sealed'):
                opened = self._keyring.opened(wanted['cluster']['uuid'], sealed)
                wanted = {**wanted, 'template': {**wanted['template'], **opened}}
            with self._database.read() as connection:
                rows, before = _rows(connection, wanted)
            self._ask(rows, before, operation)
        except Rejected as refusal:
            return {'path': str(refusal.path)[:255], 'reason': journal.short(str(refusal.reason))}
        except FailedError as error:
            LOG.error(
                'A driver did not validate a request, which is let in: %s: %s',
                error,
                error.operator,
            )
        except (DriverError, ServiceError, *AWAY) as error:
            LOG.warning('A request is let in that this conductor cannot validate: %s', error)
        return None

    def _ask(self, rows: resolve.Rows, before: Mapping[str, int], operation: Operation) -> None:
        if rows.image is None:  # no Spec without it
            return
        driver = self._registry.get(rows.driver.plugin_name, at_least=rows.driver.plugin_version)
        url = None
        if enrols(self._conf, driver):
            url = address.of_api(self._conf, None)  # here are no rights of a cluster
        spec = _beside(
            resolve.spec(rows, operation, keys.references(driver, rows.cluster), url), before
        )
        validation.accepted(driver, spec, rows.unformed(operation.node_group))


def _beside(spec: ClusterSpec, before: Mapping[str, int]) -> ClusterSpec:
    """The spec with as many nodes of generations beside those that are to be made."""
    return replace(
        spec,
        node_groups=tuple(
            replace(
                group,
                beside=(
                    *group.beside,
                    replace(
                        group,
                        generation=before[group.uuid],
                        beside=(),
                        config=spec.of_group(group).config,
                    ),
                ),
            )
            if before.get(group.uuid, group.generation) < group.generation
            else group
            for group in spec.node_groups
        ),
    )


def _rows(connection: Connection, wanted: dict[str, Any]) -> tuple[resolve.Rows, Mapping[str, int]]:
    """The rows as the request wants them, what it does not say is as it is; and which generation
    node groups have.

    :raises NotFound: one of them is gone.
    """
    values, groups, found = wanted['cluster'], dict(wanted['groups']), []
    if kinds.TABLE[wanted['kind']].makes:
        cluster = Cluster.new(**values)
    else:
        cluster = store.get(connection, Cluster, values['uuid'])
        found = store.find(connection, NodeGroup, cluster_id=cluster.uuid)
    before = {group.uuid: group.generation for group in found}
    for row, changes in ((cluster, values), *((row, groups.pop(row.uuid, {})) for row in found)):
        for name, value in changes.items():
            setattr(row, name, value)
    found += [NodeGroup.new(**new) for new in groups.values()]
    template = (
        ClusterTemplate.new(**wanted['template'])
        if wanted['template']
        else store.get(connection, ClusterTemplate, cluster.cluster_template_id)
    )
    driver = store.find(
        connection, DriverVersion, name=cluster.driver, version=cluster.driver_version
    )[0]
    return resolve.Rows(
        cluster, found, template, driver, generations.of(connection, cluster.uuid)
    ), before
