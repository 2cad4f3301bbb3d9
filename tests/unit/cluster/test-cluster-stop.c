#include "tests/unit/cluster/cluster-fixture.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

static const RecordStop stop = {
        .at_usec = WALL, .fingerprint = A, .mode = REPLICATION_RESTART, .log_position = 7};

/* An import that has begun to stop replication. */
static void start_and_stop(void)
{
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_false(fixture.import.task.stop.at_usec > 0);
        assert_int_equal(fixture.import.handlers.stop(&stop, fixture.import.handlers.userdata), 0);
}

static void leave_stopped(void)
{
        Outcome outcome = {.kind = OUTCOME_UNKNOWN, .effect.in_doubt = true};

        start_and_stop();
        fixture_end(&fixture.import, &outcome);
}

static void test_a_stop_is_written_before_it_is_answered(void **state)
{
        const Replication *replication = fixture.status->replication;

        start_and_stop();
        assert_int_equal(fixture.writer.n_written, 1);
        assert_true(record_is_stopped(fixture.status->record));
        assert_int_equal(fixture.status->record->stop.log_position, 7);
        assert_true(replication->known && replication->stopped_by_us);
        assert_string_equal(replication->io_running, "");
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STOPPED], 0); /* not left stopped */
}

static void test_a_stop_that_cannot_be_written_is_refused(void **state)
{
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture.write_error = -EROFS;
        assert_int_equal(
                fixture.import.handlers.stop(&stop, fixture.import.handlers.userdata), -EROFS);
        assert_false(record_is_stopped(fixture.status->record));
        assert_false(fixture.status->replication->stopped_by_us);
}

static void test_a_stop_of_a_former_server_is_refused(void **state)
{
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture.cluster_config.login.host = "db2.example";
        fixture_configure();
        assert_int_equal(
                fixture.import.handlers.stop(&stop, fixture.import.handlers.userdata), -ESTALE);
        assert_int_equal(fixture.writer.n_written, 0);
        assert_false(record_is_stopped(fixture.status->record));
}

static void test_an_import_that_starts_replication_ends_the_stop(void **state)
{
        Outcome outcome = {.kind = OUTCOME_IMPORTED,
                .effect = {.committed = true, .replication_started = true},
                .replication = {.known = true,
                        .configured = true,
                        .io_running = "Yes",
                        .sql_running = "Yes"}};

        start_and_stop();
        fixture_end(&fixture.import, &outcome);
        assert_false(record_is_stopped(fixture.status->record));
        assert_false(fixture.status->replication->stopped_by_us);
        assert_string_equal(fixture.status->replication->io_running, "Yes");
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STOPPED], 0);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STARTED], 0);
}

static void test_replication_that_is_left_stopped_is_reported_once_and_started(void **state)
{
        Outcome outcome = {.kind = OUTCOME_IMPORTED, .effect.replication_started = true};

        leave_stopped();
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STOPPED], 1);
        fixture_put_on_disk("");
        fixture_expect(PLAN_DELAY, CLUSTER_RETRYING);
        assert_int_equal(fixture_not_before(), fixture.now + RETRY_MIN);
        fixture.now += RETRY_MIN;
        assert_int_equal(fixture_start(PLAN_START_REPLICATION), 0);
        assert_int_equal(fixture.import.task.action, IMPORT_ACTION_START_REPLICATION);
        assert_true(fixture.import.task.stop.at_usec > 0);
        fixture.writer.n_scheduled = 0;
        fixture_end(&fixture.import, &outcome);
        assert_false(record_is_stopped(fixture.status->record));
        assert_int_equal(fixture.writer.n_scheduled, 1);
        assert_false(fixture.status->replication->known);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STOPPED], 1);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STARTED], 1);
        fixture_expect(PLAN_WAIT, CLUSTER_WAITING);
}

static void test_a_start_that_fails_is_repeated_with_back_off(void **state)
{
        Outcome outcome = {.kind = OUTCOME_REPLICATION_FAILED, .text = "no", .next_step = "GRANT"};
        uint64_t delays[] = {RETRY_MIN, 2 * RETRY_MIN, RETRY_MAX, RETRY_MAX};

        leave_stopped();
        fixture_put_on_disk("");
        for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
                assert_int_equal(fixture_not_before(), fixture.now + delays[i]);
                fixture.now += delays[i];
                assert_int_equal(fixture_start(PLAN_START_REPLICATION), 0);
                fixture_end(&fixture.import, &outcome);
                assert_int_equal(fixture.n_events[CLUSTER_EVENT_STOPPED], i + 2);
        }
        assert_string_equal(fixture.status->start.failure.text, "no");
        assert_string_equal(fixture.status->start.failure.next_step, "GRANT");
        assert_int_equal(fixture.status->record->attempt.failures, 1);
        assert_int_equal(fixture.status->record->attempt.outcome.kind, OUTCOME_UNKNOWN);
        cluster_retry_now(fixture.cluster, false);
        fixture_expect(PLAN_START_REPLICATION, CLUSTER_IMPORTING);
}

