#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/status/summary-cluster.h"
#include "daemon/status/summary-material.h"
#include "tests/unit/status-fixture.h"

static StatusFixture fixture;

static int make(void **state)
{
        status_fixture_make(&fixture);
        return 0;
}

#define summary_test(test) cmocka_unit_test_setup(test, make)

static const char *line(void)
{
        static char buffer[SUMMARY_TEXT_MAX];

        summary_line(buffer, sizeof(buffer), &fixture.status);
        return buffer;
}

static const char *material_reason(void)
{
        static char buffer[SUMMARY_TEXT_MAX];

        summary_material_reason(buffer, sizeof(buffer), &fixture.material);
        return buffer;
}

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

static void test_without_errors_there_are_no_reasons(void **state)
{
        assert_int_equal(health(), HEALTH_OK);
        assert_string_equal(line(), "1/1 clusters current, certificate valid until 2027-02-01");
        assert_string_equal(material_reason(), "");
        assert_string_equal(cluster_reason(), "");
}

static void test_the_worst_health_counts(void **state)
{
        fixture.status.n_clusters = 3;
        fixture.cluster[1].state = CLUSTER_HELD;
        fixture.cluster[2].state = CLUSTER_RETRYING;
        assert_int_equal(health(), HEALTH_CRITICAL);
        fixture.cluster[1].state = CLUSTER_DISABLED;
        assert_int_equal(health(), HEALTH_WARNING);
}

static void test_a_failed_cluster_is_named_with_its_reason_and_next_try(void **state)
{
        fixture.status.n_clusters = 3;
        status_fixture_fail(&fixture, 1, CLUSTER_RETRYING, OUTCOME_UNREACHABLE, "no route to host");
        fixture.cluster[1].next_attempt_usec = status_fixture_boottime();
        assert_string_equal(line(),
                "2/3 clusters current; users: no route to host, next try 2027-02-01 14:05:09Z, "
                "certificate valid until 2027-02-01");
        fixture.record[1].attempt.outcome.text = NULL;
        fixture.cluster[1].next_attempt_usec = 0;
        assert_string_equal(line(),
                "2/3 clusters current; users: unreachable, certificate valid until 2027-02-01");
}

static void test_an_error_of_a_current_cluster_is_in_the_line(void **state)
{
        break_replication();
        assert_string_equal(line(),
                "1/1 clusters current; orders: replication I/O thread (error 2026): TLS error; the "
                "imported certificate is \"CN = client\", issued by \"CN = authority\", certificate "
                "valid until 2027-02-01");
        fixture.replication[0].known = false;
        fixture.cluster[0].record_error = ENOSPC;
        assert_string_equal(line(),
                "1/1 clusters current; orders: No space left on device: the record could not be "
                "written to /var/lib/binlog-ssld, certificate valid until 2027-02-01");
}

static void test_a_held_cluster_is_named_before_one_that_retries(void **state)
{
        fixture.status.n_clusters = 3;
        status_fixture_fail(&fixture, 0, CLUSTER_RETRYING, OUTCOME_TLS, "bad name");
        status_fixture_fail(&fixture, 2, CLUSTER_HELD, OUTCOME_AUTH, "access denied");
        assert_string_equal(line(),
                "1/3 clusters current; logs: access denied; +1 more, certificate valid until 2027-02-01");
}

static void test_disabled_clusters_are_not_counted(void **state)
{
        fixture.status.n_clusters = 3;
        fixture.cluster[1].state = CLUSTER_DISABLED;
        assert_string_equal(line(), "2/2 clusters current, certificate valid until 2027-02-01");
}

static void test_what_clusters_keep_that_wait_is_in_the_line(void **state)
{
        fixture.status.n_clusters = 3;
        fixture.material.state = MATERIAL_STATE_MISSING;
        for (unsigned i = 0; i < 3; i++)
                fixture.cluster[i].state = CLUSTER_WAITING;
        fixture.record[0].imported.fingerprint[0] = '\0';
        assert_string_equal(line(),
                "0/3 clusters current; material default missing; 2 clusters keep set aaaaaaaaaaaa");
        fixture.record[1].imported.not_after_usec = FIXTURE_TIME;
        fixture.record[2].imported.not_after_usec = FIXTURE_TIME - 40 * USEC_PER_DAY;
        assert_string_equal(line(),
                "0/3 clusters current; material default missing; 2 clusters keep set aaaaaaaaaaaa, "
                "valid until 2026-12-23");
        strcpy(fixture.record[2].imported.fingerprint, "b");
        assert_string_equal(line(),
                "0/3 clusters current; material default missing; 2 clusters keep earlier sets, "
                "valid until 2026-12-23");
        fixture.cluster[1].state = CLUSTER_DISABLED;
        fixture.status.now_usec = fixture.record[2].imported.not_after_usec;
        assert_string_equal(line(),
                "0/2 clusters current; logs: material default is missing; the cluster keeps set b, "
                "which expired 2026-12-23; material default missing; 1 cluster keeps set b, which "
                "expired 2026-12-23");
        assert_int_equal(health(), HEALTH_CRITICAL);
}

static void test_a_refused_configuration_is_a_warning_in_the_line(void **state)
{
        ConfigProblem problem = {.file = "/etc/a.conf", .line = 7, .text = "unknown key"};

        fixture.status.refused = &problem;
        assert_int_equal(health(), HEALTH_WARNING);
        assert_string_equal(line(),
                "1/1 clusters current; configuration refused: unknown key (/etc/a.conf:7), "
                "certificate valid until 2027-02-01");
        problem.line = 0;
        assert_non_null(strstr(line(), "refused: unknown key (/etc/a.conf)"));
        fixture.material.state = MATERIAL_STATE_MISSING;
        assert_string_equal(line(),
                "1/1 clusters current; material default missing; configuration refused: unknown "
                "key (/etc/a.conf)");
        fixture.cluster[0].state = CLUSTER_HELD;
        assert_int_equal(health(), HEALTH_CRITICAL);
}

