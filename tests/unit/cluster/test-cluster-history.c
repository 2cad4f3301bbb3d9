#include "tests/unit/cluster/cluster-fixture.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

static const Replication running = {
        .known = true, .configured = true, .io_running = "Yes", .sql_running = "Yes"};

static HistoryEntry entry(unsigned i)
{
        HistoryEntry entries[HISTORY_MAX];

        assert_true(i < history_read(entries, HISTORY_MAX, fixture.status->record->history));
        return entries[i];
}

static void expect_size(unsigned size)
{
        assert_int_equal(history_size(fixture.status->record->history), size);
}

/* Expects the newest entry to be this. */
static void expect(HistoryAction action, HistoryTrigger trigger, OutcomeKind outcome,
        const char *fingerprint, const char *text)
{
        HistoryEntry found = entry(0);

        assert_int_equal(found.action, action);
        assert_int_equal(found.trigger, trigger);
        assert_int_equal(found.outcome, outcome);
        assert_string_equal(found.fingerprint, fingerprint);
        assert_string_equal(found.text, text);
        assert_int_equal(found.at_usec, WALL + fixture.now);
}

static void be_unreachable(void)
{
        const Outcome outcome = {
                .kind = OUTCOME_UNREACHABLE, .sql_errno = 2003, .text = "no route"};

        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &outcome);
}

static void test_a_cluster_without_an_attempt_has_none(void **state)
{
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
        assert_null(fixture.status->record->history);
}

static void test_an_import_of_a_new_set_is_of_a_rotation(void **state)
{
        Outcome outcome = {.kind = OUTCOME_IMPORTED,
                .effect.committed = true,
                .text = "not of a success",
                .duration_usec = 7 * USEC_PER_SEC};

        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &outcome);
        expect(HISTORY_IMPORT, HISTORY_ROTATION, OUTCOME_IMPORTED, A, "");
        assert_int_equal(entry(0).duration_usec, 7 * USEC_PER_SEC);
        fixture_put_on_disk(B);
        fixture_import(OUTCOME_IMPORTED);
        expect(HISTORY_IMPORT, HISTORY_ROTATION, OUTCOME_IMPORTED, B, "");
        expect_size(2);
}

static void test_retries_are_one_entry(void **state)
{
        for (unsigned i = 0; i < 5; i++) {
                be_unreachable();
                fixture.now += RETRY_MAX;
        }
        expect_size(1);
        assert_int_equal(entry(0).count, 5);
        assert_int_equal(entry(0).sql_errno, 2003);
        fixture_import(OUTCOME_IMPORTED);
        expect_size(2);
        expect(HISTORY_IMPORT, HISTORY_RETRY, OUTCOME_IMPORTED, A, "");
}

static void test_an_import_that_an_operator_has_asked_for_is_of_a_command(void **state)
{
        be_unreachable();
        cluster_retry_now(fixture.cluster, false);
        fixture_import(OUTCOME_IMPORTED);
        expect(HISTORY_IMPORT, HISTORY_COMMAND, OUTCOME_IMPORTED, A, "");
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        cluster_retry_now(fixture.cluster, true);
        fixture_import(OUTCOME_IMPORTED);
        expect(HISTORY_IMPORT, HISTORY_COMMAND, OUTCOME_IMPORTED, A, "");
}

static void test_a_command_that_found_nothing_to_do_is_over(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        cluster_retry_now(fixture.cluster, false);
        assert_int_equal(fixture_start(PLAN_CHECK), 0);
        fixture_end(&fixture.check, &(Outcome){.kind = OUTCOME_ALREADY_CURRENT});
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        fixture_put_on_disk(B);
        fixture_import(OUTCOME_IMPORTED);
        expect(HISTORY_IMPORT, HISTORY_ROTATION, OUTCOME_IMPORTED, B, "");
}

static void test_checks_that_pass_are_none(void **state)
{
        unsigned scheduled;

        fixture_import(OUTCOME_IMPORTED);
        scheduled = fixture.writer.n_scheduled;
        fixture_check(&(Outcome){.kind = OUTCOME_ALREADY_CURRENT, .replication = running});
        fixture_check(&(Outcome){.kind = OUTCOME_ALREADY_CURRENT, .replication = running});
        expect_size(1);
        assert_int_equal(fixture.writer.n_scheduled, scheduled);
}

