"""An upgrade from the release before, as the operators' guide tells it, with that release's code.

Its API and conductor work beside those of this release, on one database and one broker.
"""

import contextlib
import signal
import time

import pytest

from magnum_lite.db.tables import operations, outbox
from magnum_lite.objects.operation import KINDS
from magnum_lite_dev.rig.client import PATIENCE_S
from magnum_lite_dev.rig.databases import fresh_database
from magnum_lite_dev.rig.production import deployment
from magnum_lite_dev.rig.programs import OURS
from tests.service import previous
from tests.service.upgrade import Upgrade

pytestmark = [pytest.mark.mariadb, pytest.mark.rabbitmq]
LEASE_S = 11  # more than a call to Heat may take
ENDED = ('DONE', 'FAILED', 'CANCELLED', 'SUPERSEDED')
# The driver replaces no authorities, nobody lends rights here, and nothing fails.
NOT_ASKED = {'upgrade', 'rotate_ca', 'rotate_credentials', 'rollback'}


@pytest.fixture
def upgrade(tmp_path, heat, mariadb_url):
    """A service of the release before, about to be upgraded."""
    running, broker = heat
    theirs = previous.install(tmp_path / 'previous')
    with (
        fresh_database(mariadb_url) as url,
        deployment(
            tmp_path,
            running,
            database=url,
            broker=broker,
            conductors=1,
            api_workers=1,
            lease_s=LEASE_S,
            poll_min_s=0.3,
            poll_max_s=1,
            notifications='messagingv2',
            programs=theirs,
        ) as service,
        contextlib.closing(Upgrade(service, running, url, broker)) as upgrade,
    ):
        yield upgrade


def wait(client, cluster):
    """Wait until nothing is asked of a cluster any more; fails unless all of it is done."""
    until = time.monotonic() + PATIENCE_S
    while not all(
        one['state'] in ENDED
        for one in client('GET', f'/clusters/{cluster}/operations', 200)['operations']
    ):
        assert time.monotonic() < until, client('GET', f'/clusters/{cluster}/operations', 200)
        time.sleep(0.2)
    shown = client('GET', f'/clusters/{cluster}', 200)
    assert shown['status'].endswith('_COMPLETE'), shown
    for group in client('GET', f'/clusters/{cluster}/nodegroups', 200)['nodegroups']:
        shown = client('GET', f'/clusters/{cluster}/nodegroups/{group["uuid"]}', 200)
        assert shown['status'].endswith('_COMPLETE'), shown
        assert len(shown['node_addresses']) == shown['node_count'], shown


def all_kinds(client, cluster):
    """Ask for a change of each kind, once the one before has ended as it was wanted."""
    path = f'/clusters/{cluster}'
    worker = next(
        group['uuid']
        for group in client('GET', f'{path}/nodegroups', 200)['nodegroups']
        if group['role'] == 'worker' and group['is_default']
    )
    group = client('POST', f'{path}/nodegroups', 202, {'name': 'more', 'node_count': 1})['uuid']
    client('POST', f'{path}/actions/resize', 202, {'node_count': 2, 'nodegroup': worker})
    wait(client, cluster)
    client(
        'PATCH',
        f'{path}/nodegroups/{group}',
        202,
        [{'op': 'replace', 'path': '/node_labels', 'value': {'disk': 'ssd'}}],
    )
    wait(client, cluster)
    client('DELETE', f'{path}/nodegroups/{group}', 204)
    wait(client, cluster)
    client('PATCH', path, 202, [{'op': 'replace', 'path': '/node_count', 'value': 1}])
    wait(client, cluster)


def views(client):
    """{path: document} of all views of the clusters; None where there is nothing."""
    paths = [
        '/clusters',
        '/clusters/detail',
        '/clustertemplates/detail',
        '/drivers',
        '/quotas/red/Cluster',
        '/stats?project_id=red',
    ]
    for cluster in client('GET', '/clusters', 200)['clusters']:
        path = f'/clusters/{cluster["uuid"]}'
        paths += [path, f'/certificates/{cluster["uuid"]}']
        for kind in ('nodegroups', 'operations'):
            paths += [
                f'{path}/{kind}',
                *(
                    f'{path}/{kind}/{one["uuid"]}'
                    for one in client('GET', f'{path}/{kind}', 200)[kind]
                ),
            ]
    return {path: plain(client('GET', path, 200)) for path in paths}


