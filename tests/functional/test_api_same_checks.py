"""What a cluster is refused for, its groups and its upgrades are refused for as well."""

import pytest

from magnum_lite.db import store
from magnum_lite.objects import ClusterTemplate, DriverVersion

DISKLESS = {'flavor_id': 'm1.diskless', 'labels': {'boot_volume_size': '5'}}
MAPPED = {'docker_storage_driver': 'devicemapper', 'docker_volume_size': 5}


@pytest.fixture
def able(api):
    """A service whose driver can upgrade."""
    api.db.write(
        store.update, DriverVersion, {'capabilities': ['update', 'upgrade']}, name='kubernetes'
    )
    return api


def refused(api, cluster, method, what, body):
    """The title of a refusal, which leaves no trace."""
    title = api.refused(400, method, f'{cluster}/{what}', body)['title']
    assert api.ok('GET', cluster)['status'] == 'CREATE_COMPLETE'
    return title


def test_devicemapper_needs_a_volume_of_the_cluster_that_is_upgraded(able):
    cluster = able.complete(able.template())
    body = {'cluster_template': able.template(name='new', **MAPPED)}
    assert refused(able, cluster, 'POST', 'actions/upgrade', body) == (
        'Invalid input for docker_volume_size: devicemapper needs 3 GiB at least, not null'
    )


def test_devicemapper_needs_a_volume_of_each_group(able):
    cluster = able.complete(able.template(**MAPPED))
    for size in ({}, {'docker_volume_size': 2}):
        title = refused(able, cluster, 'POST', 'nodegroups', {'name': 'x', **size})
        assert title.startswith('Invalid input for docker_volume_size: devicemapper needs 3 GiB')
    able.ok('POST', f'{cluster}/nodegroups', {'name': 'x', 'docker_volume_size': 3})


def test_flavors_are_looked_at_when_an_upgrade_takes_their_volumes_away(able):
    cluster = able.complete(able.template(**DISKLESS))
    body = {'cluster_template': able.template(name='new')}
    assert refused(able, cluster, 'POST', 'actions/upgrade', body) == (
        'Invalid input for flavor_id: flavor m1.diskless has no root disk: give the label '
        'boot_volume_size'
    )
    able.ok(
        'POST',
        f'{cluster}/actions/upgrade',
        {'cluster_template': able.template(name='new', **DISKLESS)},
    )


@pytest.mark.parametrize('image', ['cirros', 'none-such'])
def test_images_of_groups_are_those_that_templates_may_have(able, image):
    cluster = able.complete(able.template())
    title = refused(able, cluster, 'POST', 'nodegroups', {'name': 'x', 'image_id': image})
    assert title.startswith('Invalid input for image_id: ')
    assert (
        title
        == able.refused(
            400, 'POST', '/v1/clustertemplates', {'coe': 'kubernetes', 'image_id': image}
        )['title']
    )


def test_a_template_that_was_made_while_the_image_service_was_silent_is_judged_by_its_image(able):
    cluster = able.complete(able.template())
    new = able.template(name='new', labels={'kube_tag': 'v1.36.1'})
    able.db.write(store.update, ClusterTemplate, {'cluster_distro': None}, uuid=new)
    body = {'cluster_template': new}
    able.db.write(store.update, DriverVersion, {'distros': ['ubuntu']}, name='kubernetes')
    assert refused(able, cluster, 'POST', 'actions/upgrade', body) == (
        'Invalid input for cluster_template: driver kubernetes boots ubuntu, not debian'
    )
    able.db.write(store.update, DriverVersion, {'distros': ['debian']}, name='kubernetes')
    able.ok('POST', f'{cluster}/actions/upgrade', body)


def test_what_no_driver_makes_is_told_without_what_is_not_known(configured):
    with configured() as api:  # no service of the cloud answers
        api.db.write(store.update, DriverVersion, {'server_types': ['vm']}, name='kubernetes')
        error = api.refused(
            400,
            'POST',
            '/v1/clustertemplates',
            {'coe': 'kubernetes', 'image_id': 'debian-13', 'server_type': 'bm'},
        )
    assert error['title'] == (
        'Invalid input for driver: no driver makes kubernetes clusters of server type bm'
    )
