/*
 * The journal_* functions are stand-ins that count, so that the linker takes no journal.o from the
 * library.
 */

#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "daemon/status/journal-cluster.h"
#include "daemon/status/journal-filter.h"
#include "daemon/status/journal.h"
#include "tests/unit/status-fixture.h"

#define FIXTURE_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct {
        unsigned material, expiring, watch, restarts, file_system, current, imported, failed, check,
                drift, replication;
        unsigned server, wave, stopped, started, healing, written, unwritable, removal;
        int error;
        char reason[128];
} logged;

static StatusFixture fixture;
static JournalFilter *filter;
static bool logged_before; /* on_expiry() reports the warning as logged before a restart */
static uint64_t within_usec;

void journal_material(const MaterialStatus *material, const char *reason)
{
        assert_ptr_equal(material, &fixture.material);
        logged.material++;
        strncpy(logged.reason, reason, sizeof(logged.reason) - 1);
}

void journal_material_expiring(const MaterialStatus *material)
{
        assert_ptr_equal(material, &fixture.material);
        logged.expiring++;
}

void journal_watch(const MaterialStatus *material)
{
        assert_ptr_equal(material, &fixture.material);
        logged.watch++;
}

void journal_server_changed(const ClusterStatus *cluster, const Outcome *outcome)
{
        assert_non_null(cluster);
        assert_non_null(outcome);
        logged.server++;
}

void journal_wave(const MaterialStatus *material)
{
        assert_ptr_equal(material, &fixture.material);
        logged.wave++;
}

void journal_watch_restarted(const MaterialStatus *material)
{
        assert_ptr_equal(material, &fixture.material);
        logged.restarts++;
}

void journal_file_system(const MaterialStatus *material)
{
        assert_ptr_equal(material, &fixture.material);
        logged.file_system++;
}

void journal_already_current(const ClusterStatus *cluster, const Outcome *outcome)
{
        assert_non_null(cluster);
        assert_non_null(outcome);
        logged.current++;
}

void journal_import_succeeded(const ClusterStatus *cluster, const Outcome *outcome)
{
        assert_non_null(cluster);
        assert_non_null(outcome);
        logged.imported++;
}

void journal_import_failed(const ClusterStatus *cluster, const Outcome *outcome)
{
        assert_non_null(cluster);
        assert_non_null(outcome);
        logged.failed++;
}

void journal_removal(const ClusterStatus *cluster, const Outcome *outcome)
{
        assert_non_null(cluster);
        assert_non_null(outcome);
        logged.removal++;
}

void journal_check(const ClusterStatus *cluster, const Outcome *outcome)
{
        assert_non_null(cluster);
        assert_non_null(outcome);
        logged.check++;
}

void journal_drift(const ClusterStatus *cluster, const Outcome *outcome)
{
        assert_non_null(cluster);
        assert_non_null(outcome);
        logged.drift++;
}

void journal_replication(const ClusterStatus *cluster)
{
        assert_non_null(cluster);
        logged.replication++;
}

void journal_replication_healing(const ClusterStatus *cluster)
{
        assert_non_null(cluster);
        logged.healing++;
}

void journal_replication_stopped(const ClusterStatus *cluster)
{
        assert_non_null(cluster);
        logged.stopped++;
}

void journal_replication_started(const ClusterStatus *cluster)
{
        assert_non_null(cluster);
        logged.started++;
}

void journal_record_written(const char *cluster)
{
        assert_string_equal(cluster, "orders");
        logged.written++;
}

void journal_record_unwritable(const char *cluster, int error)
{
        assert_string_equal(cluster, "orders");
        logged.unwritable++;
        logged.error = error;
}

static bool on_expiry(
        const char *material, const char *fingerprint, uint64_t within, void *userdata)
{
        assert_string_equal(material, "default");
        assert_string_equal(fingerprint, fixture.report.fingerprint);
        assert_ptr_equal(userdata, &fixture);
        within_usec = within;
        return !logged_before;
}

