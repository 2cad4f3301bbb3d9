#include "tests/unit/cluster/cluster-fixture.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/text.h"

static void test_a_retry_now_without_force_only_checks_a_current_cluster(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        cluster_retry_now(fixture.cluster, false);
        fixture_expect(PLAN_CHECK, CLUSTER_CURRENT);
        assert_true(fixture.status->check.due);
}

static void test_a_current_cluster_is_checked_when_the_interval_is_over(void **state)
{
        uint64_t due;

        fixture_import(OUTCOME_IMPORTED);
        due = fixture.now + CHECK_INTERVAL - CHECK_INTERVAL / 10; /* the random number is 0 */
        assert_int_equal(fixture_not_before(), due);
        fixture.now = due;
        assert_int_equal(fixture_start(PLAN_CHECK), 0);
        assert_true(cluster_is_checking(fixture.cluster));
        assert_false(cluster_is_importing(fixture.cluster));
        assert_int_equal(fixture.check.task.timeout_usec, 15 * USEC_PER_SEC);
        fixture_end(&fixture.check, &(Outcome){.kind = OUTCOME_ALREADY_CURRENT});
        assert_false(fixture.status->check.due);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        assert_int_equal(fixture_not_before(), due + CHECK_INTERVAL - CHECK_INTERVAL / 10);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_ATTEMPT], 1);
}

static void test_with_once_a_current_cluster_has_one_check(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture_restart();
        fixture.config.once = true;
        fixture_configure();
        fixture_check(&(Outcome){.kind = OUTCOME_UNREACHABLE});
        fixture.now += 7 * USEC_PER_DAY;
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        assert_int_equal(fixture_not_before(), USEC_NEVER);
}

static void test_without_replication_and_ledger_there_is_no_check(void **state)
{
        fixture.cluster_config.replication = REPLICATION_IGNORE;
        fixture_configure();
        fixture_import(OUTCOME_IMPORTED);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        assert_int_equal(fixture_not_before(), 0);
}

static void test_what_is_asked_no_more_is_not_known_any_more(void **state)
{
        Outcome broken = {.kind = OUTCOME_NO_PRIVILEGE,
                .text = "denied",
                .replication = {.known = true, .configured = true, .io_errno = 2003}};

        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&broken);
        fixture_configure();
        assert_true(fixture.status->replication->known);
        assert_string_equal(kept_outcome_reason(&fixture.status->check.failure), "denied");
        fixture_start_check();
        fixture.cluster_config.replication = REPLICATION_IGNORE;
        fixture_configure();
        assert_false(fixture.check.running);
        assert_false(fixture.status->replication->known);
        assert_false(fixture.status->check.failure.known);
        assert_false(fixture.status->check.due);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);

        fixture.cluster_config.ledger = "binlog.ledger";
        fixture_configure();
        fixture_check(&(Outcome){.kind = OUTCOME_UNREACHABLE, .text = "no route"});
        fixture.cluster_config.ledger = "binlog.other";
        fixture_configure();
        assert_false(fixture.status->check.failure.known);
}

static void test_an_import_that_ends_later_does_not_know_it_either(void **state)
{
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture.cluster_config.replication = REPLICATION_IGNORE;
        fixture_configure();
        fixture_end(&fixture.import,
                &(Outcome){.kind = OUTCOME_IMPORTED,
                        .effect.committed = true,
                        .replication = {.known = true, .io_errno = 2003}});
        assert_false(fixture.status->replication->known);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_a_ledger_alone_is_checked(void **state)
{
        fixture.cluster_config.replication = REPLICATION_IGNORE;
        fixture.cluster_config.ledger = "binlog.ledger";
        fixture_configure();
        fixture_import(OUTCOME_IMPORTED);
        assert_int_not_equal(fixture_not_before(), 0);
}

static void test_a_check_gives_way_to_an_import(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture_start_check();
        fixture_put_on_disk(B);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_false(fixture.check.running);
        assert_false(cluster_is_checking(fixture.cluster));
        assert_true(cluster_is_importing(fixture.cluster));
}

static void test_a_failed_check_is_reported_until_one_succeeds(void **state)
{
        Outcome failed = {.kind = OUTCOME_UNREACHABLE, .text = "no route"};
        Outcome passed = {.kind = OUTCOME_ALREADY_CURRENT};

        fixture_import(OUTCOME_IMPORTED);
        for (int i = 0; i < 2; i++) {
                fixture_check(&failed);
                assert_int_equal(fixture.n_events[CLUSTER_EVENT_CHECK], 1);
                assert_string_equal(
                        kept_outcome_reason(&fixture.status->check.failure), "no route");
                assert_string_not_equal(kept_outcome_next_step(&fixture.status->check.failure), "");
                assert_int_equal(fixture.status->record->attempt.failures, 0);
        }
        fixture_check(&passed);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_CHECK], 2);
        assert_false(fixture.status->check.failure.known);
        assert_string_equal(kept_outcome_next_step(&fixture.status->check.failure), "");
}

static void test_an_import_clears_the_error_of_a_check(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&(Outcome){.kind = OUTCOME_UNREACHABLE});
        assert_string_equal(kept_outcome_reason(&fixture.status->check.failure), "unreachable");
        cluster_retry_now(fixture.cluster, true);
        fixture_import(OUTCOME_IMPORTED);
        assert_false(fixture.status->check.failure.known);
}

static void test_a_check_that_cannot_start_has_failed(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture.now += CHECK_INTERVAL;
        fixture.start_error = -EAGAIN;
        assert_int_equal(fixture_start(PLAN_CHECK), -EAGAIN);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_CHECK], 1);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_each_check_reports_its_end_also_one_that_changes_nothing(void **state)
{
        Outcome passed = {.kind = OUTCOME_ALREADY_CURRENT};

        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&passed);
        fixture_check(&passed);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_END], 3);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_CHECK], 0);
        fixture.now += CHECK_INTERVAL;
        fixture.start_error = -EAGAIN;
        assert_int_equal(fixture_start(PLAN_CHECK), -EAGAIN);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_END], 4);
}

