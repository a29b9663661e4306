"""Rule D17: no number that a tenant chooses makes much work or memory."""

import contextlib
import dataclasses
import signal
import tracemalloc
from collections.abc import Iterator
from typing import Any

from magnum_lite.driver_sdk.errors import Rejected
from magnum_lite.driver_sdk.spec import ClusterSpec
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.plan_rules import PlanRules

# The largest that a column holds: what a release without limits may have accepted.
MAX_INT = 2**31 - 1
CPU_S = 1.0
MEMORY_BYTES = 50 * 2**20


class TooMuch(BaseException):
    """The driver was stopped; no driver may catch it."""


class BoundRules(PlanRules):
    """The rule about the numbers of a spec."""

    def roomy(self) -> ClusterSpec:
        """A small cluster whose configuration has room for as many nodes as can be; override it."""
        return example.spec(self.driver())

    def integers(self) -> dict[str, tuple[int, int]]:
        """``{property: (minimum, maximum)}`` of the integers of the configuration."""
        found = {}
        for name, schema in self.driver.config_schema['properties'].items():
            kinds = schema.get('type', ())
            if 'integer' in ([kinds] if isinstance(kinds, str) else kinds):
                found[name] = (schema.get('minimum', -MAX_INT), schema.get('maximum', MAX_INT))
        return found

    def extremes(self) -> dict[str, ClusterSpec]:
        """``{what it is: spec}``: every number of a spec at its limits, alone and together."""
        limits, small = self.driver.limits, self.roomy()
        found = {}
        for nodes in sorted({1, limits.get('max_nodes', MAX_INT) - 1, MAX_INT}):
            spec = example.with_nodes(small, nodes)
            for name, bounds in self.integers().items():
                for value in bounds:
                    found[f'{name} {value}, {nodes} nodes'] = _with(spec, **{name: value})
            found |= {
                f'all numbers at their {word}, {nodes} nodes': _with(
                    spec, **{name: bounds[at] for name, bounds in self.integers().items()}
                )
                for at, word in enumerate(('minimum', 'maximum'))
            }
        for name in ('max_node_count', 'docker_volume_size', 'generation'):
            found[f'{name} {MAX_INT}'] = example.with_nodes(small, 1, **{name: MAX_INT})
        masters = dataclasses.replace(small.control_plane, node_count=MAX_INT)
        found[f'{MAX_INT} control-plane nodes'] = dataclasses.replace(
            small, node_groups=(masters, *small.worker_groups)
        )
        for name in ('timeout_min', 'max_batch_size', 'apiserver_port'):
            changes: dict[str, Any] = {name: MAX_INT}
            found[f'{name} {MAX_INT}'] = dataclasses.replace(small, **changes)
        return found

    def test_d17_every_integer_of_the_configuration_has_a_maximum(self) -> None:
        properties = self.driver.config_schema['properties']
        endless = [name for name in self.integers() if 'maximum' not in properties[name]]
        assert not endless, f'no maximum: {endless}'

    def test_d17_no_number_makes_much_work_or_memory(self) -> None:
        self.driver().create_dry_run(self.roomy())  # what is read once, is now
        for where, spec in self.extremes().items():
            with _at_most(CPU_S, where):
                self._plan(spec)
            tracemalloc.start()
            try:
                with _at_most(10 * CPU_S, where):  # it is slow while it is watched
                    self._plan(spec)
                most = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert most <= MEMORY_BYTES, f'{where}: {most} bytes of memory'

    def _plan(self, spec: ClusterSpec) -> None:
        driver = self.driver()
        with contextlib.suppress(Rejected):
            driver.validate(spec)
            for stack in driver.create_dry_run(spec):
                assert stack.digest
            for stack in driver.update_dry_run(spec):
                assert stack.digest


def _with(spec: ClusterSpec, **config: Any) -> ClusterSpec:
    return dataclasses.replace(spec, config={**spec.config, **config})


@contextlib.contextmanager
def _at_most(seconds: float, where: str) -> Iterator[None]:
    """Stop what takes more seconds of the processor; the main thread's only."""

    def stop(number: int, frame: Any) -> None:
        raise TooMuch

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    except TooMuch:
        raise AssertionError(f'{where}: more than {seconds:g} s of work') from None
    except MemoryError:
        raise AssertionError(f'{where}: more memory than there is') from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
