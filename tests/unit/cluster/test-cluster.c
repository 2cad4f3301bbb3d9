#include "tests/unit/cluster/cluster-fixture.h"

#include "tests/unit/test.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/macro.h"

static bool child_has(void *page, size_t size)
{
        int status = -1;
        pid_t child = fork();

        if (child == 0)
                _exit(msync(page, size, MS_ASYNC) < 0 && errno == ENOMEM ? 0 : 1);
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status) == 1;
}

/* An emulation of user processes has no MADV_DONTFORK. */
static bool children_lack_pages(size_t size)
{
        void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        bool lack;

        assert_true(page != MAP_FAILED);
        lack = madvise(page, size, MADV_DONTFORK) == 0 && !child_has(page, size);
        (void)munmap(page, size);
        return lack;
}

/* Its memory would be copied for each importer of all others. */
static void test_a_child_has_no_copy_of_the_cluster(void **state)
{
        size_t size = (size_t)sysconf(_SC_PAGESIZE);
        void *page = (void *)((uintptr_t)fixture.status / size * size);

        if (!children_lack_pages(size))
                skip();
        assert_int_equal(msync(page, size, MS_ASYNC), 0);
        assert_false(child_has(page, size));
}

static void test_a_cluster_waits_for_a_set(void **state)
{
        fixture_put_on_disk("");
        fixture_expect(PLAN_WAIT, CLUSTER_WAITING);
        assert_int_equal(fixture.status->out_of_sync_since_usec, 0);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STATE], 0);
}

static void test_a_disabled_cluster_does_nothing(void **state)
{
        fixture.cluster_config.enabled = false;
        fixture_configure();
        fixture_expect(PLAN_NOTHING, CLUSTER_DISABLED);
        assert_int_equal(fixture.status->out_of_sync_since_usec, 0);
}

static void test_a_new_set_is_imported_and_the_cluster_is_current(void **state)
{
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_true(cluster_is_importing(fixture.cluster));
        assert_int_equal(fixture.import.task.action, IMPORT_ACTION_IMPORT);
        assert_string_equal(fixture.import.task.set.fingerprint, A);
        assert_false(fixture.import.task.forced);
        assert_int_equal(fixture.import.task.timeout_usec, USEC_PER_MIN);
        assert_int_equal(fixture.status->deadline_usec, fixture.now + USEC_PER_MIN);

        fixture_end(
                &fixture.import, &(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true});
        assert_false(cluster_is_importing(fixture.cluster));
        assert_int_equal(fixture.status->deadline_usec, 0);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_ATTEMPT], 1);
        assert_int_equal(fixture.writer.n_scheduled, 1);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_the_record_follows_each_outcome(void **state)
{
        static const struct {
                Outcome outcome;
                const char *imported;
                unsigned failures;
        } cases[] = {
                {{.kind = OUTCOME_IMPORTED, .effect.committed = true}, A, 0},
                {{.kind = OUTCOME_ALREADY_CURRENT,
                         .ledger = {.known = true,
                                 .newest = {.state = LEDGER_STATE_IMPORTED, .set.fingerprint = A}}},
                        A, 0},
                {{.kind = OUTCOME_SUPERSEDED,
                         .ledger = {.known = true,
                                 .newest = {.state = LEDGER_STATE_IMPORTED, .set.fingerprint = B}}},
                        B, 1},
                {{.kind = OUTCOME_REPLICATION_FAILED, .effect.committed = true}, A, 1},
                {{.kind = OUTCOME_UNKNOWN, .effect.in_doubt = true}, "", 1},
                {{.kind = OUTCOME_UNREACHABLE}, "", 1},
                {{.kind = OUTCOME_NO_PRIVILEGE}, "", 1},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const Record *record = fixture.status->record;

                assert_int_equal(fixture_start(PLAN_IMPORT), 0);
                fixture_end(&fixture.import, &cases[i].outcome);
                assert_true(record->attempt.outcome.known);
                assert_int_equal(record->attempt.outcome.kind, cases[i].outcome.kind);
                assert_string_equal(record->attempt.fingerprint, A);
                assert_int_equal(record->attempt.failures, cases[i].failures);
                assert_int_equal(record->attempt.at_usec, WALL + fixture.now);
                assert_string_equal(record->imported.fingerprint, cases[i].imported);
                assert_int_equal(fixture_done(state), 0);
                assert_int_equal(fixture_make(state), 0);
        }
}

