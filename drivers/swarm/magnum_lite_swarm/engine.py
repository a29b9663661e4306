"""What the engine of a node is configured by, but for what only the node knows. Pure."""

from typing import Any

from magnum_lite.driver_sdk import ClusterSpec, NodeGroupSpec

# What the volume drivers are called -> the unit of systemd by which an image brings one.
VOLUME_DRIVERS = {'rexray': 'rexray.service', 'cvmfs': 'docker-volume-cvmfs.service'}
STORAGE_DRIVERS = {
    'overlay2': 'overlay2',
    'overlay': 'overlay2',  # its name in older clients
    'fuse-overlayfs': 'fuse-overlayfs',
    'vfs': 'vfs',
}
# Without them the disk of a node fills.
LOG_OPTIONS = {'json-file': {'max-file': '3', 'max-size': '10m'}}
# What a node of a taint does as it joins; nothing in a swarm tolerates taints.
EFFECTS = {'NoExecute': 'drain', 'NoSchedule': 'pause'}


def port(spec: ClusterSpec) -> int:
    """Port of the API of managers."""
    return spec.apiserver_port or 2376


def daemon(spec: ClusterSpec, group: NodeGroupSpec) -> dict[str, Any]:
    """``daemon.json`` of a group's nodes.

    :param spec: with the configuration of the group.
    """
    driver, mirror = spec.config['log_driver'], spec.config['registry_mirror']
    found: dict[str, Any] = {
        'default-address-pools': [{'base': spec.config['bridge_address_pool'], 'size': 24}],
        'labels': _labels(group),
        'log-driver': driver,
    }
    options = _options(spec.config['log_options']) or LOG_OPTIONS.get(driver, {})
    if options and driver != 'none':
        found['log-opts'] = options
    if mirror:
        found['registry-mirrors'] = [mirror]
    if spec.insecure_registry:
        found['insecure-registries'] = [spec.insecure_registry]
    if spec.docker_storage_driver:
        found['storage-driver'] = STORAGE_DRIVERS[spec.docker_storage_driver]
    return found


def availability(spec: ClusterSpec, group: NodeGroupSpec) -> str:
    """Whether nodes of a group take tasks as they join.

    :param spec: as for ``daemon``.
    """
    effects = {str(taint.get('effect')) for taint in group.node_taints}
    for effect, word in EFFECTS.items():
        if effect in effects:
            return word
    role = 'manager' if group.is_control_plane else 'worker'
    return str(spec.config[f'{role}_availability'])


def _labels(group: NodeGroupSpec) -> list[str]:
    own = {'magnum-lite.group': group.name, 'magnum-lite.role': group.role}
    return [f'{key}={value}' for key, value in sorted((own | dict(group.node_labels)).items())]


def _options(text: str) -> dict[str, str]:
    pairs = (pair.partition('=') for pair in text.split(',') if pair)
    return {name: value for name, _, value in pairs}