static void test_a_check_with_another_result_is_recorded(void **state)
{
        const Outcome failed = {.kind = OUTCOME_UNREACHABLE, .text = "no route"};
        unsigned scheduled;

        fixture_import(OUTCOME_IMPORTED);
        scheduled = fixture.writer.n_scheduled;
        fixture_check(&failed);
        expect(HISTORY_CHECK, HISTORY_TRIGGER_NONE, OUTCOME_UNREACHABLE, A, "no route");
        assert_int_equal(fixture.writer.n_scheduled, scheduled + 1);
        fixture_check(&failed);
        assert_int_equal(fixture.writer.n_scheduled, scheduled + 1);
        expect_size(2);
        fixture_restart();
        fixture_check(&failed); /* as before the restart */
        expect_size(2);
        fixture_check(&(Outcome){.kind = OUTCOME_ALREADY_CURRENT});
        expect(HISTORY_CHECK, HISTORY_TRIGGER_NONE, OUTCOME_ALREADY_CURRENT, A, "");
}

static void test_a_check_that_finds_replication_failing_has_its_error(void **state)
{
        Outcome outcome = {.kind = OUTCOME_ALREADY_CURRENT, .replication = running};

        fixture_import(OUTCOME_IMPORTED);
        strcpy(outcome.replication.sql_running, "No");
        outcome.replication.sql_errno = 1062;
        strcpy(outcome.replication.sql_error, "duplicate entry");
        fixture_check(&outcome);
        assert_int_equal(entry(0).action, HISTORY_CHECK);
        assert_int_equal(entry(0).outcome, OUTCOME_REPLICATION_FAILED);
        assert_int_equal(entry(0).sql_errno, 1062);
        assert_non_null(strstr(entry(0).text, "duplicate entry"));
        fixture_check(&(Outcome){.kind = OUTCOME_ALREADY_CURRENT, .replication = running});
        expect(HISTORY_CHECK, HISTORY_TRIGGER_NONE, OUTCOME_ALREADY_CURRENT, A, "");
}

static void test_another_server_is_why_the_set_is_imported_again(void **state)
{
        Outcome outcome = {.kind = OUTCOME_IMPORTED, .effect.committed = true};

        strcpy(outcome.server.uuid, "one");
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &outcome);
        outcome = (Outcome){.kind = OUTCOME_ALREADY_CURRENT};
        strcpy(outcome.server.uuid, "two");
        fixture_check(&outcome);
        assert_string_equal(entry(0).text, "another server answers, which may not have the set");
        fixture_import(OUTCOME_IMPORTED);
        expect(HISTORY_IMPORT, HISTORY_FINDING, OUTCOME_IMPORTED, A, "");
}

static void test_a_restart_of_replication_is_a_retry(void **state)
{
        const Outcome due = {.kind = OUTCOME_REPLICATION_FAILED,
                .text = "slow",
                .effect = {.committed = true, .restart_due = true}};

        fixture.cluster_config.replication = REPLICATION_RESTART;
        fixture_configure();
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &due);
        fixture.now += RETRY_HELD;
        assert_int_equal(fixture_start(PLAN_RESTART_REPLICATION), 0);
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_IMPORTED});
        expect(HISTORY_RESTART, HISTORY_RETRY, OUTCOME_IMPORTED, A, "");
        expect_size(2);
}

static void test_a_start_of_replication_is_about_no_set(void **state)
{
        const RecordStop stop = {.at_usec = WALL, .mode = REPLICATION_RESTART, .completed = true};

        fixture.cluster_config.replication = REPLICATION_RESTART;
        fixture_configure();
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_int_equal(fixture.import.handlers.stop(
                                 &(RecordStop){.at_usec = WALL, .mode = REPLICATION_RESTART},
                                 fixture.import.handlers.userdata),
                0);
        assert_int_equal(fixture.import.handlers.stop(&stop, fixture.import.handlers.userdata), 0);
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_AUTH, .sql_errno = 1045});
        fixture.now += RETRY_MAX;
        assert_int_equal(cluster_plan(fixture.cluster, fixture.set, NULL, fixture.now).action,
                PLAN_START_REPLICATION);
        assert_int_equal(cluster_start(fixture.cluster, PLAN_START_REPLICATION, fixture.set), 0);
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_UNREACHABLE, .text = "no route"});
        expect(HISTORY_START, HISTORY_RETRY, OUTCOME_UNREACHABLE, "", "no route");
}

static Outcome replicates(OutcomeKind kind)
{
        Outcome outcome = {.kind = kind,
                .effect = {.committed = true,
                        .replication_started = true,
                        .replication_restarted = kind == OUTCOME_IMPORTED},
                .replication = running};

        if (kind != OUTCOME_REPLICATION_FAILED)
                return outcome;
        outcome.effect.restart_due = true;
        outcome.replication.io_errno = 1045;
        strcpy(outcome.replication.io_running, "Connecting");
        strcpy(outcome.replication.io_error, "denied");
        return outcome;
}

