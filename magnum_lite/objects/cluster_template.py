"""ClusterTemplate: what clusters have in common."""

from magnum_lite.objects import shape
from magnum_lite.objects.attribute import Attribute, attr
from magnum_lite.objects.base import LINKS, Registry, Resource, identity, stamps
from magnum_lite.objects.fields import Boolean, Enum, Integer, String, StringMap

IPV4 = r'(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}'
PROXIES = ('http_proxy', 'https_proxy')  # URLs, which may have a password


def _text(doc: str) -> Attribute:
    return attr(String(min=1, max=255), nullable=True, create='optional', update=True, doc=doc)


def _switch(doc: str, default: bool = False) -> Attribute:
    return attr(Boolean(), default=default, create='optional', update=True, doc=doc)


@Registry.register
class ClusterTemplate(Resource):
    """The defaults and the fixed choices of a kind of cluster."""

    # 1.0: first release
    # 1.1: labels and docker_volume_size have limits; volume_driver is any name
    VERSION = '1.1'
    collection = 'clustertemplates'

    fields = {
        **identity(create='optional'),
        'name': attr(
            String(min=1, max=255),
            create='optional',
            update=True,
            doc='Need not be unique; made up when absent.',
        ),
        'coe': attr(
            String(min=1, max=255),
            create='required',
            update=True,
            doc='Container orchestration engine: one that an installed driver names.',
        ),
        'image_id': attr(
            String(min=1, max=255),
            create='required',
            update=True,
            doc='Glance image with the property os_distro, name or id.',
        ),
        **shape.defaults(),
        'external_network_id': _text('Network of floating IPs, name or id.'),
        'dns_nameserver': attr(
            String(
                min=1,
                max=255,
                pattern=rf'^{IPV4}(\s*,\s*{IPV4})*\Z',
                says='a list such as 192.0.2.1,192.0.2.2',
            ),
            nullable=True,
            create='optional',
            update=True,
            doc='IPv4 addresses, separated by commas.',
        ),
        'docker_storage_driver': _text('Storage driver of the container runtime.'),
        'apiserver_port': attr(
            Integer(min=1024, max=65535),
            nullable=True,
            create='optional',
            update=True,
            doc="Port of the COE's API.",
        ),
        'network_driver': attr(
            String(max=255),
            nullable=True,
            create='optional',
            update=True,
            blank=True,
            doc='Container network: flannel, calico, ...',
        ),
        'volume_driver': attr(
            String(
                max=32,
                pattern=r'^[A-Za-z0-9][A-Za-z0-9._-]*\Z',
                says='a name of letters, digits, dots, underlines and dashes, such as cinder,',
            ),
            nullable=True,
            create='optional',
            update=True,
            blank=True,
            doc='Volume plugin of containers: one that the driver knows.',
        ),
        'http_proxy': _text('Proxy for the nodes.'),
        'https_proxy': _text('Proxy for the nodes, TLS.'),
        'no_proxy': _text('Addresses that need no proxy.'),
        'insecure_registry': _text('Registry without TLS, host:port.'),
        'registry_enabled': _switch('Whether the cluster runs a registry.'),
        'tls_disabled': _switch("Whether the COE's API is without TLS."),
        'labels': attr(
            StringMap(), default={}, create='optional', update=True, doc='Driver configuration.'
        ),
        'public': _switch('Whether every project sees it.'),
        'hidden': _switch('Whether it is left out of lists and new clusters.'),
        'server_type': attr(
            Enum('vm', 'bm'),
            default='vm',
            create='optional',
            update=True,
            doc='Virtual machines or bare metal.',
        ),
        'cluster_distro': attr(
            String(min=1, max=255),
            nullable=True,
            create='optional',
            update=True,
            doc="Overwritten by the image's os_distro.",
        ),
        'tags': attr(
            String(max=255),
            nullable=True,
            create='optional',
            update=True,
            doc='Words separated by commas.',
        ),
        'driver': _text('Name of the driver; chosen by image and COE when absent.'),
        'project_id': attr(String(max=255), doc='The project that owns it.'),
        'user_id': attr(String(max=255), doc='The user who created it.'),
        **stamps(),
    }
    computed = {'links': LINKS}