static void test_a_transient_error_is_retried_with_back_off(void **state)
{
        static const uint64_t delays[] = {RETRY_MIN, 2 * RETRY_MIN, RETRY_MAX, RETRY_MAX};

        for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
                fixture_import(OUTCOME_UNREACHABLE);
                fixture_expect(PLAN_DELAY, CLUSTER_RETRYING);
                assert_int_equal(fixture_not_before(), fixture.now + delays[i]);
                assert_int_equal(fixture.status->next_attempt_usec, fixture.now + delays[i]);
                fixture.now += delays[i] - 1;
                fixture_expect(PLAN_DELAY, CLUSTER_RETRYING);
                fixture.now++;
        }
        fixture_import(OUTCOME_IMPORTED);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        assert_int_equal(fixture.status->next_attempt_usec, 0);
}

static void test_another_error_holds_the_cluster(void **state)
{
        fixture_import(OUTCOME_NO_PRIVILEGE);
        fixture_expect(PLAN_DELAY, CLUSTER_HELD);
        assert_int_equal(fixture_not_before(), fixture.now + RETRY_HELD);
        fixture.now += RETRY_HELD;
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

static void test_a_new_set_ends_the_back_off(void **state)
{
        fixture_import(OUTCOME_NO_PRIVILEGE);
        fixture_put_on_disk(B);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

static void test_a_retry_now_ends_the_back_off(void **state)
{
        fixture_import(OUTCOME_NO_PRIVILEGE);
        cluster_retry_now(fixture.cluster, false);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

static void fail_times(unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                fixture_import(OUTCOME_UNREACHABLE);
                fixture.now += RETRY_MAX;
        }
}

static void expect_retry_in(uint64_t usec)
{
        assert_int_equal(fixture_not_before(), fixture.now + usec);
}

static void test_after_a_reset_the_back_off_begins_anew_and_the_failures_count_on(void **state)
{
        fail_times(3);
        cluster_retry_now(fixture.cluster, false);
        assert_int_equal(fixture.writer.n_retries, 1);
        fixture_import(OUTCOME_UNREACHABLE);
        expect_retry_in(RETRY_MIN);
        assert_int_equal(fixture.status->record->attempt.failures, 4);
        fixture.now += RETRY_MIN;
        fixture_import(OUTCOME_UNREACHABLE);
        expect_retry_in(2 * RETRY_MIN);
}

static void test_a_reset_counts_also_while_an_import_runs(void **state)
{
        fail_times(3);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        cluster_retry_now(fixture.cluster, true);
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_UNREACHABLE});
        expect_retry_in(RETRY_MIN);
}

static void test_a_restart_resets_the_back_off(void **state)
{
        fail_times(3);
        fixture_restart();
        fixture_import(OUTCOME_UNREACHABLE);
        expect_retry_in(RETRY_MIN);
        assert_int_equal(fixture.status->record->attempt.failures, 4);
}

static void test_the_back_off_of_another_set_or_after_a_success_begins_anew(void **state)
{
        fail_times(3);
        fixture_put_on_disk(B);
        fixture_import(OUTCOME_UNREACHABLE);
        expect_retry_in(RETRY_MIN);
        fixture.now += RETRY_MAX;
        fail_times(2);
        fixture_import(OUTCOME_IMPORTED);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        fixture_check(&(Outcome){.kind = OUTCOME_ALREADY_CURRENT, .ledger.known = true});
        fixture_import(OUTCOME_UNREACHABLE);
        expect_retry_in(RETRY_MIN);
}

static void test_new_times_apply_to_an_import_and_a_check_that_run(void **state)
{
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture.config.retry_min_usec = 2 * RETRY_MIN;
        fixture_configure();
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_UNREACHABLE});
        expect_retry_in(2 * RETRY_MIN);

        fixture.now += RETRY_MAX;
        fixture_import(OUTCOME_IMPORTED);
        fixture_start_check();
        fixture.config.check_interval_usec = 2 * CHECK_INTERVAL;
        fixture_configure();
        fixture_end(&fixture.check, &(Outcome){.kind = OUTCOME_ALREADY_CURRENT});
        expect_retry_in(2 * CHECK_INTERVAL - CHECK_INTERVAL / 5);
}