/* Set A is imported, and replication fails with B. */
static void fail_with_b(void)
{
        Outcome outcome = replicates(OUTCOME_IMPORTED);

        fixture.cluster_config.replication = REPLICATION_RESTART;
        fixture.cluster_config.on_replication_failure = REPLICATION_FAILURE_ROLLBACK;
        fixture_configure();
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &outcome);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        fixture_put_on_disk(B);
        outcome = replicates(OUTCOME_REPLICATION_FAILED);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &outcome);
}

static void test_a_roll_back_is_about_the_set_that_was_imported_again(void **state)
{
        Outcome outcome = replicates(OUTCOME_IMPORTED);

        fail_with_b();
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), 0);
        fixture_end(&fixture.import, &outcome);
        assert_int_equal(entry(0).action, HISTORY_ROLLBACK);
        assert_int_equal(entry(0).trigger, HISTORY_AFTER_IMPORT);
        assert_int_equal(entry(0).outcome, OUTCOME_ROLLED_BACK);
        assert_string_equal(entry(0).fingerprint, A);
        assert_non_null(strstr(entry(0).text, "set bbbbbbbbbbbb was taken back"));
        expect_size(3);
}

static void test_a_roll_back_that_cannot_be_recorded_is_one(void **state)
{
        fail_with_b();
        fixture.write_error = -ENOSPC;
        assert_int_equal(fixture_start(PLAN_ROLL_BACK), -ENOSPC);
        assert_int_equal(entry(0).action, HISTORY_ROLLBACK);
        assert_int_equal(entry(0).outcome, OUTCOME_RECORD_FAILED);
}

static void test_a_heal_is_an_import_after_a_check(void **state)
{
        Outcome outcome = {.kind = OUTCOME_ALREADY_CURRENT, .replication = running};

        fixture_import(OUTCOME_IMPORTED);
        strcpy(outcome.replication.io_running, "Connecting");
        outcome.replication.io_errno = 2026;
        strcpy(outcome.replication.io_error, "TLS/SSL error: certificate expired");
        fixture_check(&outcome);
        assert_int_equal(fixture_start(PLAN_HEAL), 0);
        fixture_end(
                &fixture.import, &(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true});
        expect(HISTORY_IMPORT, HISTORY_FINDING, OUTCOME_IMPORTED, A, "");
}

static void test_a_removal_is_about_the_set_that_was_there(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture.cluster_config.enabled = false;
        fixture_configure();
        fixture_expect(PLAN_NOTHING, CLUSTER_DISABLED);
        cluster_remove(fixture.cluster);
        fixture_expect(PLAN_REMOVE, CLUSTER_DISABLED);
        assert_int_equal(cluster_start(fixture.cluster, PLAN_REMOVE, fixture.set), 0);
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_REMOVED});
        expect(HISTORY_REMOVE, HISTORY_COMMAND, OUTCOME_REMOVED, A, "");
        expect_size(2);
        assert_true(record_is_forgotten(fixture.status->record));
}

static void test_it_is_one_of_the_name_and_outlives_a_move(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture.cluster_config.login.host = "db2.example";
        fixture_configure();
        expect_size(1);
        fixture_restart();
        expect_size(1);
        expect(HISTORY_IMPORT, HISTORY_ROTATION, OUTCOME_IMPORTED, A, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cluster_test(test_a_cluster_without_an_attempt_has_none),
                cluster_test(test_an_import_of_a_new_set_is_of_a_rotation),
                cluster_test(test_retries_are_one_entry),
                cluster_test(test_an_import_that_an_operator_has_asked_for_is_of_a_command),
                cluster_test(test_a_command_that_found_nothing_to_do_is_over),
                cluster_test(test_checks_that_pass_are_none),
                cluster_test(test_a_check_with_another_result_is_recorded),
                cluster_test(test_a_check_that_finds_replication_failing_has_its_error),
                cluster_test(test_another_server_is_why_the_set_is_imported_again),
                cluster_test(test_a_restart_of_replication_is_a_retry),
                cluster_test(test_a_start_of_replication_is_about_no_set),
                cluster_test(test_a_roll_back_is_about_the_set_that_was_imported_again),
                cluster_test(test_a_roll_back_that_cannot_be_recorded_is_one),
                cluster_test(test_a_heal_is_an_import_after_a_check),
                cluster_test(test_a_removal_is_about_the_set_that_was_there),
                cluster_test(test_it_is_one_of_the_name_and_outlives_a_move),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
