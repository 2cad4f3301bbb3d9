#include "tests/unit/cluster/cluster-fixture.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

static const Outcome removed = {.kind = OUTCOME_REMOVED, .warning = "replication is active"};

static void put_enabled(bool enabled)
{
        fixture.cluster_config.enabled = enabled;
        fixture_configure();
}

/* A disabled cluster that has set A. */
static void make_disabled(void)
{
        fixture_import(OUTCOME_IMPORTED);
        put_enabled(false);
        fixture_expect(PLAN_NOTHING, CLUSTER_DISABLED);
        fixture.writer =
                (RecordWriter){.fn = fixture.writer.fn, .userdata = fixture.writer.userdata};
        memset(fixture.n_events, 0, sizeof(fixture.n_events));
}

static void start_removal(void)
{
        make_disabled();
        assert_true(cluster_can_remove(fixture.cluster));
        cluster_remove(fixture.cluster);
        fixture_expect(PLAN_REMOVE, CLUSTER_DISABLED);
        assert_int_equal(cluster_start(fixture.cluster, PLAN_REMOVE, fixture.set), 0);
}

static void test_a_requested_removal_is_written_down_and_waits_for_its_turn(void **state)
{
        make_disabled();
        cluster_remove(fixture.cluster);
        assert_true(fixture.status->removing);
        assert_int_equal(fixture.writer.n_written, 1);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_STATE], 1);
        assert_false(fixture.import.running);
        fixture_restart(); /* an end of the daemon is no success */
        assert_int_equal(fixture.status->record->removal.outcome.kind, OUTCOME_UNKNOWN);
        assert_string_equal(fixture.status->record->imported.fingerprint, "");
}

static void test_a_removal_is_written_down_once_more_for_another_server(void **state)
{
        make_disabled();
        cluster_remove(fixture.cluster);
        fixture.cluster_config.login.host = "db2.example";
        fixture_configure();
        fixture_expect(PLAN_REMOVE, CLUSTER_DISABLED);
        assert_int_equal(cluster_start(fixture.cluster, PLAN_REMOVE, fixture.set), 0);
        assert_int_equal(fixture.writer.n_written, 2);
        assert_true(record_is_removing(fixture.status->record));
        fixture_end(&fixture.import, &removed);
        assert_true(record_is_forgotten(fixture.status->record));
}

static void test_a_removal_is_written_down_before_it_starts(void **state)
{
        const RecordRemoval *removal = &fixture.status->record->removal;

        start_removal();
        assert_int_equal(fixture.writer.n_written, 1);
        assert_true(removal->at_usec > 0 && !removal->outcome.known);
        assert_string_equal(fixture.status->record->imported.fingerprint, A);
        assert_true(fixture.import.running);
        assert_int_equal(fixture.import.task.action, IMPORT_ACTION_REMOVE);
        assert_int_equal(fixture.import.task.payload_fd, -1);
        assert_string_equal(fixture.import.task.set.fingerprint, "");
        assert_true(fixture.status->removing && fixture.status->deadline_usec > 0);
        fixture_expect(PLAN_NOTHING, CLUSTER_DISABLED);
        fixture_end(&fixture.import, &removed);
}

static void test_a_removal_forgets_what_is_known_of_the_cluster(void **state)
{
        const Record *record;

        start_removal();
        fixture_end(&fixture.import, &removed);
        record = fixture.status->record;
        assert_true(record_is_forgotten(record));
        assert_string_equal(record->host, "db.example");
        assert_string_equal(record->removal.outcome.text, "replication is active");
        assert_int_equal(fixture.writer.n_written, 2);
        assert_int_equal(fixture.writer.n_scheduled, 0);
        assert_false(fixture.status->removing);
        assert_int_equal(fixture.status->deadline_usec, 0);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_REMOVAL], 1);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_ATTEMPT], 0); /* no import is counted */
        fixture_expect(PLAN_NOTHING, CLUSTER_DISABLED);
        put_enabled(true);
        assert_int_equal(record->removal.at_usec, 0);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

