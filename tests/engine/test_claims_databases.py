"""Claims on the databases of deployments: what differs between them must not differ for workers."""

import pytest

from tests.engine.test_claims import (
    test_a_deadlock_runs_the_whole_transaction_again,
    test_a_deletion_waits_for_a_call_under_way,
    test_a_heartbeat_keeps_the_lease,
    test_a_lease_that_ran_out_is_taken_over_and_the_late_owner_stops,
    test_a_step_that_broke_off_is_taken_again,
    test_of_racing_claims_one_wins,
    test_restarts_and_steps_that_are_complete_do_not_count,
    test_the_first_claim_sets_the_deadline_and_the_next_leaves_it,
    test_two_workers_run_one_operation_once,
)

__all__ = [
    'test_a_deadlock_runs_the_whole_transaction_again',
    'test_a_deletion_waits_for_a_call_under_way',
    'test_a_heartbeat_keeps_the_lease',
    'test_a_lease_that_ran_out_is_taken_over_and_the_late_owner_stops',
    'test_a_step_that_broke_off_is_taken_again',
    'test_of_racing_claims_one_wins',
    'test_restarts_and_steps_that_are_complete_do_not_count',
    'test_the_first_claim_sets_the_deadline_and_the_next_leaves_it',
    'test_two_workers_run_one_operation_once',
]


@pytest.fixture
def connection(server_database):
    """A fresh database on a server."""
    return server_database
