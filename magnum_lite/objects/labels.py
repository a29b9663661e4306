"""Labels: the wire name of a driver's configuration, texts that its schema gives a type.

Types are judged by the text, since what was stored comes back as strings.
"""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema

from magnum_lite.exceptions import Invalid
from magnum_lite.objects.fields import MAX_GIB, Boolean, Integer, StringMap

# What upstream and its drivers document: accepted, so that existing templates keep working, and
# without a meaning here unless the driver's schema names it.
KNOWN = frozenset('''
admission_control_list arch auto_healing_controller auto_healing_enabled auto_scaling_enabled
autoscaler_tag availability_zone boot_volume_size boot_volume_type calico_cni_tag calico_ipv4pool
calico_ipv4pool_ipip calico_kube_controllers_tag calico_tag capi_helm_chart_name
capi_helm_chart_version cert_manager_api cgroup_driver cinder_csi_enabled cinder_csi_plugin_tag
cloud_provider_enabled cloud_provider_tag cluster_basic_auth_secret cluster_root_domain_name
container_infra_prefix container_runtime containerd_tarball_sha256 containerd_tarball_url
containerd_version coredns_tag csi_attacher_tag csi_cinder_allow_volume_expansion
csi_cinder_availability_zone csi_cinder_default_volume_type csi_cinder_fstype
csi_cinder_reclaim_policy csi_cinder_volume_binding_mode csi_liveness_probe_tag
csi_node_driver_registrar_tag csi_provisioner_tag csi_resizer_tag csi_snapshotter_tag
dns_cluster_domain dns_service_ip docker_volume_type draino_tag etcd_tag etcd_volume_size
etcd_volume_type extra_network_name fixed_network_cidr fixed_subnet_cidr flannel_backend
flannel_cni_tag flannel_network_cidr flannel_network_subnetlen flannel_tag grafana_admin_passwd
grafana_tag heapster_enabled heat_container_agent_tag helm_client_sha256 helm_client_tag
helm_client_url hyperkube_image hyperkube_prefix influx_grafana_dashboard_enabled
ingress_controller ingress_controller_role k8s_keystone_auth_tag keystone_auth_default_policy
keystone_auth_enabled kube_allow_priv kube_dashboard_enabled kube_dashboard_version kube_tag
kube_version kubeapi_options kubecontroller_options kubelet_options kubeproxy_options
kubescheduler_options magnum_auto_healer_tag master_lb_allowed_cidrs
master_lb_floating_ip_enabled max_node_count mesos_slave_executor_env_variables
mesos_slave_image_providers mesos_slave_isolation mesos_slave_work_dir metrics_scraper_tag
metrics_server_chart_tag metrics_server_enabled min_node_count monitoring_enabled
monitoring_ingress_enabled monitoring_interval_seconds monitoring_retention_days
monitoring_retention_size monitoring_storage_class_name nginx_ingress_controller_chart_tag
nginx_ingress_controller_tag node_problem_detector_tag npd_enabled octavia_ingress_controller_tag
octavia_lb_algorithm octavia_lb_healthcheck octavia_provider ostree_commit ostree_remote
post_install_manifest_url prometheus_adapter_chart_tag prometheus_adapter_configmap
prometheus_adapter_enabled prometheus_monitoring prometheus_operator_chart_tag prometheus_tag
rexray_preempt selinux_mode service_cluster_ip_range swarm_strategy tiller_enabled
tiller_namespace tiller_tag traefik_ingress_controller_tag use_podman
'''.split())
# Numbers for the API itself, whatever the driver says.
NUMBERS = {'boot_volume_size': Integer(min=0, max=MAX_GIB),
           **{name: Integer(min=0, max=100_000) for name in ('min_node_count', 'max_node_count')}}
_WORDS = {'string': 'a string', 'integer': 'an integer', 'number': 'a number',
          'boolean': 'a boolean', 'array': 'a list in JSON', 'object': 'an object in JSON'}