static void test_a_failure_keeps_the_set_and_is_not_repeated(void **state)
{
        Outcome refused = {.kind = OUTCOME_NO_PRIVILEGE,
                .sql_errno = 1370,
                .text = "denied",
                .next_step = "GRANT"};
        const RecordRemoval *removal = &fixture.status->record->removal;

        start_removal();
        fixture_end(&fixture.import, &refused);
        assert_string_equal(fixture.status->record->imported.fingerprint, A);
        assert_int_equal(removal->outcome.kind, OUTCOME_NO_PRIVILEGE);
        assert_int_equal(removal->outcome.sql_errno, 1370);
        assert_string_equal(removal->outcome.text, "denied");
        assert_string_equal(removal->outcome.next_step, "GRANT");
        assert_int_equal(fixture.status->record->attempt.outcome.kind, OUTCOME_IMPORTED);
        fixture.now += USEC_PER_DAY;
        fixture_expect(PLAN_NOTHING, CLUSTER_DISABLED);
        assert_int_equal(fixture_not_before(), 0);
        cluster_remove(fixture.cluster);
        fixture_expect(PLAN_REMOVE, CLUSTER_DISABLED);
}

static void test_a_removal_in_doubt_forgets_the_set(void **state)
{
        Outcome unknown = {.kind = OUTCOME_UNKNOWN, .effect.in_doubt = true};

        start_removal();
        fixture_end(&fixture.import, &unknown);
        assert_string_equal(fixture.status->record->imported.fingerprint, "");
        put_enabled(true);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

static void test_a_removal_that_ended_with_its_daemon_is_in_doubt(void **state)
{
        start_removal();
        fixture_restart();
        assert_false(fixture.status->removing);
        assert_string_equal(fixture.status->record->imported.fingerprint, "");
        assert_int_equal(fixture.status->record->removal.outcome.kind, OUTCOME_UNKNOWN);
        fixture_expect(PLAN_NOTHING, CLUSTER_DISABLED);
        fixture_restart(); /* not once more */
        assert_int_equal(fixture.status->record->removal.outcome.kind, OUTCOME_UNKNOWN);
}

static void test_a_removal_that_cannot_be_written_down_does_not_start(void **state)
{
        make_disabled();
        fixture.write_error = -EROFS;
        cluster_remove(fixture.cluster);
        assert_false(fixture.import.running);
        assert_false(fixture.status->removing);
        assert_int_equal(fixture.status->record->removal.outcome.kind, OUTCOME_RECORD_FAILED);
        assert_string_equal(fixture.status->record->imported.fingerprint, A);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_REMOVAL], 1);
        fixture_expect(PLAN_NOTHING, CLUSTER_DISABLED);
}

static void test_a_recorded_stop_of_replication_stays(void **state)
{
        Record record = RECORD_NULL;

        make_disabled();
        record = fixture_record();
        record.stop = (RecordStop){.at_usec = WALL, .fingerprint = A, .log_position = 7};
        cluster_free(fixture.cluster);
        assert_int_equal(fixture_make_cluster(&record), 0);
        cluster_remove(fixture.cluster);
        fixture_expect(PLAN_REMOVE, CLUSTER_DISABLED);
        assert_int_equal(cluster_start(fixture.cluster, PLAN_REMOVE, fixture.set), 0);
        fixture_end(&fixture.import, &removed);
        assert_int_equal(fixture.status->record->stop.log_position, 7);
        assert_string_equal(fixture.status->record->imported.fingerprint, "");
        assert_false(record_is_forgotten(fixture.status->record));
        assert_true(fixture.status->replication->stopped_by_us);
}

static void test_a_stop_ends_when_the_removal_sees_replication_run(void **state)
{
        Outcome running = {.kind = OUTCOME_REMOVED,
                .replication = {.known = true,
                        .configured = true,
                        .io_running = "Yes",
                        .sql_running = "Yes"}};
        Record record = {.stop = {.at_usec = WALL, .fingerprint = A}};

        make_disabled();
        cluster_free(fixture.cluster);
        memcpy(record.host, "db.example", sizeof("db.example"));
        record.port = 3306;
        assert_int_equal(fixture_make_cluster(&record), 0);
        cluster_remove(fixture.cluster);
        fixture_expect(PLAN_REMOVE, CLUSTER_DISABLED);
        assert_int_equal(cluster_start(fixture.cluster, PLAN_REMOVE, fixture.set), 0);
        fixture_end(&fixture.import, &running);
        assert_true(record_is_forgotten(fixture.status->record));
        assert_string_equal(fixture.status->replication->io_running, "Yes");
}

