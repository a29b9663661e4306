"""The tests of all drivers see the contract kit and the embedded Heat."""

from magnum_lite.driver_sdk.testing.plugin import golden, pytest_addoption
from magnum_lite_dev.pytest_plugin import embedded_heat, real_cloud, user_data

__all__ = ['embedded_heat', 'golden', 'pytest_addoption', 'real_cloud', 'user_data']
