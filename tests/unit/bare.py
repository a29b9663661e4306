"""A driver that does as little as a driver may."""

from magnum_lite.driver_sdk import HeatDriver, Plan, Stack


class Bare(HeatDriver):
    """A driver of one stack without capabilities and without a configuration."""

    name, version, coe = 'bare', '1', 'bare'
    server_types, distros = frozenset({'vm'}), frozenset({'debian'})
    capabilities = frozenset()
    config_schema = {'type': 'object', 'additionalProperties': False, 'properties': {}}

    def get_default_config(self):
        return {}

    def validate(self, spec, /):
        return None

    def plan(self, spec, /):
        return Plan((Stack(key='base', name='b', template='t', parameters={}),))