static void test_a_removal_that_runs_is_not_requested_again(void **state)
{
        start_removal();
        assert_true(cluster_can_remove(fixture.cluster));
        cluster_remove(fixture.cluster);
        fixture_end(&fixture.import, &removed);
        fixture_expect(PLAN_NOTHING, CLUSTER_DISABLED);
}

static void test_nothing_is_removed_while_an_import_runs(void **state)
{
        Outcome imported = {.kind = OUTCOME_IMPORTED, .effect.committed = true};

        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        put_enabled(false);
        assert_false(cluster_can_remove(fixture.cluster));
        fixture_end(&fixture.import, &imported);
        assert_true(cluster_can_remove(fixture.cluster));
}

static void test_nothing_is_removed_while_an_importer_cannot_be_ended(void **state)
{
        Outcome outcome = {.kind = OUTCOME_TIMED_OUT, .effect.in_doubt = true};

        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        put_enabled(false);
        fixture.import.stuck = true;
        fixture.import.handlers.ended(&outcome, fixture.import.handlers.userdata);
        assert_false(cluster_can_remove(fixture.cluster));
        fixture.import.handlers.released(fixture.import.handlers.userdata);
        assert_true(cluster_can_remove(fixture.cluster));
}

/* A reload enables the cluster meanwhile. */
static void test_an_import_waits_for_the_removal(void **state)
{
        start_removal();
        put_enabled(true);
        fixture_expect(PLAN_RUNS, CLUSTER_IMPORTING);
        fixture_end(&fixture.import, &removed);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        cluster_abort_import(fixture.cluster);
}

static void test_a_removal_from_a_former_server_says_nothing_of_the_new_one(void **state)
{
        Outcome unknown = {.kind = OUTCOME_UNKNOWN, .effect.in_doubt = true};

        start_removal();
        fixture.cluster_config.login.host = "db2.example";
        fixture_configure();
        fixture_end(&fixture.import, &unknown);
        assert_string_equal(fixture.status->record->host, "db2.example");
        assert_int_equal(fixture.status->record->removal.outcome.kind, OUTCOME_UNKNOWN);
        assert_int_equal(fixture.n_events[CLUSTER_EVENT_REMOVAL], 1);
}

static void test_a_stop_of_the_service_leaves_the_removal_in_doubt(void **state)
{
        start_removal();
        cluster_abort_import(fixture.cluster);
        assert_string_equal(fixture.status->record->removal.outcome.text,
                "the service was stopped before the removal ended");
        assert_string_equal(fixture.status->record->imported.fingerprint, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cluster_test(test_a_requested_removal_is_written_down_and_waits_for_its_turn),
                cluster_test(test_a_removal_is_written_down_once_more_for_another_server),
                cluster_test(test_a_removal_is_written_down_before_it_starts),
                cluster_test(test_a_removal_forgets_what_is_known_of_the_cluster),
                cluster_test(test_a_failure_keeps_the_set_and_is_not_repeated),
                cluster_test(test_a_removal_in_doubt_forgets_the_set),
                cluster_test(test_a_removal_that_ended_with_its_daemon_is_in_doubt),
                cluster_test(test_a_removal_that_cannot_be_written_down_does_not_start),
                cluster_test(test_a_recorded_stop_of_replication_stays),
                cluster_test(test_a_stop_ends_when_the_removal_sees_replication_run),
                cluster_test(test_a_removal_that_runs_is_not_requested_again),
                cluster_test(test_nothing_is_removed_while_an_import_runs),
                cluster_test(test_nothing_is_removed_while_an_importer_cannot_be_ended),
                cluster_test(test_an_import_waits_for_the_removal),
                cluster_test(test_a_removal_from_a_former_server_says_nothing_of_the_new_one),
                cluster_test(test_a_stop_of_the_service_leaves_the_removal_in_doubt),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