def plain(document):
    """A document without links, which name the process that made them."""
    if isinstance(document, list):
        return [plain(item) for item in document]
    if isinstance(document, dict):
        return {name: plain(value) for name, value in document.items() if name != 'links'}
    return document


def assert_same(theirs, ours):
    """Fails unless all that one release shows is what the other shows; that may be more."""
    if isinstance(theirs, dict):
        assert theirs.keys() <= ours.keys()
        for name, value in theirs.items():
            assert_same(value, ours[name])
    elif isinstance(theirs, list):
        assert len(theirs) == len(ours)
        for one, other in zip(theirs, ours, strict=True):
            assert_same(one, other)
    else:
        assert theirs == ours


def test_nothing_is_lost_in_an_upgrade_from_the_release_before(upgrade):
    theirs, service = upgrade.theirs, upgrade.service
    old = theirs.template(labels={'kube_tag': 'v1.35.1'})
    # A name that means something to this release only: the network stays as it was built.
    first = theirs.create(old, labels={'kube_tag': 'v1.35.1', 'fixed_network_cidr': '10.7.0.0/24'})
    wait(theirs, first)
    ours = upgrade.begin()
    check_mixed(upgrade, old)

    # The last host: its conductor gives up in the middle of an operation, ours goes on.
    second = theirs.create(old)
    service.stop('conductor-0')
    service.conductor('conductor-ours', OURS)
    wait(ours, second)
    all_kinds(theirs, first)
    subnets = upgrade.heat.state()['subnets'].values()
    assert '10.7.0.0/24' not in {subnet['cidr'] for subnet in subnets}
    check_takeover(upgrade, old)
    assert_same(views(theirs), views(ours))
    finish(upgrade, old)


def check_mixed(upgrade, old):
    """The API of this release, the conductor of the one before."""
    theirs, ours = upgrade.theirs, upgrade.ours
    # One that it does not know it would mark as DONE; a new one needs what keeps it from that.
    assert previous.kinds(upgrade.service.programs) >= set(KINDS)
    ours(
        'POST',
        '/clusters',
        400,
        {'name': 'c', 'cluster_template_id': old, 'labels': {'kube_tag': '1.35.1'}},
    )  # which only a conductor of this release understands
    cluster = ours.create(old)
    wait(ours, cluster)
    all_kinds(ours, cluster)
    assert_same(views(theirs), views(ours))
    ours('DELETE', f'/clusters/{cluster}', 204)
    ours.gone(cluster)
    asked = {row.kind for row in upgrade.rows(operations) if row.cluster_id == cluster}
    assert asked == set(KINDS) - NOT_ASKED


def check_takeover(upgrade, template):
    """Conductors of both, each killed in the middle of what it does."""
    service = upgrade.service
    service.conductor('conductor-0')
    for client, victim, programs in (
        (upgrade.theirs, 'conductor-ours', OURS),
        (upgrade.ours, 'conductor-0', service.programs),
    ):
        cluster = client.create(template)
        time.sleep(1)
        service.stop(victim, signal.SIGKILL)
        wait(client, cluster)
        client('DELETE', f'/clusters/{cluster}', 204)
        service.conductor(victim, programs)
        client.gone(cluster)


def finish(upgrade, template):
    """What the guide says of the end: no process of the release before is left."""
    service, ours = upgrade.service, upgrade.ours
    for name in ('conductor-0', 'api', 'conductor-ours', 'api-ours'):
        service.stop(name)
    upgrade.says(
        f'[secrets]\nreadable_by = 1.1\n[enrolment]\nenabled = true\npublic_url = {service.url}\n'
    )
    service.manage('secret', 'reseal', programs=OURS)
    assert 'version 2 is new' in service.manage('driver', 'sync', programs=OURS)
    upgrade.start_ours()
    service.conductor('conductor-ours', OURS)
    latest = ours.create(template, labels={'kube_tag': '1.36.2'})
    wait(ours, latest)
    uuids = [cluster['uuid'] for cluster in ours('GET', '/clusters', 200)['clusters']]
    for uuid in uuids:
        ours('DELETE', f'/clusters/{uuid}', 204)
    for uuid in uuids:
        ours.gone(uuid)
    assert service.stacks('red') == {}
    ended = [(row.kind, row.state, row.error_text) for row in upgrade.rows(operations)]
    assert {state for _kind, state, _text in ended} == {'DONE'}, ended
    upgrade.until(lambda: all(row.sent_at for row in upgrade.rows(outbox)))
    assert {row.payload['id'] for row in upgrade.rows(outbox)} == upgrade.drain()
