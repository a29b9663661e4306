"""The same wire on other databases: what differs between them must not differ for clients."""

import pytest

from tests.functional.test_api import FILES, test_rest
from tests.functional.test_api_nasty import places, test_labels, test_values_of_attributes
from tests.functional.test_api_races import (
    cluster,
    test_a_deletion_wins_over_a_change,
    test_a_template_and_a_cluster_of_it_do_not_miss_each_other,
    test_no_more_clusters_than_the_quota_allows,
    test_of_many_quotas_of_one_project_one_is_set,
    test_of_two_changes_one_is_accepted,
    test_two_deletions_are_one,
)

__all__ = ['FILES', 'cluster', 'places', 'test_rest', 'test_labels', 'test_values_of_attributes',
           'test_a_deletion_wins_over_a_change', 'test_of_two_changes_one_is_accepted',
           'test_a_template_and_a_cluster_of_it_do_not_miss_each_other',
           'test_no_more_clusters_than_the_quota_allows',
           'test_of_many_quotas_of_one_project_one_is_set', 'test_two_deletions_are_one']


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name))
                        for name in ('mariadb', 'postgresql')])
def connection(request, fresh_database):
    """A fresh database on a server."""
    with fresh_database(request.getfixturevalue(f'{request.param}_url')) as url:
        yield url
