"""DriverContract: every rule of ``drivers/README.rst`` as a test; a driver adds its class name."""

from magnum_lite.driver_sdk.testing.bound_rules import BoundRules
from magnum_lite.driver_sdk.testing.generation_rules import GenerationRules
from magnum_lite.driver_sdk.testing.rotation_rules import RotationRules
from magnum_lite.driver_sdk.testing.script_rules import ScriptRules


class DriverContract(ScriptRules, BoundRules, RotationRules, GenerationRules):
    """Subclass it in a test module as ``class TestMine(DriverContract): driver = Mine``."""