static void test_a_start_changes_nothing_of_a_held_set(void **state)
{
        Outcome held = {.kind = OUTCOME_REJECTED, .text = "no set"};
        Outcome started = {.kind = OUTCOME_IMPORTED, .effect.replication_started = true};

        start_and_stop();
        fixture_end(&fixture.import, &held);
        fixture_expect(PLAN_DELAY, CLUSTER_HELD);
        fixture.now += RETRY_MIN;
        assert_int_equal(fixture_start(PLAN_START_REPLICATION), 0);
        fixture_end(&fixture.import, &started);
        fixture_expect(PLAN_DELAY, CLUSTER_HELD);
        assert_string_equal(fixture.status->record->attempt.outcome.text, "no set");
        assert_int_equal(fixture_not_before(), USEC_PER_DAY + RETRY_HELD);
}

static void test_a_start_that_is_aborted_leaves_the_set_imported(void **state)
{
        Outcome outcome = {.kind = OUTCOME_IMPORTED, .effect.committed = true};

        start_and_stop();
        fixture_end(&fixture.import, &outcome);
        fixture.now += RETRY_MIN;
        assert_int_equal(fixture_start(PLAN_START_REPLICATION), 0);
        cluster_abort_import(fixture.cluster);
        assert_string_equal(fixture.status->record->imported.fingerprint, A);
        assert_true(record_is_stopped(fixture.status->record));
}

static void test_the_start_at_a_former_server_says_nothing_of_this_one(void **state)
{
        Outcome outcome = {.kind = OUTCOME_IMPORTED, .effect.replication_started = true};

        leave_stopped();
        fixture_put_on_disk("");
        fixture.now += RETRY_MIN;
        assert_int_equal(fixture_start(PLAN_START_REPLICATION), 0);
        fixture.cluster_config.login.host = "db2.example";
        fixture_configure();
        fixture_end(&fixture.import, &outcome);
        fixture_expect(PLAN_WAIT, CLUSTER_WAITING);
        assert_false(fixture.status->record->attempt.outcome.known);
}

static void test_a_stop_of_a_daemon_before_is_reported_and_started(void **state)
{
        Record record = {.host = "db.example", .port = 3306, .stop = stop};

        fixture.cluster = cluster_free(fixture.cluster);
        assert_int_equal(fixture_make_cluster(&record), 0);
        assert_true(fixture.status->replication->stopped_by_us);
        fixture_put_on_disk("");
        fixture_expect(PLAN_START_REPLICATION, CLUSTER_IMPORTING);
        fixture_expect(PLAN_START_REPLICATION, CLUSTER_IMPORTING);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STOPPED], 1);
}

static void test_an_importer_that_cannot_be_ended_keeps_its_cluster_and_no_slot(void **state)
{
        Outcome outcome = {.kind = OUTCOME_TIMED_OUT, .effect.in_doubt = true};
        Plan plan;

        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture.import.stuck = true;
        fixture.import.handlers.ended(&outcome, fixture.import.handlers.userdata);
        assert_true(fixture.import.running);
        assert_false(cluster_is_importing(fixture.cluster));
        assert_int_equal(fixture.status->deadline_usec, 0);
        fixture.now += USEC_PER_DAY;
        fixture_expect(PLAN_DELAY, CLUSTER_RETRYING);
        assert_int_equal(fixture.status->next_attempt_usec, 0);
        cluster_retry_now(fixture.cluster, true);
        plan = cluster_plan(fixture.cluster, fixture.set, fixture.wave, fixture.now);
        assert_int_equal(plan.action, PLAN_DELAY);
        assert_true(plan.not_before_usec == USEC_NEVER);

        fixture.n_events[CLUSTER_EVENT_END] = 0;
        fixture.import.handlers.released(fixture.import.handlers.userdata);
        assert_false(fixture.import.running);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_END], 1);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

static void test_a_checker_that_cannot_be_ended_leaves_the_cluster_current(void **state)
{
        Outcome outcome = {.kind = OUTCOME_TIMED_OUT, .text = "it does not end"};

        fixture_import(OUTCOME_IMPORTED);
        fixture_start_check();
        fixture.check.stuck = true;
        fixture.check.handlers.ended(&outcome, fixture.check.handlers.userdata);
        assert_string_equal(fixture.status->check.failure.text, "it does not end");
        fixture.now += USEC_PER_DAY;
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        cluster_retry_now(fixture.cluster, true); /* refused: it would not start now */
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        fixture_put_on_disk(B); /* its importer would wait as well */
        fixture_expect(PLAN_DELAY, CLUSTER_RETRYING);
        fixture.check.handlers.released(fixture.check.handlers.userdata);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cluster_test(test_an_importer_that_cannot_be_ended_keeps_its_cluster_and_no_slot),
                cluster_test(test_a_checker_that_cannot_be_ended_leaves_the_cluster_current),
                cluster_test(test_a_stop_is_written_before_it_is_answered),
                cluster_test(test_a_stop_that_cannot_be_written_is_refused),
                cluster_test(test_a_stop_of_a_former_server_is_refused),
                cluster_test(test_an_import_that_starts_replication_ends_the_stop),
                cluster_test(test_replication_that_is_left_stopped_is_reported_once_and_started),
                cluster_test(test_a_start_that_fails_is_repeated_with_back_off),
                cluster_test(test_a_start_changes_nothing_of_a_held_set),
                cluster_test(test_a_start_that_is_aborted_leaves_the_set_imported),
                cluster_test(test_the_start_at_a_former_server_says_nothing_of_this_one),
                cluster_test(test_a_stop_of_a_daemon_before_is_reported_and_started),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