static void test_with_once_a_set_has_one_attempt(void **state)
{
        fixture.config.once = true;
        fixture_configure();
        fixture_import(OUTCOME_UNREACHABLE);
        fixture.now += 7 * USEC_PER_DAY;
        fixture_expect(PLAN_DELAY, CLUSTER_RETRYING);
        assert_int_equal(fixture_not_before(), USEC_NEVER);
        assert_int_equal(fixture.status->next_attempt_usec, 0);
        fixture_put_on_disk(B);
        fixture_import(OUTCOME_NO_PRIVILEGE);
        fixture.now += 7 * USEC_PER_DAY;
        fixture_expect(PLAN_DELAY, CLUSTER_HELD);
}

static void test_a_set_that_goes_leaves_the_cluster_waiting(void **state)
{
        fixture_import(OUTCOME_NO_PRIVILEGE);
        fixture_put_on_disk("");
        fixture_expect(PLAN_WAIT, CLUSTER_WAITING);
        assert_int_equal(fixture.status->next_attempt_usec, 0);
}

static void test_an_importer_that_cannot_start_is_a_transient_error(void **state)
{
        fixture.start_error = -EAGAIN;
        assert_int_equal(fixture_start(PLAN_IMPORT), -EAGAIN);
        assert_false(cluster_is_importing(fixture.cluster));
        assert_int_equal(fixture.status->deadline_usec, 0);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_ATTEMPT], 1);
        fixture_expect(PLAN_DELAY, CLUSTER_RETRYING);
}

static void test_each_import_reports_its_end_also_one_that_cannot_start(void **state)
{
        fixture_import(OUTCOME_UNREACHABLE);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_END], 1);
        fixture.now += RETRY_MIN;
        fixture.start_error = -EAGAIN;
        assert_int_equal(fixture_start(PLAN_IMPORT), -EAGAIN);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_END], 2);
}

static void test_a_failed_restart_of_replication_is_repeated_without_an_import(void **state)
{
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import,
                &(Outcome){.kind = OUTCOME_REPLICATION_FAILED,
                        .effect = {.committed = true, .restart_due = true}});
        fixture.now += RETRY_HELD;
        assert_int_equal(fixture_start(PLAN_RESTART_REPLICATION), 0);
        assert_int_equal(fixture.import.task.action, IMPORT_ACTION_RESTART_REPLICATION);
}

static void test_force_imports_a_current_set_once(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        cluster_retry_now(fixture.cluster, true);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_true(fixture.import.task.forced);
        fixture_end(
                &fixture.import, &(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true});
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_force_during_an_import_needs_no_second_one(void **state)
{
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        cluster_retry_now(fixture.cluster, true);
        fixture_end(
                &fixture.import, &(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true});
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_with_a_ledger_force_during_an_import_needs_a_second_one(void **state)
{
        fixture.cluster_config.ledger = "binlog.ledger";
        fixture_configure();
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        cluster_retry_now(fixture.cluster, true);
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_ALREADY_CURRENT});
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_true(fixture.import.task.forced);
}

static void test_force_during_an_import_is_for_the_set_that_is_on_disk_then(void **state)
{
        fixture.cluster_config.ledger = "binlog.ledger";
        fixture_configure();
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_put_on_disk(B);
        fixture_expect(PLAN_RUNS, CLUSTER_IMPORTING);
        cluster_retry_now(fixture.cluster, true);
        fixture_end(
                &fixture.import, &(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true});
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_string_equal(fixture.import.task.set.fingerprint, B);
        assert_true(fixture.import.task.forced);
}

static void test_force_during_a_restart_of_replication_makes_a_call_after_it(void **state)
{
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import,
                &(Outcome){.kind = OUTCOME_REPLICATION_FAILED,
                        .effect = {.committed = true, .restart_due = true}});
        fixture.now += RETRY_HELD;
        assert_int_equal(fixture_start(PLAN_RESTART_REPLICATION), 0);
        cluster_retry_now(fixture.cluster, true);
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_IMPORTED});
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_int_equal(fixture.import.task.action, IMPORT_ACTION_IMPORT);
}

