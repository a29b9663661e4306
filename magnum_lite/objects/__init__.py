"""The versioned objects; importing the package registers all of them."""

from magnum_lite.objects.certificate import Certificate
from magnum_lite.objects.cluster import Cluster, ClusterVersion
from magnum_lite.objects.cluster_template import ClusterTemplate
from magnum_lite.objects.driver_version import DriverVersion
from magnum_lite.objects.nodegroup import NodeGroup
from magnum_lite.objects.operation import Operation
from magnum_lite.objects.quota import Quota

__all__ = [
    'Certificate',
    'Cluster',
    'ClusterTemplate',
    'ClusterVersion',
    'DriverVersion',
    'NodeGroup',
    'Operation',
    'Quota',
]
RESOURCES = (
    Cluster,
    ClusterVersion,
    NodeGroup,
    ClusterTemplate,
    DriverVersion,
    Operation,
    Certificate,
    Quota,
)