static void test_a_rollout_that_is_stopped_is_in_the_line(void **state)
{
        fixture.material.wave = (WaveStatus){
                .state = WAVE_STOPPED, .canary = "users", .reason = "replication is stopped"};
        assert_string_equal(line(),
                "1/1 clusters current; the rollout of material default is stopped: the canary "
                "users failed: replication is stopped, certificate valid until 2027-02-01");
}

static void test_an_invalid_material_is_named_with_its_reason(void **state)
{
        fixture.material.state = MATERIAL_STATE_INVALID;
        report_add(&fixture.report, MATERIAL_KEY, RULE_KEY_PERMISSIONS, SEVERITY_WARNING, "w");
        report_add(&fixture.report, MATERIAL_KEY, RULE_KEY_MISMATCH, SEVERITY_ERROR,
                "not of this certificate");
        assert_string_equal(material_reason(), "key-mismatch: not of this certificate");
        assert_string_equal(line(),
                "1/1 clusters current; material default invalid: key-mismatch: not of this "
                "certificate");
}

static void test_an_expiring_material_is_named_with_its_reason(void **state)
{
        fixture.material.state = MATERIAL_STATE_EXPIRING;
        report_add(&fixture.report, MATERIAL_CA, RULE_EXPIRES_SOON, SEVERITY_WARNING,
                "expires in 3 days")
                ->end_usec = FIXTURE_TIME - 7 * USEC_PER_DAY;
        assert_string_equal(line(),
                "1/1 clusters current; material default expiring on 2027-01-25: expires in 3 days, "
                "certificate valid until 2027-02-01");
}

static void test_a_material_without_an_inspection_is_named(void **state)
{
        fixture.material.inspected = false;
        fixture.material.state = MATERIAL_STATE_CHANGING;
        fixture.cluster[0].state = CLUSTER_WAITING;
        fixture.record[0].imported.fingerprint[0] = '\0';
        assert_string_equal(line(), "0/1 clusters current; material default not inspected yet");
        assert_int_equal(health(), HEALTH_WARNING);
        assert_string_equal(material_reason(), "the first inspection is under way");
}

static void test_a_file_system_that_does_not_respond_is_the_reason_beside_the_last_state(
        void **state)
{
        fixture.material.not_responding_since_at_usec = FIXTURE_TIME - 60 * USEC_PER_DAY;
        assert_string_equal(material_reason(),
                "the file system of /etc/material has not answered since 2026-12-03 14:05:09Z");
        assert_string_equal(line(),
                "1/1 clusters current; material default valid: the file system of /etc/material "
                "has not answered since 2026-12-03 14:05:09Z, certificate valid until 2027-02-01");
        assert_int_equal(health(), HEALTH_WARNING);
        fixture.material.inspected = false;
        assert_string_equal(line(),
                "1/1 clusters current; material default not inspected yet: the file system of "
                "/etc/material has not answered since 2026-12-03 14:05:09Z, certificate valid "
                "until 2027-02-01");
        assert_int_equal(health(), HEALTH_WARNING);
}

static void test_the_line_has_the_earliest_expiry_of_all_materials(void **state)
{
        StatusFixture other;
        const MaterialStatus *both[] = {&fixture.material, &other.material};

        status_fixture_make(&other);
        other.report.certificate.not_after_usec = FIXTURE_TIME - UINT64_C(40000000000000);
        fixture.status.materials = both;
        fixture.status.n_materials = 2;
        assert_string_equal(line(), "1/1 clusters current, certificate valid until 2025-10-26");
}

static void test_texts_are_cut_to_the_buffer(void **state)
{
        char small[16], expected[SUMMARY_TEXT_MAX];

        text_set(expected, sizeof(small), line());
        summary_line(small, sizeof(small), &fixture.status);
        assert_string_equal(small, expected);
        status_fixture_fail(&fixture, 0, CLUSTER_HELD, OUTCOME_AUTH, "0123456789abcde");
        summary_cluster_reason(small, sizeof(small), &fixture.cluster[0], &fixture.material,
                fixture.status.now_usec);
        assert_string_equal(small, "0123456789abcde");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                summary_test(test_without_errors_there_are_no_reasons),
                summary_test(test_the_worst_health_counts),
                summary_test(test_a_failed_cluster_is_named_with_its_reason_and_next_try),
                summary_test(test_an_error_of_a_current_cluster_is_in_the_line),
                summary_test(test_a_held_cluster_is_named_before_one_that_retries),
                summary_test(test_disabled_clusters_are_not_counted),
                summary_test(test_what_clusters_keep_that_wait_is_in_the_line),
                summary_test(test_a_refused_configuration_is_a_warning_in_the_line),
                summary_test(test_a_rollout_that_is_stopped_is_in_the_line),
                summary_test(test_an_invalid_material_is_named_with_its_reason),
                summary_test(test_an_expiring_material_is_named_with_its_reason),
                summary_test(test_a_material_without_an_inspection_is_named),
                summary_test(
                        test_a_file_system_that_does_not_respond_is_the_reason_beside_the_last_state),
                summary_test(test_the_line_has_the_earliest_expiry_of_all_materials),
                summary_test(test_texts_are_cut_to_the_buffer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
