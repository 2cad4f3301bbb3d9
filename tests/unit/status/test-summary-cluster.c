#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/model/replication-state.h"
#include "daemon/status/summary-cluster.h"
#include "daemon/status/summary.h"
#include "tests/unit/status-fixture.h"

static StatusFixture fixture;

static int make(void **state)
{
        status_fixture_make(&fixture);
        return 0;
}

#define summary_test(test) cmocka_unit_test_setup(test, make)

static const char *cluster_reason(void)
{
        static char buffer[SUMMARY_TEXT_MAX];

        summary_cluster_reason(buffer, sizeof(buffer), &fixture.cluster[0], &fixture.material,
                fixture.status.now_usec);
        return buffer;
}

static Health health(void)
{
        return summary_health(&fixture.status);
}

#define DENIED                                                                                          \
        "replication I/O thread (error 2026): TLS error; the imported certificate is \"CN = client\", " \
        "issued by \"CN = authority\""

static void break_replication(void)
{
        fixture.replication[0] = (Replication){.known = true,
                .configured = true,
                .io_running = "Connecting",
                .sql_running = "Yes",
                .lag_known = true,
                .io_errno = 2026,
                .io_error = "TLS error"};
}

static void test_each_state_of_a_cluster_has_its_health(void **state)
{
        static const Health expected[_CLUSTER_STATE_MAX] = {
                [CLUSTER_WAITING] = HEALTH_OK,
                [CLUSTER_IMPORTING] = HEALTH_OK,
                [CLUSTER_CURRENT] = HEALTH_OK,
                [CLUSTER_RETRYING] = HEALTH_WARNING,
                [CLUSTER_HELD] = HEALTH_CRITICAL,
                [CLUSTER_DISABLED] = HEALTH_OK,
        };

        for (ClusterState one = 0; one < _CLUSTER_STATE_MAX; one++) {
                fixture.cluster[0].state = one;
                assert_int_equal(health(), expected[one]);
        }
}

static void test_broken_replication_is_critical_unless_it_runs_or_is_not_configured(void **state)
{
        break_replication();
        assert_int_equal(health(), HEALTH_CRITICAL);
        assert_string_equal(cluster_reason(), DENIED);
        strcpy(fixture.record[0].imported.fingerprint, "b"); /* another one is on disk */
        assert_string_equal(cluster_reason(), "replication I/O thread (error 2026): TLS error");
        strcpy(fixture.record[0].imported.fingerprint, FIXTURE_A);
        fixture.replication[0].io_errno = 1236; /* has nothing to do with it */
        assert_string_equal(cluster_reason(), "replication I/O thread (error 1236): TLS error");
        strcpy(fixture.replication[0].io_running, "Yes");
        assert_int_equal(health(), HEALTH_OK);
        break_replication();
        fixture.replication[0].io_errno = 0;
        assert_int_equal(health(), HEALTH_OK);
        break_replication();
        fixture.replication[0].configured = false;
        assert_int_equal(health(), HEALTH_OK);
        break_replication();
        fixture.replication[0].known = false;
        assert_int_equal(health(), HEALTH_OK);
        assert_string_equal(cluster_reason(), "");
        break_replication();
        fixture.cluster[0].state = CLUSTER_DISABLED;
        assert_int_equal(health(), HEALTH_OK);
}

static const char *next_step(void)
{
        return summary_cluster_next_step(&fixture.cluster[0], NULL);
}

static void test_replication_of_a_current_cluster_has_its_reason_and_next_step(void **state)
{
        Replication *replication = &fixture.replication[0];

        *replication = (Replication){.known = true,
                .configured = true,
                .io_running = "No",
                .sql_running = "No",
                .lag_known = true};
        assert_int_equal(health(), HEALTH_WARNING);
        assert_string_equal(
                cluster_reason(), "replication is stopped, not by binlog-ssld, and stays stopped");
        assert_string_equal(
                next_step(), replication_state_next_step(replication, REPLICATION_OBSERVE));
        strcpy(replication->io_running, "Yes");
        strcpy(replication->sql_running, "Yes");
        assert_string_equal(cluster_reason(), "");
        assert_string_equal(next_step(), "");
        assert_int_equal(health(), HEALTH_OK);
}

static void test_failing_replication_is_the_reason_before_a_failed_check(void **state)
{
        fixture.cluster[0].check.failure = (KeptOutcome){.known = true,
                .kind = OUTCOME_UNREACHABLE,
                .text = "no answer",
                .next_step = "look at the network"};
        assert_string_equal(cluster_reason(), "the check failed: no answer");
        assert_string_equal(next_step(), "look at the network");
        break_replication();
        assert_string_equal(cluster_reason(), DENIED);
        assert_string_equal(next_step(),
                replication_state_next_step(&fixture.replication[0], REPLICATION_OBSERVE));
        fixture.replication[0].io_errno = 0; /* what was read is as old as the check */
        strcpy(fixture.replication[0].io_running, "No");
        assert_string_equal(cluster_reason(), "the check failed: no answer");
        assert_string_equal(next_step(), "look at the network");
}

