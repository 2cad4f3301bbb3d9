#include "tests/unit/cluster/cluster-fixture.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

static const Outcome broken = {.kind = OUTCOME_ALREADY_CURRENT,
        .replication = {.known = true,
                .configured = true,
                .io_running = "Connecting",
                .sql_running = "Yes",
                .io_errno = 2026,
                .io_error = "SSL connection error"}};

static void fail_with_tls(void)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&broken);
}

static void test_a_check_that_finds_a_tls_error_imports_the_set_once_more(void **state)
{
        fail_with_tls();
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_HEAL], 0);
        fixture.writer.n_written = 0;
        assert_int_equal(fixture_start(PLAN_HEAL), 0);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_HEAL], 1);
        assert_int_equal(fixture.writer.n_written, 1);
        assert_int_equal(fixture.import.task.action, IMPORT_ACTION_IMPORT);
        assert_true(fixture.import.task.forced); /* the ledger names the set */
        assert_string_equal(fixture.import.task.set.fingerprint, A);
        fixture_end(
                &fixture.import, &(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true});
        assert_int_equal(fixture.status->record->healed_at_usec, WALL + fixture.now);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_a_heal_that_does_not_help_is_not_repeated_before_15_minutes(void **state)
{
        uint64_t healed_at;

        fail_with_tls();
        assert_int_equal(fixture_start(PLAN_HEAL), 0);
        healed_at = fixture.now;
        fixture_end(
                &fixture.import, &(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true});
        while (fixture.now + 2 * CHECK_INTERVAL < healed_at + 15 * USEC_PER_MIN) {
                fixture_check(&broken);
                fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        }
        fixture_check(&broken);
        fixture_expect(PLAN_HEAL, CLUSTER_IMPORTING);
}

static void test_a_restart_of_the_daemon_does_not_heal_again(void **state)
{
        fail_with_tls();
        assert_int_equal(fixture_start(PLAN_HEAL), 0);
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_UNREACHABLE});
        fixture_restart();
        fixture_check(&broken);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_a_record_that_cannot_be_written_prevents_no_heal(void **state)
{
        fail_with_tls();
        fixture.write_error = -EROFS;
        assert_int_equal(fixture_start(PLAN_HEAL), 0);
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_UNREACHABLE});
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_a_refused_account_is_not_healed(void **state)
{
        Outcome refused = broken;

        refused.replication.io_errno = 1045;
        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&refused);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_an_error_without_a_reason_is_healed_when_a_second_check_finds_it(void **state)
{
        Outcome doubtful = broken;

        doubtful.replication.io_errno = 2013;
        strcpy(doubtful.replication.io_error, "Lost connection to MySQL server during query");
        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&doubtful);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        fixture_check(&(Outcome){.kind = OUTCOME_UNREACHABLE}); /* has read nothing */
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        fixture_check(&doubtful);
        fixture_expect(PLAN_HEAL, CLUSTER_IMPORTING);
}

static void test_an_error_without_a_reason_that_has_ended_is_not_healed(void **state)
{
        Outcome doubtful = broken, running = broken;

        doubtful.replication.io_errno = 2013;
        strcpy(running.replication.io_running, "Yes");
        running.replication.io_errno = 0;
        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&doubtful);
        fixture_check(&running);
        fixture_check(&doubtful);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

/* What an import itself has read is the state before the next try of the I/O thread. */
static void test_the_status_after_an_import_heals_nothing(void **state)
{
        Outcome outcome = broken;

        outcome.kind = OUTCOME_IMPORTED;
        outcome.effect.committed = true;
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &outcome);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_replication_that_is_not_looked_at_is_not_healed(void **state)
{
        fail_with_tls();
        fixture.cluster_config.replication = REPLICATION_IGNORE;
        fixture_configure();
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_a_forced_import_during_a_heal_is_the_heal(void **state)
{
        fail_with_tls();
        assert_int_equal(fixture_start(PLAN_HEAL), 0);
        cluster_retry_now(fixture.cluster, true);
        fixture_end(
                &fixture.import, &(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true});
        fixture_start_check();
        fixture_end(&fixture.check, &(Outcome){.kind = OUTCOME_ALREADY_CURRENT});
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cluster_test(test_a_check_that_finds_a_tls_error_imports_the_set_once_more),
                cluster_test(test_a_heal_that_does_not_help_is_not_repeated_before_15_minutes),
                cluster_test(test_a_restart_of_the_daemon_does_not_heal_again),
                cluster_test(test_a_record_that_cannot_be_written_prevents_no_heal),
                cluster_test(test_a_refused_account_is_not_healed),
                cluster_test(test_an_error_without_a_reason_is_healed_when_a_second_check_finds_it),
                cluster_test(test_an_error_without_a_reason_that_has_ended_is_not_healed),
                cluster_test(test_the_status_after_an_import_heals_nothing),
                cluster_test(test_replication_that_is_not_looked_at_is_not_healed),
                cluster_test(test_a_forced_import_during_a_heal_is_the_heal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