static void test_force_ends_with_the_set_that_it_was_meant_for(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        cluster_retry_now(fixture.cluster, true);
        fixture_put_on_disk(B);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_false(fixture.import.task.forced);
        fixture_end(
                &fixture.import, &(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true});
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_without_a_set_or_enabled_force_is_not_kept(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture_put_on_disk("");
        fixture_expect(PLAN_WAIT, CLUSTER_WAITING);
        cluster_retry_now(fixture.cluster, true);
        fixture_put_on_disk(A);
        fixture_expect(PLAN_CHECK, CLUSTER_CURRENT);

        fixture.cluster_config.enabled = false;
        fixture_configure();
        fixture_expect(PLAN_NOTHING, CLUSTER_DISABLED);
        cluster_retry_now(fixture.cluster, true);
        fixture.cluster_config.enabled = true;
        fixture_configure();
        fixture_expect(PLAN_CHECK, CLUSTER_CURRENT);
}

static void test_an_import_is_one_into_the_server_that_it_started_with(void **state)
{
        Outcome outcome = {.kind = OUTCOME_TIMED_OUT};

        assert_false(cluster_is_importing_into(fixture.cluster, "db.example", 3306));
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture.cluster_config.login.host = "db2.example";
        fixture_configure();
        assert_true(cluster_is_importing_into(fixture.cluster, "db.example", 3306));
        assert_false(cluster_is_importing_into(fixture.cluster, "db.example", 3307));
        assert_false(cluster_is_importing_into(fixture.cluster, "db2.example", 3306));
        fixture_end(&fixture.import, &outcome);
        assert_false(cluster_is_importing_into(fixture.cluster, "db.example", 3306));
}

static void test_an_import_that_is_aborted_is_in_doubt(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        cluster_abort_import(fixture.cluster); /* none runs */
        assert_string_equal(fixture.status->record->imported.fingerprint, A);
        fixture_put_on_disk(B);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture.writer.n_scheduled = 0;
        cluster_abort_import(fixture.cluster);
        assert_false(fixture.import.running);
        assert_false(cluster_is_importing(fixture.cluster));
        assert_int_equal(fixture.status->record->attempt.outcome.kind, OUTCOME_UNKNOWN);
        assert_string_equal(fixture.status->record->imported.fingerprint, "");
        assert_int_equal(fixture.writer.n_scheduled, 1);
        fixture_put_on_disk(A);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

static void test_another_server_is_not_known_to_have_the_set(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        fixture_configure();
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        fixture.cluster_config.login.port = 3307;
        fixture_configure();
        assert_false(fixture.status->replication->known);
        fixture_import(OUTCOME_IMPORTED);
        fixture.cluster_config.login.host = "db2.example";
        fixture_configure();
        fixture_import(OUTCOME_IMPORTED);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_an_import_into_the_server_before_says_nothing_of_this_one(void **state)
{
        Outcome outcome = {.kind = OUTCOME_IMPORTED,
                .effect = {.committed = true, .newlines = NEWLINES_ESCAPED},
                .replication = {.known = true},
                .ledger = {.known = true,
                        .newest = {.state = LEDGER_STATE_IMPORTED, .set.fingerprint = A}}};

        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture.cluster_config.login.host = "db2.example";
        fixture_configure();
        assert_true(cluster_is_importing(fixture.cluster));
        fixture_end(&fixture.import, &outcome);
        assert_string_equal(fixture.status->record->imported.fingerprint, "");
        assert_int_equal(fixture.status->record->newlines, NEWLINES_AUTO);
        assert_false(fixture.status->replication->known);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_ATTEMPT], 1);
        fixture_import(OUTCOME_IMPORTED);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_a_failure_of_the_server_before_delays_no_import_into_this_one(void **state)
{
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture.cluster_config.login.host = "db2.example";
        fixture_configure();
        fixture_end(&fixture.import, &(Outcome){.kind = OUTCOME_UNREACHABLE});
        fixture_import(OUTCOME_UNREACHABLE);
        expect_retry_in(RETRY_MIN);
}

static void test_a_state_has_the_time_of_its_beginning_and_one_event(void **state)
{
        fixture_import(OUTCOME_NO_PRIVILEGE); /* waiting, importing */
        fixture_expect(PLAN_DELAY, CLUSTER_HELD);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STATE], 2);
        fixture.now += USEC_PER_MIN;
        fixture_expect(PLAN_DELAY, CLUSTER_HELD);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STATE], 2);
        assert_int_equal(fixture.status->since_usec, fixture.now - USEC_PER_MIN);
}