static int make(void **state)
{
        memset(&logged, 0, sizeof(logged));
        logged_before = false;
        within_usec = 0;
        status_fixture_make(&fixture);
        return journal_filter_new(&filter, on_expiry, &fixture);
}

static int unmake(void **state)
{
        filter = journal_filter_free(filter);
        history_free(fixture.record[0].history);
        return 0;
}

#define filter_test(test) cmocka_unit_test_setup_teardown(test, make, unmake)

static bool pass_material(void)
{
        return journal_filter_material(filter, &fixture.material);
}

/* An attempt is in the history before it is reported. */
static void pass_attempt(OutcomeKind kind, const char *text)
{
        HistoryEntry entry = {.outcome = kind, .text = text};
        Outcome outcome = {.kind = kind};

        history_add(&fixture.record[0].history, &entry);
        journal_filter_cluster(&fixture.cluster[0], CLUSTER_EVENT_ATTEMPT, &outcome);
}

static void test_a_state_is_logged_once_until_it_changes(void **state)
{
        assert_true(pass_material());
        assert_false(pass_material());
        assert_int_equal(logged.material, 1);
        fixture.material.state = MATERIAL_STATE_INVALID;
        report_add(&fixture.report, MATERIAL_KEY, RULE_KEY_MISMATCH, SEVERITY_ERROR, "no match");
        assert_true(pass_material());
        assert_false(pass_material());
        assert_int_equal(logged.material, 2);
        assert_string_equal(logged.reason, "key-mismatch: no match");
        fixture.material.state = MATERIAL_STATE_VALID;
        assert_true(pass_material());
        assert_int_equal(logged.material, 3);
        assert_int_equal(logged.watch, 0);
        assert_int_equal(logged.expiring, 0);
}

static void pass_wave(WaveState state, uint64_t since_at_usec, unsigned expected)
{
        WaveStatus *wave = &fixture.material.wave;

        *wave = (WaveStatus){.state = state, .canary = "orders", .since_at_usec = since_at_usec};
        wave->n_waiting = 2;
        (void)pass_material();
        assert_int_equal(logged.wave, expected);
        assert_false(pass_material());
        assert_int_equal(logged.wave, expected);
}

static void test_each_turn_of_a_wave_is_logged_once(void **state)
{
        pass_wave(WAVE_IMPORTING, 0, 0);
        pass_wave(WAVE_HOLDING, 0, 0);
        pass_wave(WAVE_HOLDING, 7, 1);
        pass_wave(WAVE_OPEN, 0, 2);
        pass_wave(WAVE_IMPORTING, 0, 2);
        pass_wave(WAVE_STOPPED, 0, 3);
        pass_wave(WAVE_NONE, 0, 3);
        pass_wave(WAVE_STOPPED, 0, 3); /* the set has come back */
        pass_wave(WAVE_IMPORTING, 0, 3);
        pass_wave(WAVE_OPEN, 0, 4);
}

static void test_after_a_start_an_open_wave_is_not_logged(void **state)
{
        pass_wave(WAVE_OPEN, 0, 0);
        journal_filter_forget_material(filter, "default");
        pass_wave(WAVE_STOPPED, 0, 1);
        journal_filter_forget_material(filter, "default");
        pass_wave(WAVE_HOLDING, 7, 2);
}

static void test_the_progress_of_a_hold_is_no_change(void **state)
{
        pass_wave(WAVE_HOLDING, 7, 1);
        fixture.material.wave.held_usec = 5;
        assert_false(pass_material());
        fixture.material.wave.n_waiting = 1;
        assert_true(pass_material());
        fixture.material.wave = (WaveStatus){0};
        assert_true(pass_material());
        assert_int_equal(logged.wave, 1);
}

