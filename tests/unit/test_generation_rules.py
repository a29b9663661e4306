"""Rule D21 finds drivers whose upgrades would cost nodes before there are new ones."""

import pytest

from magnum_lite.driver_sdk import DONE
from magnum_lite.driver_sdk.testing import example
from magnum_lite_dev.rig.tiny import Tiny
from tests.engine.files import Files
from tests.engine.test_tiny_files import TestTinyFiles as Rules
from tests.engine.tiny_files import TinyFiles


class Nameless(TinyFiles):
    """Calls what it makes by the group alone."""

    def create_dry_run(self, spec, /):
        plan = super().create_dry_run(spec)
        return type(plan)(
            tuple(
                type(part)(**{**vars(part), 'name': part.name.removesuffix('-2')}) for part in plan
            )
        )

    update_dry_run = create_dry_run


class Single(TinyFiles):
    """Knows of one generation."""

    def create_dry_run(self, spec, /):
        plan = super().create_dry_run(spec)
        return type(plan)(
            tuple(part for part in plan if spec.builds(part.node_group, part.generation))
        )

    update_dry_run = create_dry_run


class Silent(TinyFiles):
    """Does not say of which generation a part is."""

    def create_dry_run(self, spec, /):
        plan = super().create_dry_run(spec)
        return type(plan)(tuple(type(part)(**{**vars(part), 'generation': None}) for part in plan))

    update_dry_run = create_dry_run


def rules(driver):
    """The rules of a driver of files, and the specs that they are tried with."""
    found = type('These', (Rules,), {'driver': driver})()
    return found, {'small': example.spec(driver())}


@pytest.mark.parametrize(
    ('driver', 'said'),
    [
        (Nameless, 'two generations have the same name'),
        (Single, 'the plan of both is not'),
        (Silent, 'says no generation'),
        (type('Older', (TinyFiles,), {'contract': (1, 0)}), r'came with contract \(1, 1\)'),
    ],
)
def test_a_plan_that_does_not_have_both_is_told_of(driver, said):
    kit, specs = rules(driver)
    with pytest.raises(AssertionError, match=said):
        kit.test_d21_a_plan_has_the_parts_of_all_generations(specs)


class Hasty(TinyFiles):
    """Has new nodes before it looks at the old ones."""

    def upgrade(self, cloud, spec, /):
        for file in cloud.list(spec.uuid):
            if file.node_group == spec.worker_groups[0].uuid and spec.worker_groups[0].beside:
                cloud.remove(file.name)
        return DONE


def test_nodes_that_go_too_early_are_told_of(tmp_path):
    kit, specs = rules(Hasty)
    with pytest.raises(AssertionError):
        kit._surge(Files(tmp_path, 'p'), specs['small'], at=0, after=False)


def test_a_driver_that_changes_the_nodes_that_there_are_is_asked_nothing():
    kit, specs = rules(TinyFiles)
    kit.test_d21_a_plan_has_the_parts_of_all_generations(specs)
    assert 'surge' not in Tiny.capabilities
    kit, specs = rules(type('Old', (Single,), {'capabilities': Tiny.capabilities}))
    kit.test_d21_a_plan_has_the_parts_of_all_generations(specs)