static void test_a_ledger_that_names_another_set_is_drift_and_the_set_is_imported(void **state)
{
        Outcome outcome = {.kind = OUTCOME_ALREADY_CURRENT,
                .ledger = {.known = true,
                        .newest = {.state = LEDGER_STATE_IMPORTED, .set.fingerprint = B}}};

        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&outcome);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_DRIFT], 1);
        assert_int_equal(fixture.writer.n_scheduled, 2);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

static void test_another_server_is_an_event_and_the_set_is_imported_into_it(void **state)
{
        Outcome outcome = {.kind = OUTCOME_ALREADY_CURRENT, .server.uuid = "one"};

        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&outcome);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_SERVER], 0);
        assert_int_equal(fixture.writer.n_scheduled, 2); /* it is known from now on */
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        text_set(outcome.server.uuid, sizeof(outcome.server.uuid), "other");
        fixture_check(&outcome);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_SERVER], 1);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_DRIFT], 0);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

static void test_a_ledger_that_names_the_set_is_no_drift(void **state)
{
        Outcome outcome = {.kind = OUTCOME_ALREADY_CURRENT,
                .ledger = {.known = true,
                        .newest = {.state = LEDGER_STATE_IMPORTED, .set.fingerprint = A}}};

        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&outcome);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_DRIFT], 0);
        assert_int_equal(fixture.writer.n_scheduled, 1);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
}

static void test_replication_that_breaks_and_recovers_is_reported_each_time_once(void **state)
{
        Outcome running = {.kind = OUTCOME_ALREADY_CURRENT,
                .replication = {.known = true, .configured = true, .io_running = "Yes"}};
        Outcome broken = running, unread = {.kind = OUTCOME_ALREADY_CURRENT};

        broken.replication.io_errno = 2003;
        strcpy(broken.replication.io_running, "Connecting");
        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&running);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_REPLICATION], 0);
        fixture_check(&broken);
        fixture_check(&unread); /* keeps the last status that was read */
        assert_int_equal(fixture.status->replication->io_errno, 2003);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_REPLICATION], 1);
        fixture_check(&running);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_REPLICATION], 2);
}

static void test_a_stop_by_a_person_and_its_end_are_reported_each_time_once(void **state)
{
        Outcome running = {.kind = OUTCOME_ALREADY_CURRENT,
                .replication = {.known = true,
                        .configured = true,
                        .io_running = "Yes",
                        .sql_running = "Yes"}};
        Outcome stopped = running;

        strcpy(stopped.replication.io_running, "No");
        strcpy(stopped.replication.sql_running, "No");
        fixture_import(OUTCOME_IMPORTED);
        fixture_check(&running);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_REPLICATION], 0);
        fixture_check(&stopped);
        fixture_check(&stopped);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_REPLICATION], 1);
        fixture_check(&running);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_REPLICATION], 2);
}

static void test_another_answer_about_replication_is_an_event_and_the_same_one_is_none(void **state)
{
        Outcome running = {.kind = OUTCOME_ALREADY_CURRENT,
                .replication = {.known = true,
                        .configured = true,
                        .io_running = "Yes",
                        .sql_running = "Yes",
                        .checked_at_usec = 1}};
        Outcome connecting = running;
        unsigned n;

        strcpy(connecting.replication.io_running, "Connecting");
        fixture_import(OUTCOME_IMPORTED);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        n = fixture.n_events[CLUSTER_EVENT_STATE];
        fixture_check(&running);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STATE], n + 1);
        running.replication.checked_at_usec = 2;
        fixture_check(&running);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STATE], n + 1);
        assert_int_equal(fixture.status->replication->checked_at_usec, 2);
        fixture_check(&connecting);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STATE], n + 2);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_REPLICATION], 0);
}

static void test_a_check_that_is_ended_has_no_result(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture_start_check();
        cluster_end_check(fixture.cluster);
        assert_false(fixture.check.running);
        assert_false(cluster_is_checking(fixture.cluster));
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_CHECK], 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cluster_test(test_a_retry_now_without_force_only_checks_a_current_cluster),
                cluster_test(test_a_current_cluster_is_checked_when_the_interval_is_over),
                cluster_test(test_with_once_a_current_cluster_has_one_check),
                cluster_test(test_without_replication_and_ledger_there_is_no_check),
                cluster_test(test_what_is_asked_no_more_is_not_known_any_more),
                cluster_test(test_an_import_that_ends_later_does_not_know_it_either),
                cluster_test(test_a_ledger_alone_is_checked),
                cluster_test(test_a_check_gives_way_to_an_import),
                cluster_test(test_a_failed_check_is_reported_until_one_succeeds),
                cluster_test(test_an_import_clears_the_error_of_a_check),
                cluster_test(test_a_check_that_cannot_start_has_failed),
                cluster_test(test_each_check_reports_its_end_also_one_that_changes_nothing),
                cluster_test(test_a_ledger_that_names_another_set_is_drift_and_the_set_is_imported),
                cluster_test(test_another_server_is_an_event_and_the_set_is_imported_into_it),
                cluster_test(test_a_ledger_that_names_the_set_is_no_drift),
                cluster_test(test_a_stop_by_a_person_and_its_end_are_reported_each_time_once),
                cluster_test(
                        test_another_answer_about_replication_is_an_event_and_the_same_one_is_none),
                cluster_test(test_replication_that_breaks_and_recovers_is_reported_each_time_once),
                cluster_test(test_a_check_that_is_ended_has_no_result),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