static void test_an_imported_set_that_expired_is_critical(void **state)
{
        fixture.record[0].imported.not_after_usec = fixture.status.now_usec;
        assert_int_equal(health(), HEALTH_CRITICAL);
        assert_string_equal(cluster_reason(), "the imported set expired 2026-12-03");
        fixture.cluster[0].state = CLUSTER_DISABLED;
        assert_int_equal(health(), HEALTH_OK);
}

static void test_a_second_cluster_with_the_same_server_is_a_warning(void **state)
{
        ClusterConfig config = *fixture.cluster[0].config;

        config.twin = "users";
        fixture.cluster[0].config = &config;
        assert_int_equal(health(), HEALTH_WARNING);
        assert_string_equal(cluster_reason(),
                "cluster users has the same host and port; each set is imported there twice");
        assert_string_equal(summary_cluster_next_step(&fixture.cluster[0], &fixture.material),
                "remove one of the two sections from the configuration, then reload");
        break_replication();
        assert_string_equal(cluster_reason(), DENIED);
}

static void test_a_record_that_cannot_be_written_is_a_warning(void **state)
{
        static const struct {
                int error;
                const char *reason, *next_step;
        } cases[] = {
                {ENOSPC,
                        "No space left on device: the record could not be written to "
                        "/var/lib/binlog-ssld",
                        "make room there, see df -h and df -i; the record is then written by "
                        "itself"},
                {EROFS,
                        "Read-only file system: the record could not be written to "
                        "/var/lib/binlog-ssld",
                        "see why that directory cannot be written; the record is then written by "
                        "itself"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                fixture.cluster[0].record_error = cases[i].error;
                assert_int_equal(health(), HEALTH_WARNING);
                assert_string_equal(cluster_reason(), cases[i].reason);
                assert_string_equal(
                        summary_cluster_next_step(&fixture.cluster[0], &fixture.material),
                        cases[i].next_step);
        }
}

static void test_a_waiting_cluster_has_its_material_as_the_reason(void **state)
{
        fixture.cluster[0].state = CLUSTER_WAITING;
        fixture.material.state = MATERIAL_STATE_EXPIRED;
        assert_string_equal(cluster_reason(),
                "material default is expired; the cluster keeps set aaaaaaaaaaaa");
        fixture.record[0].imported.not_after_usec = FIXTURE_TIME;
        assert_string_equal(cluster_reason(),
                "material default is expired; the cluster keeps set aaaaaaaaaaaa, valid until "
                "2027-02-01");
        assert_int_equal(health(), HEALTH_CRITICAL); /* of the material */
        assert_int_equal(summary_cluster_health(&fixture.cluster[0], FIXTURE_TIME - 1), HEALTH_OK);
        assert_int_equal(
                summary_cluster_health(&fixture.cluster[0], FIXTURE_TIME), HEALTH_CRITICAL);
        fixture.record[0].imported.fingerprint[0] = '\0';
        assert_string_equal(cluster_reason(), "material default is expired");
        fixture.material.inspected = false;
        assert_string_equal(cluster_reason(), "material default is not inspected yet");
        fixture.cluster[0].state = CLUSTER_DISABLED;
        assert_string_equal(cluster_reason(), "enabled = no");
}

static void expect_wait(const char *reason, const char *next_step)
{
        fixture.cluster[0].state = CLUSTER_WAITING;
        assert_string_equal(cluster_reason(), reason);
        assert_non_null(strstr(
                summary_cluster_next_step(&fixture.cluster[0], &fixture.material), next_step));
}

static void test_a_cluster_that_waits_for_the_canary_says_why(void **state)
{
        WaveStatus *wave = &fixture.material.wave;

        fixture.record[0].imported.fingerprint[0] = '\0';
        *wave = (WaveStatus){.state = WAVE_IMPORTING,
                .canary = "users",
                .hold_usec = 2 * USEC_PER_MIN,
                .held_usec = 61234567};
        expect_wait("the canary users does not have the set yet", "by itself");
        strcpy(wave->reason, "unreachable: no route");
        expect_wait(
                "the canary users does not have the set yet: unreachable: no route", "by itself");
        wave->state = WAVE_HOLDING;
        strcpy(wave->reason, "replication is stopped");
        expect_wait("the canary users has the set, which nothing proves yet: replication is "
                    "stopped",
                "start replication on the canary");
        wave->since_at_usec = 7;
        wave->reason[0] = '\0';
        expect_wait("the canary users is proving the set (1min 1s of 2min)", "by itself");
        assert_int_equal(health(), HEALTH_OK);
        wave->state = WAVE_STOPPED;
        strcpy(wave->reason, "replication is stopped");
        expect_wait(
                "the canary users failed: replication is stopped", "binlog-sslctl import CLUSTER");
        assert_int_equal(health(), HEALTH_CRITICAL);
        strcpy(wave->canary, "orders");
        wave->state = WAVE_IMPORTING;
        wave->queued = true;
        strcpy(wave->reason, "set bbbb is still being proven");
        expect_wait("set bbbb is still being proven (1min 1s of 2min)", "proven or fails");
        fixture.material.state = MATERIAL_STATE_INVALID;
        expect_wait("material default is invalid", "mend the material");
        fixture.material.state = MATERIAL_STATE_CHANGING;
        expect_wait("material default is changing", "nothing yet");
}

static void test_a_failed_cluster_has_a_reason_and_a_next_step(void **state)
{
        status_fixture_fail(&fixture, 0, CLUSTER_HELD, OUTCOME_AUTH, "access denied");
        assert_string_equal(cluster_reason(), "access denied");
        assert_string_equal(summary_cluster_next_step(&fixture.cluster[0], &fixture.material),
                outcome_next_step(OUTCOME_AUTH, ""));
        fixture.record[0].attempt.outcome.next_step = "GRANT this TO that";
        assert_string_equal(summary_cluster_next_step(&fixture.cluster[0], &fixture.material),
                "GRANT this TO that");
        status_fixture_fail(&fixture, 0, CLUSTER_RETRYING, OUTCOME_UNKNOWN, "");
        fixture.record[0].attempt.outcome.next_step = NULL;
        assert_string_equal(cluster_reason(), "unknown");
        assert_string_equal(summary_cluster_next_step(&fixture.cluster[0], &fixture.material),
                outcome_retry_note(OUTCOME_UNKNOWN));
        fixture.cluster[0].state = CLUSTER_WAITING;
        fixture.record[0].attempt.outcome.kind = OUTCOME_AUTH;
        assert_string_equal(summary_cluster_next_step(&fixture.cluster[0], &fixture.material), "");
}

static void expect_stopped(const char *reason, const char *next_step)
{
        char text[SUMMARY_TEXT_MAX];

        summary_cluster_reason(text, sizeof(text), &fixture.cluster[0], &fixture.material,
                fixture.status.now_usec);
        assert_string_equal(text, reason);
        assert_non_null(strstr(
                summary_cluster_next_step(&fixture.cluster[0], &fixture.material), next_step));
}

#define STOPPED                                                                                   \
        "replication was stopped for the import of set aaaaaaaaaaaa at 2027-02-01 14:05:09Z and " \
        "is not started again yet"

static void test_stopped_replication_has_a_reason_and_a_next_step(void **state)
{
        ClusterStatus *cluster = &fixture.cluster[0];

        fixture.record[0].stop.at_usec = FIXTURE_TIME;
        strcpy(fixture.record[0].stop.fingerprint, FIXTURE_A);
        cluster->state = CLUSTER_RETRYING; /* of the start; the set is imported */
        expect_stopped(STOPPED, "CALL mysql.rds_start_replication");
        cluster->state = CLUSTER_DISABLED;
        expect_stopped("enabled = no; " STOPPED, "enabled = yes");
        status_fixture_fail(&fixture, 0, CLUSTER_HELD, OUTCOME_REFUSED_LOG, "general_log = ON");
        expect_stopped("general_log = ON; " STOPPED, "query-log = warn");
        cluster->start.failure = (KeptOutcome){.known = true,
                .kind = OUTCOME_NO_PRIVILEGE,
                .text = "no grant",
                .next_step = "GRANT it"};
        expect_stopped("general_log = ON; " STOPPED ": no grant", "GRANT it");
        cluster->state = CLUSTER_IMPORTING;
        expect_stopped("general_log = ON", "query-log = warn");
        fixture.record[0].attempt.outcome.known = false;
        expect_stopped("", "");
}

static void test_an_attempt_after_a_failed_one_does_not_hide_the_failure(void **state)
{
        status_fixture_fail(&fixture, 0, CLUSTER_IMPORTING, OUTCOME_UNREACHABLE, "refused");
        assert_int_equal(health(), HEALTH_WARNING);
        assert_string_equal(cluster_reason(), "refused");
        assert_non_null(strstr(summary_cluster_next_step(&fixture.cluster[0], NULL), "host"));
        fixture.record[0].attempt.outcome.kind = OUTCOME_IMPORTED;
        assert_int_equal(health(), HEALTH_OK);
        assert_string_equal(cluster_reason(), "");
}

static void test_a_removal_is_the_reason_of_a_disabled_cluster(void **state)
{
        ClusterStatus *cluster = &fixture.cluster[0];
        RecordRemoval *removal = &fixture.record[0].removal;

        cluster->state = CLUSTER_DISABLED;
        cluster->removing = true;
        expect_stopped("enabled = no; the client material is being removed", "");
        removal->at_usec = FIXTURE_TIME;
        assert_string_equal(summary_removal_next_step(cluster), "");
        assert_non_null(strstr(summary_cluster_next_step(cluster, NULL), "enabled = yes"));
        cluster->removing = false;
        record_note_removal(
                &fixture.record[0], &(Outcome){.kind = OUTCOME_REMOVED, .warning = "it runs"});
        expect_stopped("enabled = no; the client material was removed at 2027-02-01 14:05:09Z; "
                       "warning: it runs",
                "");
        record_note_removal(&fixture.record[0],
                &(Outcome){
                        .kind = OUTCOME_NO_PRIVILEGE, .text = "denied", .next_step = "GRANT it"});
        expect_stopped("enabled = no; the removal of the client material at 2027-02-01 14:05:09Z "
                       "failed: denied",
                "GRANT it");
        record_note_removal(&fixture.record[0], &(Outcome){.kind = OUTCOME_UNKNOWN});
        expect_stopped("enabled = no; the removal of the client material at 2027-02-01 14:05:09Z "
                       "failed: unknown",
                "repeat binlog-sslctl remove");
        fixture.record[0].stop.at_usec = FIXTURE_TIME;
        strcpy(fixture.record[0].stop.fingerprint, FIXTURE_A);
        record_note_removal(&fixture.record[0], &(Outcome){.kind = OUTCOME_REMOVED});
        expect_stopped(
                "enabled = no; the client material was removed at 2027-02-01 14:05:09Z; " STOPPED,
                "CALL mysql.rds_start_replication");
        cluster->state = CLUSTER_CURRENT; /* enabled again */
        fixture.record[0].stop = (RecordStop){0};
        expect_stopped("", "");
        kept_outcome_done(&removal->outcome);
}

static void test_healths_are_spelled_as_documented(void **state)
{
        assert_string_equal(health_to_string(HEALTH_OK), "ok");
        assert_string_equal(health_to_string(HEALTH_WARNING), "warning");
        assert_string_equal(health_to_string(HEALTH_CRITICAL), "critical");
        assert_string_equal(health_to_string(_HEALTH_MAX), "");
}

static void test_a_failed_reimport_is_a_warning_of_a_current_cluster(void **state)
{
        char reason[SUMMARY_TEXT_MAX];

        status_fixture_fail(&fixture, 0, CLUSTER_CURRENT, OUTCOME_UNREACHABLE, "no route to host");
        assert_int_equal(summary_health(&fixture.status), HEALTH_WARNING);
        summary_cluster_reason(reason, sizeof(reason), &fixture.cluster[0], &fixture.material,
                fixture.status.now_usec);
        assert_string_equal(reason, "the repeated import failed: no route to host");

        /* Another set failed, and the imported one is on disk again: no error. */
        fixture.record[0].attempt.fingerprint[0] = 'b';
        assert_int_equal(summary_health(&fixture.status), HEALTH_OK);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                summary_test(test_each_state_of_a_cluster_has_its_health),
                summary_test(
                        test_broken_replication_is_critical_unless_it_runs_or_is_not_configured),
                summary_test(test_replication_of_a_current_cluster_has_its_reason_and_next_step),
                summary_test(test_failing_replication_is_the_reason_before_a_failed_check),
                summary_test(test_an_imported_set_that_expired_is_critical),
                summary_test(test_a_second_cluster_with_the_same_server_is_a_warning),
                summary_test(test_a_record_that_cannot_be_written_is_a_warning),
                summary_test(test_a_waiting_cluster_has_its_material_as_the_reason),
                summary_test(test_a_cluster_that_waits_for_the_canary_says_why),
                summary_test(test_a_failed_cluster_has_a_reason_and_a_next_step),
                summary_test(test_stopped_replication_has_a_reason_and_a_next_step),
                summary_test(test_an_attempt_after_a_failed_one_does_not_hide_the_failure),
                summary_test(test_a_removal_is_the_reason_of_a_disabled_cluster),
                summary_test(test_healths_are_spelled_as_documented),
                summary_test(test_a_failed_reimport_is_a_warning_of_a_current_cluster),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
