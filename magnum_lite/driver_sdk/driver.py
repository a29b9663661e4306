"""Driver: the twelve methods that a driver package implements.

Rules D1 to D21 of ``drivers/README.rst`` say what each must keep, and ``driver_sdk.testing`` tests
them.
"""

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

from magnum_lite.driver_sdk.backend import Backend
from magnum_lite.driver_sdk.cloud import Cloud
from magnum_lite.driver_sdk.errors import NotSupported
from magnum_lite.driver_sdk.monitor import Monitor
from magnum_lite.driver_sdk.plan import Plan
from magnum_lite.driver_sdk.scale import ScaleManager
from magnum_lite.driver_sdk.spec import ClusterSpec
from magnum_lite.driver_sdk.status import Progress, Status


class Driver(abc.ABC):
    """Builds clusters of one kind.

    :cvar name: the entry point's name; shown in the API.
    :cvar version: the package's version; recorded with what it built.
    :cvar contract: the contract it was written for, as (major, minor).
    :cvar coe: ``kubernetes``, ``swarm``, ``mesos`` or any new word.
    :cvar server_types: of ``vm`` and ``bm``.
    :cvar distros: values of the image property ``os_distro`` that it can boot.
    :cvar capabilities: of ``update`` (resizes, and all changes of node groups), ``upgrade``,
        ``rotate_ca``, ``scale_manager``, ``monitor``, ``application_credential`` (its nodes call
        the cloud, each cluster's with one of its own), ``surge`` (with ``upgrade``, which then
        makes new generations of the worker groups beside the old ones).
    :cvar limits: the most that it can build: ``max_nodes`` of a cluster, ``max_master_count`` and
        ``max_node_count`` (that of a group); requests for more are refused before anything is made.
    :cvar config_schema: closed JSON Schema of its configuration; every property is described.
        ``attributes`` in it has the values that it knows of attributes of templates, ``{name:
        [value]}``, so that others are refused without asking a conductor.
    :cvar authorities: purposes for which the service makes a CA: ``kubernetes``, ``etcd``, ... The
        first is that of the API: what users have signed, it signs.
    :cvar tokens: ``{name: format}`` of random secrets that the service makes for each cluster;
        formats: ``bootstrap`` (kubeadm's ``[a-z0-9]{6}.[a-z0-9]{16}``), ``hex32``, ``ec-key``
        (PEM; an RSA key would take half of the time until the first stack).
    :cvar join_certificate: ``{'authority': one of authorities, 'organization': text}``: what a node
        that enrols and is not of the control plane is given to join by, see ``enrolment``; empty
        where it joins by a random secret.
    :cvar backend: where it builds: ``heat``, or a ``Backend``. The default is one of which the
        service knows nothing but what the driver says.
    :cvar marks_servers: whether each node is a Nova server whose metadata ``enrolment.GROUP_KEY``
        is the uuid of its node group: then lost ones are noticed.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    contract: ClassVar[tuple[int, int]] = (1, 0)
    coe: ClassVar[str]
    server_types: ClassVar[frozenset[str]]
    distros: ClassVar[frozenset[str]]
    capabilities: ClassVar[frozenset[str]]
    config_schema: ClassVar[Mapping[str, Any]]
    limits: ClassVar[Mapping[str, int]] = {}
    authorities: ClassVar[tuple[str, ...]] = ()
    tokens: ClassVar[Mapping[str, str]] = {}
    join_certificate: ClassVar[Mapping[str, str]] = {}
    marks_servers: ClassVar[bool] = False
    backend: ClassVar[Backend | str] = Backend()

    @abc.abstractmethod
    def get_default_config(self) -> dict[str, Any]:
        """The configuration of a cluster that says nothing; meets ``config_schema``."""

    @abc.abstractmethod
    def validate(self, spec: ClusterSpec, /) -> None:
        """Refuse a spec that cannot work. Pure.

        :raises Rejected: with the attribute and what would be accepted.
        """

    @abc.abstractmethod
    def create_dry_run(self, spec: ClusterSpec, /) -> Plan:
        """What ``create`` would apply. Pure: the same spec gives the same plan."""

    @abc.abstractmethod
    def update_dry_run(self, spec: ClusterSpec, /) -> Plan:
        """What ``update`` would apply. Pure."""

    @abc.abstractmethod
    def create(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Move the cloud one step towards a new cluster; convergent, returns at once."""

    @abc.abstractmethod
    def update(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Move the cloud one step towards a changed cluster; convergent, returns at once."""

    @abc.abstractmethod
    def delete(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Move the cloud one step towards nothing; ``Done`` when nothing is left."""

    @abc.abstractmethod
    def get_status(self, cloud: Cloud, spec: ClusterSpec, /) -> Status:
        """What is there now."""

    def upgrade(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Move one step towards another version of the COE.

        :raises NotSupported: unless the capability ``upgrade`` is declared.
        """
        raise NotSupported(f'driver {self.name} cannot upgrade clusters')

    def rotate_ca(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Move one step towards the certificate authorities that the spec has.

        Called until it answers ``Done``, for each of three specs: a new authority is trusted too;
        it signs; the old one is trusted no more. ``Done`` says that all nodes are as the spec says:
        what signs next, or goes, relies on it.

        :raises NotSupported: unless the capability ``rotate_ca`` is declared.
        """
        raise NotSupported(f'driver {self.name} cannot rotate certificate authorities')

    def get_scale_manager(self, cloud: Cloud, spec: ClusterSpec, /) -> ScaleManager:
        """Who maps nodes to members.

        :raises NotSupported: unless the capability ``scale_manager`` is declared.
        """
        raise NotSupported(f'driver {self.name} cannot remove given nodes')

    def get_monitor(self, cloud: Cloud, spec: ClusterSpec, /) -> Monitor:
        """Who looks at the cluster's health, now and then, from a conductor.

        :param cloud: as of a step; a monitor hardly needs it.
        :raises NotSupported: unless the capability ``monitor`` is declared.
        """
        raise NotSupported(f'driver {self.name} cannot look at the health of clusters')
