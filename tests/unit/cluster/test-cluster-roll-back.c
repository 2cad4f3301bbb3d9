#include "tests/unit/cluster/cluster-fixture.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

static const Replication running = {
        .known = true, .configured = true, .io_running = "Yes", .sql_running = "Yes"};

static Outcome restarted(void)
{
        return (Outcome){.kind = OUTCOME_IMPORTED,
                .effect = {.committed = true,
                        .replication_started = true,
                        .replication_restarted = true},
                .replication = running};
}

static Outcome refused(void)
{
        Outcome outcome = {.kind = OUTCOME_REPLICATION_FAILED,
                .effect = {.committed = true, .replication_started = true, .restart_due = true},
                .sql_errno = 1045,
                .replication = running};

        strcpy(outcome.replication.io_running, "Connecting");
        strcpy(outcome.replication.io_error, "denied");
        outcome.replication.io_errno = 1045;
        return outcome;
}

/* Set A is imported, and replication runs with it or not; then B is on disk. */
static void prepare(ReplicationMode mode, bool runs)
{
        Outcome outcome = restarted();

        fixture.cluster_config.replication = mode;
        fixture.cluster_config.on_replication_failure = REPLICATION_FAILURE_ROLLBACK;
        fixture_configure();
        if (!runs)
                outcome.replication.known = false;
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &outcome);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        assert_int_equal(fixture.status->roll_back, TRISTATE_YES);
        fixture_put_on_disk(B);
}

static void fail_with_b(void)
{
        Outcome outcome = refused();

        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_string_equal(fixture.import.task.set.fingerprint, B);
        fixture_end(&fixture.import, &outcome);
}

static void test_the_former_set_is_imported_once(void **state)
{
        Outcome outcome = restarted();

        prepare(REPLICATION_RESTART, true);
        fail_with_b();
        fixture.writer.n_written = 0;
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), 0);
        assert_int_equal(fixture.import.task.action, IMPORT_ACTION_IMPORT);
        assert_string_equal(fixture.import.task.set.fingerprint, A);
        assert_int_equal(fixture.import.task.payload_fd, fixture.sets[0].payload_fd);
        assert_true(fixture.import.task.forced);
        /* On disk before the CALL: nobody knows which set the cluster has, and B stays away. */
        assert_int_equal(fixture.writer.n_written, 1);
        assert_string_equal(fixture.status->record->imported.fingerprint, "");
        assert_true(record_is_final(fixture.status->record, B));
        fixture_end(&fixture.import, &outcome);
        fixture_expect(PLAN_KEEP, CLUSTER_HELD);
        assert_string_equal(fixture.status->record->imported.fingerprint, A);
        assert_int_equal(fixture.status->record->attempt.outcome.kind, OUTCOME_ROLLED_BACK);
        assert_int_equal(fixture.status->record->attempt.failures, 2);
        assert_int_equal(fixture.status->roll_back, TRISTATE_YES);
        assert_true(fixture.status->out_of_sync_since_usec > 0);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_ATTEMPT], 3);
}

static void test_the_set_is_held_over_time_reload_and_restart(void **state)
{
        Outcome outcome = restarted();

        prepare(REPLICATION_RESTART, true);
        fail_with_b();
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), 0);
        fixture_end(&fixture.import, &outcome);
        cluster_reset_back_off(fixture.cluster); /* as a reload does */
        fixture_expect(PLAN_CHECK, CLUSTER_HELD);
        fixture_restart();
        fixture_expect(PLAN_CHECK, CLUSTER_HELD);
        fixture.now += RETRY_HELD;
        fixture_expect(PLAN_CHECK, CLUSTER_HELD);
        assert_int_equal(fixture.status->next_attempt_usec, 0);
        assert_int_equal(fixture.status->roll_back, TRISTATE_NO); /* A is not on disk */

        cluster_retry_now(fixture.cluster, false);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_true(fixture.import.task.forced); /* with a ledger its row is the older one */
        fixture_end(&fixture.import, &outcome);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_a_command_before_a_roll_back_does_not_end_its_hold(void **state)
{
        Outcome outcome = restarted();

        prepare(REPLICATION_RESTART, true);
        fail_with_b();
        cluster_retry_now(fixture.cluster, false);
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), 0);
        fixture_end(&fixture.import, &outcome);
        fixture_expect(PLAN_KEEP, CLUSTER_HELD);
}

