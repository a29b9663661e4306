"""What came true after its operation had failed: Heat went on, and the rows learn of it."""

import time
from collections.abc import Mapping

from oslo_config import cfg

from magnum_lite.conductor import resolve
from magnum_lite.conductor.call import call
from magnum_lite.conductor.cloud import LeasedHeat, StepCloud
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import compare
from magnum_lite.db.engine import Database, Row
from magnum_lite.driver_sdk import Heat, StackView
from magnum_lite.driver_sdk.heat import cluster_tag
from magnum_lite.objects import Operation
from magnum_lite.objects.status import STABLE
from magnum_lite.secrets.vault import Vault


class Later:
    """Looks at clusters whose operation failed, with their driver."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, registry: Registry):
        self._conf = conf
        self._database = database
        self._registry = registry
        self._vault = Vault(conf)

    def look(
        self,
        heat: Heat,
        cluster: Row,
        stacks: Mapping[str, str | None],
        views: Mapping[str, StackView],
    ) -> None:
        """Write down what is complete by now; each stack is a reason to do so only once.

        :param cluster: of ``compare.at_rest``, and so are its ``stacks``.
        :param views: ``{name: stack}`` of what Heat listed.
        :raises DriverError: see ``call``.
        :raises ServiceError: the rows make no spec that this conductor's driver can read.
        """
        news = {
            name
            for name, digest in stacks.items()
            if digest is None and name in views and views[name].status in STABLE
        }
        if cluster.status in STABLE or not news:
            return
        asking = Operation.new(cluster_id=cluster.uuid, kind='update')  # never a row
        with self._database.read() as connection:
            rows = resolve.read(connection, asking)
            driver = self._registry.get(
                rows.driver.plugin_name, at_least=rows.driver.plugin_version
            )
            spec = resolve.spec(
                connection, self._vault, driver, rows, asking, self._conf.enrolment.public_url
            )
        call(driver, 'validate', spec)
        plan = call(driver, 'update_dry_run', spec)
        timeout_s = self._conf.cloud.heat_timeout_s
        leased = LeasedHeat(
            heat,
            until=time.monotonic() + 10 * timeout_s,
            timeout_s=timeout_s,
            unanswered=lambda: None,  # it makes nothing
            seen={cluster_tag(cluster.uuid): list(views.values())},
        )
        status = call(driver, 'get_status', StepCloud(leased), spec)
        other = {
            stack.node_group
            for stack in plan
            if stack.name not in views or f'plan:{stack.digest}' not in views[stack.name].tags
        }
        whole = [
            uuid
            for uuid, state in status.group_states.items()
            if state == 'COMPLETE' and uuid not in other
        ]
        digests = {stack.name: stack.digest for stack in plan if stack.name in news}
        if digests:
            self._database.write(compare.came_true, cluster, status, whole, digests)
