"""The same wire on other databases: what differs between them must not differ for clients."""

import pytest

from tests.functional.test_api import FILES, test_rest
from tests.functional.test_api_budget import (
    statements,
    test_requests_need_few_statements,
    test_the_first_cluster_of_a_project_needs_few_statements,
)
from tests.functional.test_api_nasty import (
    test_labels,
    test_odd_names_find_nothing,
    test_values_of_attributes,
)
from tests.functional.test_api_races import (
    cluster,
    test_a_deletion_wins_over_a_change,
    test_a_template_and_a_cluster_of_it_do_not_miss_each_other,
    test_changes_that_may_wait_are_all_accepted,
    test_no_more_clusters_than_the_quota_allows,
    test_of_many_quotas_of_one_project_one_is_set,
    test_of_two_changes_one_is_accepted,
    test_two_deletions_are_one,
    test_two_deletions_of_a_group_are_one,
)

__all__ = [
    'FILES',
    'cluster',
    'statements',
    'test_rest',
    'test_labels',
    'test_odd_names_find_nothing',
    'test_values_of_attributes',
    'test_a_deletion_wins_over_a_change',
    'test_of_two_changes_one_is_accepted',
    'test_a_template_and_a_cluster_of_it_do_not_miss_each_other',
    'test_changes_that_may_wait_are_all_accepted',
    'test_no_more_clusters_than_the_quota_allows',
    'test_of_many_quotas_of_one_project_one_is_set',
    'test_two_deletions_are_one',
    'test_two_deletions_of_a_group_are_one',
    'test_requests_need_few_statements',
    'test_the_first_cluster_of_a_project_needs_few_statements',
]


@pytest.fixture
def connection(server_database):
    """A fresh database on a server."""
    return server_database