def check(labels: Mapping[str, str], schema: Mapping[str, Any], *, accept_unknown: bool = False,
          accept_prefixed: bool = False) -> None:
    """Refuse labels that the driver could not understand.

    :param schema: the ``config_schema`` of the driver that makes the cluster.
    :param accept_prefixed: whether labels ``example.org/key`` are for the nodes.
    :raises Invalid: an ill-typed value, or an unknown label unless ``accept_unknown``.
    """
    try:
        StringMap().check_size(labels)      # what came from the template and the cluster together
    except ValueError as error:
        raise Invalid(path='labels', reason=error) from None
    properties = schema.get('properties', {})
    known = KNOWN | properties.keys()
    for name, text in labels.items():
        if accept_prefixed and '/' in name:
            continue
        if name not in known and not accept_unknown:
            raise Invalid(path=f'labels.{name[:255]}', reason=_nearest(name, known))
        if name in properties:
            _typed(name, text, properties[name])
        elif name in NUMBERS:
            number(labels, name)


def typed(labels: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """``{label: typed value}`` of the labels that the schema names.

    :raises Invalid: a value is ill-typed.
    """
    properties = schema.get('properties', {})
    return {name: _typed(name, text, properties[name]) for name, text in labels.items()
            if name in properties}


def number(labels: Mapping[str, str], name: str) -> int | None:
    """The value of a label that is a number; None without it.

    :raises Invalid: it is none.
    """
    if name not in labels:
        return None
    try:
        return NUMBERS[name].accept(labels[name])
    except ValueError as error:
        raise Invalid(path=f'labels.{name}', reason=error, value=labels[name]) from None


def merged(given: Mapping[str, str] | None, inherited: Mapping[str, str] | None, *,
           over: bool) -> dict[str, str]:
    """The labels of what has a parent: its own, or the parent's where none are given.

    :param over: whether given labels are laid over the parent's instead of replacing them.
    """
    if over:
        return {**(inherited or {}), **(given or {})}
    return dict(given or inherited or {})


def difference(labels: Mapping[str, str], parent: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """``labels_overridden``, ``labels_added`` and ``labels_skipped`` against a parent's labels."""
    return {
        'labels_overridden': {name: value for name, value in parent.items()
                              if labels.get(name, value) != value},
        'labels_added': {name: value for name, value in labels.items() if name not in parent},
        'labels_skipped': {name: value for name, value in parent.items() if name not in labels},
    }


def _typed(name: str, text: str, schema: Mapping[str, Any]) -> Any:
    try:
        value = _convert(text, schema.get('type', 'string'))
        jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        raise Invalid(path=f'labels.{name}', reason=f'{_accepted(schema)} is expected',
                      value=text) from None
    return value


def _convert(text: str, kind: str | list[str]) -> Any:
    """The value that a text stands for.

    :raises ValueError: it stands for none of that type.
    """
    if kind == 'integer':
        return Integer().accept(text)
    if kind == 'boolean':
        return Boolean().accept(text)
    if kind == 'string':
        return text
    return json.loads(text)


def _accepted(schema: Mapping[str, Any]) -> str:
    if 'enum' in schema:
        return 'one of ' + ', '.join(str(value) for value in schema['enum'])
    kind = schema.get('type', 'string')
    parts = [_WORDS.get(kind, kind) if isinstance(kind, str) else ' or '.join(kind)]
    low, high = schema.get('minimum'), schema.get('maximum')
    if low is not None and high is not None:
        parts.append(f'from {low} to {high}')
    elif low is not None or high is not None:
        parts.append(f'of at least {low}' if high is None else f'of at most {high}')
    if 'maxLength' in schema:
        parts.append(f'of at most {schema["maxLength"]} characters')
    if 'pattern' in schema:
        parts.append(_example(schema))
    return ' '.join(parts)


def _example(schema: Mapping[str, Any]) -> str:
    """What people read in place of a pattern."""
    for value in (*schema.get('examples', ()), schema.get('default')):
        if value not in (None, ''):
            return f'such as {value}'
    return f'as described ({schema.get("description", "").removesuffix(".")})'


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name[:255], sorted(known), n=1, cutoff=0)
    return f'the driver knows no such label, did you mean {close[0]}?' if close else \
        'the driver knows no such label'
