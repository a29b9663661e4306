"""What came true after its operation had failed: the cloud went on, and the rows learn of it."""

from collections.abc import Mapping

from oslo_config import cfg

from magnum_lite.conductor import keys, resolve, validation
from magnum_lite.conductor.backends import Backends
from magnum_lite.conductor.call import plan_of, status_of
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import compare
from magnum_lite.db.engine import Database, Row
from magnum_lite.driver_sdk.backend import Access, Found
from magnum_lite.objects import Operation
from magnum_lite.objects.statuses import STABLE
from magnum_lite.secrets.vault import Vault


class Later:
    """Looks at clusters whose operation failed, with their driver."""

    def __init__(
        self, conf: cfg.ConfigOpts, database: Database, registry: Registry, backends: Backends
    ):
        self._conf = conf
        self._database = database
        self._registry = registry
        self._backends = backends
        self._vault = Vault(conf)

    def look(
        self,
        access: Access,
        cluster: Row,
        wanted: Mapping[str, str | None],
        found: Mapping[str, Found],
    ) -> None:
        """Write down what is complete by now; each part is a reason to do so only once.

        :param access: that knows the look already.
        :param cluster: of ``compare.at_rest``; ``wanted`` is what its parts should be.
        :param found: ``{name: part}`` of what the look showed.
        :raises DriverError: see ``call``.
        :raises ServiceError: the rows make no spec that this conductor's driver can read.
        """
        news = {
            name
            for name, digest in wanted.items()
            if digest is None and name in found and found[name].complete
        }
        if cluster.status in STABLE or not news:
            return
        asking = Operation.new(cluster_id=cluster.uuid, kind='update')  # never a row
        with self._database.read() as connection:
            rows = resolve.read(connection, asking)
        driver = self._registry.get(rows.driver.plugin_name, at_least=rows.driver.plugin_version)
        url = self._backends.enrolment_url(cluster.identity, driver)
        with self._database.read() as connection:
            secrets = keys.secrets_of(connection, self._vault, driver, rows.cluster)
        spec = resolve.spec(rows, asking, secrets, url)
        spec = validation.accepted(driver, spec, rows.unformed(None))
        plan = plan_of(driver, 'update_dry_run', spec)
        status = status_of(driver, access.cloud, spec)
        other = {
            part.node_group
            for part in plan
            if part.name not in found or part.digest != found[part.name].digest
        }
        whole = [
            uuid
            for uuid, state in status.group_states.items()
            if state == 'COMPLETE' and uuid not in other
        ]
        digests = {part.name: part.digest for part in plan if part.name in news}
        if digests:
            self._database.write(
                compare.came_true, cluster, status, whole, digests, self._backends.of(driver).title
            )