static void test_a_record_that_cannot_be_written_is_in_the_status(void **state)
{
        fixture.writer.fn(ENOSPC, fixture.writer.userdata);
        assert_int_equal(fixture.status->record_error, ENOSPC);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_RECORD], 1);
}

static void test_a_warning_covers_its_set_and_every_longer_threshold(void **state)
{
        assert_false(cluster_was_warned(fixture.cluster, A, 7 * USEC_PER_DAY));
        cluster_set_warned(fixture.cluster, A, 7 * USEC_PER_DAY);
        assert_int_equal(fixture.writer.n_scheduled, 1);
        assert_true(cluster_was_warned(fixture.cluster, A, 7 * USEC_PER_DAY));
        assert_true(cluster_was_warned(fixture.cluster, A, 30 * USEC_PER_DAY));
        assert_false(cluster_was_warned(fixture.cluster, A, 1 * USEC_PER_DAY));
        assert_false(cluster_was_warned(fixture.cluster, B, 7 * USEC_PER_DAY));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cluster_test(test_a_child_has_no_copy_of_the_cluster),
                cluster_test(test_a_cluster_waits_for_a_set),
                cluster_test(test_a_disabled_cluster_does_nothing),
                cluster_test(test_a_new_set_is_imported_and_the_cluster_is_current),
                cluster_test(test_the_record_follows_each_outcome),
                cluster_test(test_a_transient_error_is_retried_with_back_off),
                cluster_test(test_another_error_holds_the_cluster),
                cluster_test(test_a_new_set_ends_the_back_off),
                cluster_test(test_a_retry_now_ends_the_back_off),
                cluster_test(test_after_a_reset_the_back_off_begins_anew_and_the_failures_count_on),
                cluster_test(test_a_reset_counts_also_while_an_import_runs),
                cluster_test(test_a_restart_resets_the_back_off),
                cluster_test(test_the_back_off_of_another_set_or_after_a_success_begins_anew),
                cluster_test(test_new_times_apply_to_an_import_and_a_check_that_run),
                cluster_test(test_with_once_a_set_has_one_attempt),
                cluster_test(test_a_set_that_goes_leaves_the_cluster_waiting),
                cluster_test(test_an_importer_that_cannot_start_is_a_transient_error),
                cluster_test(test_each_import_reports_its_end_also_one_that_cannot_start),
                cluster_test(test_a_failed_restart_of_replication_is_repeated_without_an_import),
                cluster_test(test_force_imports_a_current_set_once),
                cluster_test(test_force_during_an_import_needs_no_second_one),
                cluster_test(test_with_a_ledger_force_during_an_import_needs_a_second_one),
                cluster_test(test_force_during_an_import_is_for_the_set_that_is_on_disk_then),
                cluster_test(test_force_during_a_restart_of_replication_makes_a_call_after_it),
                cluster_test(test_force_ends_with_the_set_that_it_was_meant_for),
                cluster_test(test_without_a_set_or_enabled_force_is_not_kept),
                cluster_test(test_an_import_is_one_into_the_server_that_it_started_with),
                cluster_test(test_an_import_that_is_aborted_is_in_doubt),
                cluster_test(test_another_server_is_not_known_to_have_the_set),
                cluster_test(test_an_import_into_the_server_before_says_nothing_of_this_one),
                cluster_test(test_a_failure_of_the_server_before_delays_no_import_into_this_one),
                cluster_test(test_a_state_has_the_time_of_its_beginning_and_one_event),
                cluster_test(test_a_record_that_cannot_be_written_is_in_the_status),
                cluster_test(test_a_warning_covers_its_set_and_every_longer_threshold),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
