"""Where a conductor does not look: a tenant's API may have an address that leads elsewhere."""

import ipaddress

import pytest

from magnum_lite.driver_sdk import denied

NETWORKS = list(map(ipaddress.ip_network, ('127.0.0.0/8', '169.254.0.0/16', '10.1.0.0/16')))


@pytest.mark.parametrize(
    'host',
    [
        '169.254.169.254',
        '[::ffff:169.254.169.254]',
        '[64:ff9b::169.254.169.254]',  # NAT64
        '[64:ff9b:1::10.1.0.1]',  # NAT64 of the site
        '[2002:7f00:1::1]',  # 6to4
        '[2001:0:a01:1::1]',  # Teredo, whose server is 10.1.0.1
        '[::10.1.2.3]',
        '[64:FF9B::A9FE:A9FE]',
    ],
)
def test_an_address_that_leads_to_a_denied_one_is_denied(host):
    assert 'in which nobody looks' in denied.why(f'https://{host}:6443', NETWORKS)


@pytest.mark.parametrize(
    'host',
    [
        '192.0.2.1',
        '[2001:db8::a9fe:a9fe]',
        '[64:ff9b::192.0.2.1]',
        '[2002:c000:201::1]',
        '10.2.0.1',
    ],
)
def test_others_are_looked_at(host):
    assert denied.why(f'https://{host}:6443', NETWORKS) is None


def test_names_are_denied_where_any_network_is():
    assert 'a name' in denied.why('https://localhost', NETWORKS)
    assert 'a name' in denied.why(None, NETWORKS)
    assert denied.why('https://localhost', []) is None