static void test_another_set_in_the_same_state_is_logged(void **state)
{
        assert_true(pass_material());
        strcpy(fixture.report.fingerprint, FIXTURE_B);
        assert_true(pass_material());
        assert_false(pass_material());
        assert_int_equal(logged.material, 2);
}

static void test_before_the_first_inspection_only_the_watch_is_logged(void **state)
{
        fixture.material.inspected = false;
        assert_false(pass_material());
        fixture.watch.watching = false;
        assert_true(pass_material());
        assert_false(pass_material());
        assert_int_equal(logged.watch, 1);
        assert_int_equal(logged.material, 0);
        fixture.material.inspected = true;
        assert_true(pass_material());
        assert_int_equal(logged.material, 1);
        assert_int_equal(logged.watch, 1);
}

static void test_a_path_is_logged_when_it_is_polled_only_and_when_it_is_watched_again(void **state)
{
        (void)pass_material();
        assert_int_equal(logged.watch, 0);
        for (unsigned i = 1; i <= 4; i++) {
                fixture.watch.watching = i % 2 == 0;
                assert_true(pass_material());
                assert_false(pass_material());
                assert_int_equal(logged.watch, i);
        }
}

static void expire_within(uint64_t usec)
{
        fixture.material.state = MATERIAL_STATE_EXPIRING;
        fixture.report.expires_within_usec = usec;
}

static void test_an_expiry_is_logged_once_per_threshold(void **state)
{
        expire_within(30 * USEC_PER_DAY);
        assert_true(pass_material());
        assert_false(pass_material());
        assert_int_equal(logged.expiring, 1);
        assert_int_equal(within_usec, 30 * USEC_PER_DAY);
        expire_within(7 * USEC_PER_DAY);
        assert_true(pass_material());
        assert_false(pass_material());
        assert_int_equal(logged.expiring, 2);
        assert_int_equal(within_usec, 7 * USEC_PER_DAY);
        expire_within(30 * USEC_PER_DAY); /* after a reload with other thresholds */
        assert_false(pass_material());
        assert_int_equal(logged.expiring, 2);
}

static void test_the_expiry_of_another_set_is_logged_anew(void **state)
{
        expire_within(7 * USEC_PER_DAY);
        (void)pass_material();
        strcpy(fixture.report.fingerprint, FIXTURE_B);
        expire_within(30 * USEC_PER_DAY);
        assert_true(pass_material());
        assert_int_equal(logged.expiring, 2);
}

static void test_an_expiry_that_was_logged_before_a_restart_is_not_logged_again(void **state)
{
        logged_before = true;
        expire_within(7 * USEC_PER_DAY);
        assert_true(pass_material());
        assert_int_equal(within_usec, 7 * USEC_PER_DAY);
        assert_int_equal(logged.expiring, 0);
        logged_before = false;
        assert_false(pass_material()); /* the threshold is known by now */
        assert_int_equal(logged.expiring, 0);
}

static void test_only_an_expiring_material_gets_an_expiry_warning(void **state)
{
        for (MaterialState one = 0; one < _MATERIAL_STATE_MAX; one++) {
                fixture.report.expires_within_usec = USEC_PER_DAY;
                fixture.material.state = one;
                (void)pass_material();
                assert_int_equal(logged.expiring, one >= MATERIAL_STATE_EXPIRING);
        }
        assert_int_equal(logged.material, _MATERIAL_STATE_MAX);
}

static void test_a_forgotten_material_is_logged_like_a_new_one(void **state)
{
        (void)pass_material();
        journal_filter_forget_material(filter, "another");
        assert_false(pass_material());
        journal_filter_forget_material(filter, "default");
        assert_true(pass_material());
        assert_int_equal(logged.material, 2);
}