static void test_without_rollback_no_set_is_kept(void **state)
{
        Outcome outcome = restarted();

        fixture.cluster_config.replication = REPLICATION_RESTART;
        fixture_configure();
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &outcome);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        assert_int_equal(fixture.status->roll_back, TRISTATE_UNKNOWN);
        assert_int_equal(fixture.sets[0].n_owners, 1);
        fixture_put_on_disk(B);
        fail_with_b();
        fixture_expect(PLAN_DELAY, CLUSTER_HELD);
        assert_int_equal(fixture.status->record->attempt.outcome.kind, OUTCOME_REPLICATION_FAILED);
}

static void test_replication_that_did_not_run_before_is_not_rolled_back(void **state)
{
        prepare(REPLICATION_RESTART, false);
        fail_with_b();
        fixture_expect(PLAN_DELAY, CLUSTER_HELD);
}

/* The status before the stop is newer than that of the last check. */
static void test_the_reading_before_the_stop_decides_whether_it_ran(void **state)
{
        RecordStop stop = {.at_usec = WALL, .fingerprint = B, .mode = REPLICATION_RESTART};
        Outcome outcome = refused();

        prepare(REPLICATION_RESTART, true);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_int_equal(fixture.import.handlers.stop(&stop, fixture.import.handlers.userdata), 0);
        fixture_end(&fixture.import, &outcome);
        fixture_expect(PLAN_DELAY, CLUSTER_HELD);
        assert_string_equal(fixture.status->record->imported.former_fingerprint, "");
}

static void test_another_error_of_replication_is_not_rolled_back(void **state)
{
        Outcome outcome = refused();

        outcome.replication.io_errno = 2003;
        prepare(REPLICATION_RESTART, true);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &outcome);
        fixture_expect(PLAN_DELAY, CLUSTER_HELD);
}

static void test_a_daemon_that_has_started_since_has_nothing_to_roll_back_to(void **state)
{
        prepare(REPLICATION_RESTART, true);
        fail_with_b();
        fixture_restart();
        fixture_expect(PLAN_RESTART_REPLICATION, CLUSTER_IMPORTING);
        assert_int_equal(fixture.status->roll_back, TRISTATE_NO);
}

static void test_with_observe_a_check_finds_it(void **state)
{
        Outcome imported = {
                .kind = OUTCOME_IMPORTED, .effect.committed = true, .replication = running};
        Outcome check = refused();

        check.kind = OUTCOME_ALREADY_CURRENT;
        check.effect = (ImportEffect){0};
        prepare(REPLICATION_OBSERVE, true);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &imported);
        fixture_check(&(Outcome){.kind = OUTCOME_ALREADY_CURRENT, .replication = running});
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        fixture_check(&check);
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), 0);
        fixture_end(&fixture.import, &imported);
        fixture_expect(PLAN_KEEP, CLUSTER_HELD);
        assert_non_null(strstr(fixture.status->record->attempt.outcome.text, "by itself"));
}

static void test_a_proven_set_is_not_rolled_back(void **state)
{
        Outcome outcome = restarted(), check = refused();

        check.kind = OUTCOME_ALREADY_CURRENT;
        check.effect = (ImportEffect){0};
        prepare(REPLICATION_RESTART, true);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &outcome);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        assert_int_equal(fixture.sets[0].n_owners, 2);
        fixture_check(&(Outcome){.kind = OUTCOME_ALREADY_CURRENT, .replication = running});
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        assert_int_equal(fixture.sets[0].n_owners, 1);
        fixture_check(&check);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_a_former_set_that_has_expired_is_no_way_back(void **state)
{
        prepare(REPLICATION_RESTART, true);
        fixture.sets[0].info.not_after_usec = WALL + fixture.now;
        fail_with_b();
        fixture_expect(PLAN_DELAY, CLUSTER_HELD);
        assert_int_equal(fixture.status->roll_back, TRISTATE_NO);
}

