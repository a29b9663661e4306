"""Workers look at the health of clusters by their drivers: what they look at, and what they say."""

import pytest

from magnum_lite.conductor.heat.backend import HeatBackend
from magnum_lite.driver_sdk import CloudUnavailable
from magnum_lite.driver_sdk import Health as Found
from magnum_lite.driver_sdk.backend import Access
from magnum_lite_dev.rig.tiny import Tiny
from tests.engine.looked import ADDRESS, Looked, Looking


@pytest.fixture
def heat(memory_heat):
    """The Heat of everybody."""
    return memory_heat


@pytest.fixture
def driver():
    """The driver of the clusters."""
    return Looked()


def test_what_the_driver_finds_is_shown_and_written_where_it_is_news(
    looking, driver, formed, health_of, tenant, heat, caplog
):
    uuid = formed()
    calls = len(heat.calls)
    looking.now()
    assert health_of(uuid) == ('HEALTHY', {'api': 'ok'})
    assert driver.specs[0].api_address == ADDRESS
    assert driver.specs[0].secrets['ca.kubernetes.cert'].value.startswith('-----BEGIN')
    stamp = tenant.cluster(uuid).updated_at
    looking.now()
    assert tenant.cluster(uuid).updated_at == stamp
    driver.says = lambda: Found('UNHEALTHY', {'api': 'answers 500'})
    looking.now()
    assert health_of(uuid) == ('UNHEALTHY', {'api': 'answers 500'})
    assert len(driver.specs) == 3
    assert len(heat.calls) == calls, 'a look asks Heat'
    found = tenant.cluster(uuid)
    assert (found.version, found.status) == (1, 'CREATE_COMPLETE')
    assert [line for line in caplog.messages if line.startswith(f'Cluster {uuid} is ')] == [
        f"Cluster {uuid} is HEALTHY: {{'api': 'ok'}}",
        f"Cluster {uuid} is UNHEALTHY: {{'api': 'answers 500'}}",
    ]


def test_a_driver_without_a_monitor_is_never_asked(conf, database, tenant, finish, formed):
    uuid = formed()
    loop = Looking(conf, database, Tiny())
    loop.now()
    loop.loop.stop()
    assert tenant.cluster(uuid).health_status is None


@pytest.mark.parametrize(
    ('url', 'why'),
    [
        ('https://127.0.0.1:6443', 'in which nobody looks'),
        ('https://[::1]:6443', 'in which nobody looks'),
        ('https://[::ffff:127.0.0.1]:6443', 'in which nobody looks'),
        ('https://169.254.169.254:80', 'in which nobody looks'),
        ('https://user@10.9.0.1@127.0.0.1:6443', 'in which nobody looks'),
        ('https://localhost:6443', 'a name'),
        ('https://2130706433:6443', 'a name'),
        ('https://0x7f.1:6443', 'a name'),
    ],
)
def test_nobody_looks_where_tenants_have_no_business(url, why, looking, driver, formed, health_of):
    uuid = formed(api_address=url)
    looking.now()
    status, reason = health_of(uuid)
    assert status == 'UNKNOWN'
    assert why in reason['api']
    assert driver.specs == []


def test_names_are_looked_at_where_no_network_is_denied(conf, database, driver, formed, health_of):
    conf.set_override('denied_networks', [], 'health')
    uuid = formed(api_address='https://api.example.org:6443')
    looking = Looking(conf, database, driver)
    looking.now()
    looking.loop.stop()
    assert health_of(uuid)[0] == 'HEALTHY'


@pytest.mark.parametrize(
    'labels',
    [
        {'auto_healing_enabled': 'true', 'auto_healing_controller': 'magnum-auto-healer'},
        {'auto_healing_enabled': 'True', 'auto_healing_controller': 'draino'},
        {'auto_healing_enabled': 'false', 'auto_healing_controller': 'magnum-auto-healer'},
    ],
    ids=str,
)
def test_a_cluster_whose_healer_reports_is_left_to_it(labels, looking, formed, health_of):
    uuid = formed(labels=labels, health_status='UNHEALTHY')
    looking.now()
    is_left = labels == {
        'auto_healing_enabled': 'true',
        'auto_healing_controller': 'magnum-auto-healer',
    }
    assert health_of(uuid)[0] == ('UNHEALTHY' if is_left else 'HEALTHY')


def test_what_is_missing_in_the_cloud_stays_beside_it(looking, formed, health_of):
    gone = {'stack tiny': 'is gone'}
    uuid = formed(health_status='UNHEALTHY', health_status_reason={**gone, 'node': 'reported'})
    looking.now()
    assert health_of(uuid) == ('UNHEALTHY', {**gone, 'api': 'ok'})


def _raise(error):
    raise error


@pytest.mark.parametrize(
    ('says', 'why'),
    [
        (lambda: _raise(ZeroDivisionError('secret')), 'failed in look'),
        (lambda: _raise(CloudUnavailable('Heat is away')), 'Heat is away'),
        (lambda: Found('FINE', {}), 'what is no health'),
        (lambda: Found('HEALTHY', None), 'what is no health'),
        (lambda: None, 'what is no health'),
    ],
)
def test_a_monitor_that_fails_is_unknown(says, why, looking, driver, formed, health_of):
    uuid = formed()
    driver.says = says
    looking.now()
    status, reason = health_of(uuid)
    assert status == 'UNKNOWN'
    assert why in reason['monitor'] and 'secret' not in reason['monitor']


def test_long_findings_are_cut_and_the_words_of_the_service_left_out(
    looking, driver, formed, health_of
):
    uuid = formed()
    found = {f'{number:03}': 'x' * 5000 for number in range(100)}
    driver.says = lambda: Found('HEALTHY', {'stack a': 'is gone', **found})
    looking.now()
    status, reason = health_of(uuid)
    assert status == 'HEALTHY'
    assert 'stack a' not in reason and len(reason) < 51
    assert {len(text) for text in reason.values()} == {1000}


def test_the_calls_of_a_look_may_take_as_long_as_those_of_a_step(
    conf, database, looking, driver, formed, health_of, monkeypatch
):
    """A backend bounds its calls by itself; Heat's bound is Heat's."""
    uuid = formed()
    calls_s = conf.conductor.lease_s - 1
    assert calls_s > conf.cloud.heat_timeout_s + conf.health.timeout_s
    monkeypatch.setattr(HeatBackend, 'open', lambda self, who, lease, look=None: Access(lease))

    def says():
        driver.cloud.admit(calls_s)
        return Found('HEALTHY', {'api': 'asked'})

    driver.says = says
    looking.now()
    assert health_of(uuid) == ('HEALTHY', {'api': 'asked'})