static void test_failures_are_logged_at_powers_of_two(void **state)
{
        static const OutcomeKind kinds[] = {OUTCOME_UNREACHABLE, OUTCOME_NO_PRIVILEGE};
        unsigned n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                for (unsigned count = 1; count <= 40; count++) {
                        n += count == 1 || count == 2 || count == 4 || count == 8 || count == 16 ||
                                count == 32;
                        pass_attempt(kinds[i], "refused");
                        assert_int_equal(logged.failed, n);
                }
                pass_attempt(OUTCOME_IMPORTED, "");
        }
        pass_attempt(OUTCOME_NO_PRIVILEGE, "refused"); /* after the success */
        assert_int_equal(logged.failed, n + 1);
}

static void test_a_failure_is_logged_when_it_is_another_one(void **state)
{
        static const struct {
                OutcomeKind kind;
                const char *text;
                bool is_logged;
        } attempts[] = {
                {OUTCOME_AUTH, "denied, error 1", true},
                {OUTCOME_AUTH, "denied, error 2", true},
                {OUTCOME_AUTH, "denied, error 3", false},
                {OUTCOME_NO_PRIVILEGE, "no grant", true},
                {OUTCOME_AUTH, "denied, error 4", true},
                {OUTCOME_AUTH, "denied, error 5", false},
                {OUTCOME_AUTH, "account locked", true},
                {OUTCOME_NO_PRIVILEGE, "no grant", true},
                {OUTCOME_NO_PRIVILEGE, "no grant", false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
                logged.failed = 0;
                pass_attempt(attempts[i].kind, attempts[i].text);
                assert_int_equal(logged.failed, attempts[i].is_logged);
        }
}

/* Without memory there is none. */
static void test_a_failure_without_a_history_is_logged(void **state)
{
        Outcome outcome = {.kind = OUTCOME_AUTH};

        journal_filter_cluster(&fixture.cluster[0], CLUSTER_EVENT_ATTEMPT, &outcome);
        assert_int_equal(logged.failed, 1);
}

static void test_a_success_is_logged_as_an_import_or_as_already_current(void **state)
{
        pass_attempt(OUTCOME_IMPORTED, "");
        pass_attempt(OUTCOME_IMPORTED, "");
        assert_int_equal(logged.imported, 2);
        pass_attempt(OUTCOME_ALREADY_CURRENT, "");
        assert_int_equal(logged.current, 1);
        assert_int_equal(logged.failed, 0);
}

static void test_every_other_event_of_a_cluster_has_its_message(void **state)
{
        const ClusterStatus *cluster = &fixture.cluster[0];
        Outcome outcome = {.kind = OUTCOME_ALREADY_CURRENT};

        journal_filter_cluster(cluster, CLUSTER_EVENT_STATE, NULL);
        journal_filter_cluster(cluster, CLUSTER_EVENT_END, &outcome);
        assert_int_equal(logged.current + logged.imported + logged.failed + logged.check, 0);
        journal_filter_cluster(cluster, CLUSTER_EVENT_CHECK, &outcome);
        assert_int_equal(logged.check, 1);
        journal_filter_cluster(cluster, CLUSTER_EVENT_DRIFT, &outcome);
        assert_int_equal(logged.drift, 1);
        journal_filter_cluster(cluster, CLUSTER_EVENT_REPLICATION, &outcome);
        assert_int_equal(logged.replication, 1);
        journal_filter_cluster(cluster, CLUSTER_EVENT_HEAL, NULL);
        assert_int_equal(logged.healing, 1);
        fixture.cluster[0].record_error = ENOSPC;
        journal_filter_cluster(cluster, CLUSTER_EVENT_RECORD, NULL);
        assert_int_equal(logged.unwritable, 1);
        assert_int_equal(logged.error, ENOSPC);
        fixture.cluster[0].record_error = 0;
        journal_filter_cluster(cluster, CLUSTER_EVENT_RECORD, NULL);
        assert_int_equal(logged.written, 1);
}

static void test_a_watch_process_is_logged_at_each_power_of_two(void **state)
{
        for (unsigned i = 0; i <= 5; i++) {
                fixture.watch_process.restarts = i;
                (void)pass_material();
                (void)pass_material();
        }
        assert_int_equal(logged.restarts, 3);
        assert_int_equal(logged.watch, 0);
}

static void test_nothing_is_logged_of_a_path_before_its_first_report(void **state)
{
        fixture.watch = (WatchStatus){0};
        (void)pass_material();
        assert_int_equal(logged.watch, 0);
}

static void test_a_file_system_is_logged_when_it_stops_to_respond_and_when_it_responds_again(
        void **state)
{
        fixture.material.inspected = false;
        assert_false(pass_material());
        for (unsigned i = 1; i <= 4; i++) {
                fixture.material.not_responding_since_at_usec = i % 2 != 0 ? 1234 : 0;
                assert_true(pass_material());
                assert_false(pass_material());
                assert_int_equal(logged.file_system, i);
        }
}

static void test_replication_that_stays_stopped_is_logged_at_powers_of_two(void **state)
{
        static const bool is_logged[] = {true, true, true, false, true, false, false, false, true};

        for (unsigned failures = 0; failures < ARRAY_SIZE(is_logged); failures++) {
                logged.stopped = 0;
                fixture.cluster[0].start.failures = failures;
                journal_filter_cluster(&fixture.cluster[0], CLUSTER_EVENT_STOPPED, NULL);
                assert_int_equal(logged.stopped, is_logged[failures]);
        }
        journal_filter_cluster(&fixture.cluster[0], CLUSTER_EVENT_STARTED, NULL);
        assert_int_equal(logged.started, 1);
}

static void test_each_removal_is_logged_and_no_import(void **state)
{
        Outcome outcome = {.kind = OUTCOME_REMOVED};

        journal_filter_cluster(&fixture.cluster[0], CLUSTER_EVENT_REMOVAL, &outcome);
        outcome.kind = OUTCOME_UNREACHABLE;
        journal_filter_cluster(&fixture.cluster[0], CLUSTER_EVENT_REMOVAL, &outcome);
        journal_filter_cluster(&fixture.cluster[0], CLUSTER_EVENT_REMOVAL, &outcome);
        assert_int_equal(logged.removal, 3); /* each is the answer to a command */
        assert_int_equal(logged.imported + logged.failed, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                filter_test(test_a_state_is_logged_once_until_it_changes),
                filter_test(test_each_turn_of_a_wave_is_logged_once),
                filter_test(test_after_a_start_an_open_wave_is_not_logged),
                filter_test(test_the_progress_of_a_hold_is_no_change),
                filter_test(test_another_set_in_the_same_state_is_logged),
                filter_test(test_before_the_first_inspection_only_the_watch_is_logged),
                filter_test(
                        test_a_path_is_logged_when_it_is_polled_only_and_when_it_is_watched_again),
                filter_test(test_a_watch_process_is_logged_at_each_power_of_two),
                filter_test(test_nothing_is_logged_of_a_path_before_its_first_report),
                filter_test(
                        test_a_file_system_is_logged_when_it_stops_to_respond_and_when_it_responds_again),
                filter_test(test_an_expiry_is_logged_once_per_threshold),
                filter_test(test_the_expiry_of_another_set_is_logged_anew),
                filter_test(test_an_expiry_that_was_logged_before_a_restart_is_not_logged_again),
                filter_test(test_only_an_expiring_material_gets_an_expiry_warning),
                filter_test(test_a_forgotten_material_is_logged_like_a_new_one),
                filter_test(test_failures_are_logged_at_powers_of_two),
                filter_test(test_a_failure_is_logged_when_it_is_another_one),
                filter_test(test_a_failure_without_a_history_is_logged),
                filter_test(test_a_success_is_logged_as_an_import_or_as_already_current),
                filter_test(test_every_other_event_of_a_cluster_has_its_message),
                filter_test(test_replication_that_stays_stopped_is_logged_at_powers_of_two),
                filter_test(test_each_removal_is_logged_and_no_import),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