static void test_a_roll_back_that_fails_is_not_repeated(void **state)
{
        prepare(REPLICATION_RESTART, true);
        fail_with_b();
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), 0);
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_UNREACHABLE, .text = "no route"});
        fixture_expect(PLAN_KEEP, CLUSTER_HELD);
        assert_string_equal(fixture.status->record->imported.fingerprint, B);
        assert_non_null(strstr(fixture.status->record->attempt.outcome.text, "no route"));
        fixture.now += 2 * CHECK_INTERVAL;
        fixture_expect(PLAN_CHECK, CLUSTER_HELD);
}

static void test_a_roll_back_that_is_aborted_is_in_doubt(void **state)
{
        prepare(REPLICATION_RESTART, true);
        fail_with_b();
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), 0);
        cluster_abort_import(fixture.cluster);
        fixture_expect(PLAN_KEEP, CLUSTER_HELD);
        assert_string_equal(fixture.status->record->imported.fingerprint, "");
}

static void test_what_a_roll_back_leaves_stopped_is_started(void **state)
{
        RecordStop stop = {.at_usec = WALL, .fingerprint = A, .mode = REPLICATION_RESTART};

        prepare(REPLICATION_RESTART, true);
        fail_with_b();
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), 0);
        assert_int_equal(fixture.import.handlers.stop(&stop, fixture.import.handlers.userdata), 0);
        cluster_abort_import(fixture.cluster);
        fixture_restart();
        fixture_expect(PLAN_START_REPLICATION, CLUSTER_IMPORTING);
}

static void test_a_roll_back_that_cannot_be_recorded_does_not_begin(void **state)
{
        prepare(REPLICATION_RESTART, true);
        fail_with_b();
        fixture.write_error = -EROFS;
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), -EROFS);
        assert_false(fixture.import.running);
        assert_string_equal(fixture.status->record->imported.fingerprint, B);
        assert_string_equal(fixture.status->record->imported.former_fingerprint, A);
        assert_int_equal(fixture.status->record->attempt.outcome.kind, OUTCOME_RECORD_FAILED);
        fixture_expect(PLAN_DELAY, CLUSTER_RETRYING);
        fixture.write_error = 0;
        fixture.now += RETRY_MAX;
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), 0);
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_UNREACHABLE});
}

static void test_a_cluster_that_moves_during_a_roll_back_knows_nothing_of_it(void **state)
{
        Outcome outcome = restarted();

        prepare(REPLICATION_RESTART, true);
        fail_with_b();
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), 0);
        fixture.cluster_config.login.host = "db2.example";
        fixture_configure();
        fixture_end(&fixture.import, &outcome);
        assert_false(fixture.status->record->attempt.outcome.known);
        assert_string_equal(fixture.status->record->imported.fingerprint, "");
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cluster_test(test_the_former_set_is_imported_once),
                cluster_test(test_the_set_is_held_over_time_reload_and_restart),
                cluster_test(test_a_command_before_a_roll_back_does_not_end_its_hold),
                cluster_test(test_without_rollback_no_set_is_kept),
                cluster_test(test_replication_that_did_not_run_before_is_not_rolled_back),
                cluster_test(test_the_reading_before_the_stop_decides_whether_it_ran),
                cluster_test(test_another_error_of_replication_is_not_rolled_back),
                cluster_test(test_a_daemon_that_has_started_since_has_nothing_to_roll_back_to),
                cluster_test(test_with_observe_a_check_finds_it),
                cluster_test(test_a_proven_set_is_not_rolled_back),
                cluster_test(test_a_former_set_that_has_expired_is_no_way_back),
                cluster_test(test_a_roll_back_that_fails_is_not_repeated),
                cluster_test(test_a_roll_back_that_is_aborted_is_in_doubt),
                cluster_test(test_what_a_roll_back_leaves_stopped_is_started),
                cluster_test(test_a_roll_back_that_cannot_be_recorded_does_not_begin),
                cluster_test(test_a_cluster_that_moves_during_a_roll_back_knows_nothing_of_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
