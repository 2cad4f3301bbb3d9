#include "tests/unit/test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/status/metrics.h"
#include "tests/unit/status-fixture.h"

static StatusFixture fixture;
static Metrics *metrics;
static char *text;

static int make(void **state)
{
        status_fixture_make(&fixture);
        return metrics_new(&metrics);
}

static int unmake(void **state)
{
        metrics = metrics_free(metrics);
        free(text);
        text = NULL;
        return 0;
}

#define metrics_test(test) cmocka_unit_test_setup_teardown(test, make, unmake)

static void format(void)
{
        free(text);
        text = NULL;
        assert_int_equal(metrics_format(&text, metrics, &fixture.status, "1.2.3"), 0);
}

/* Returns the number of lines that begin with `begin`. */
static unsigned count_lines(const char *begin)
{
        unsigned n = 0;

        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                n += strncmp(line, begin, strlen(begin)) == 0;
        }
        return n;
}

/* The text has exactly one sample with these labels; `value` "": none. */
static void assert_sample(const char *sample, const char *value)
{
        char begin[256];
        const char *line;

        text_format(begin, sizeof(begin), "binlog_ssld_%s ", sample);
        if (value[0] == '\0') {
                assert_int_equal(count_lines(begin), 0);
                return;
        }
        assert_int_equal(count_lines(begin), 1);
        line = strstr(text, begin) + strlen(begin);
        assert_int_equal(strcspn(line, "\n"), strlen(value));
        assert_memory_equal(line, value, strlen(value));
}

static void test_a_current_cluster_has_all_samples(void **state)
{
        static const char expected[] =
                "binlog_ssld_build_info{version=\"1.2.3\"} 1\n"
                "binlog_ssld_config_last_reload_successful 1\n"
                "binlog_ssld_material_not_after_timestamp_seconds{material=\"default\","
                "file=\"cert\"} 1801490709\n"
                "binlog_ssld_material_not_after_timestamp_seconds{material=\"default\","
                "file=\"ca\"} 1801577109\n"
                "binlog_ssld_material_expiry_warning_timestamp_seconds{material=\"default\","
                "file=\"cert\"} 1800885909\n" /* 7 days before */
                "binlog_ssld_material_expiry_warning_timestamp_seconds{material=\"default\","
                "file=\"ca\"} 1801317909\n" /* 3 days before, of 9 */
                "binlog_ssld_material_valid{material=\"default\"} 1\n"
                "binlog_ssld_watch_missed_total{material=\"default\"} 3\n"
                "binlog_ssld_watch_active{material=\"default\"} 1\n"
                "binlog_ssld_watch_restarts_total{material=\"default\"} 0\n"
                "binlog_ssld_file_system_responding{material=\"default\"} 1\n"
                "binlog_ssld_last_check_timestamp_seconds{material=\"default\"} 1500000000\n"
                "binlog_ssld_cluster_current{cluster=\"orders\"} 1\n"
                "binlog_ssld_cluster_imported_timestamp_seconds{cluster=\"orders\"} 1600000000\n"
                "binlog_ssld_cluster_out_of_sync_since_timestamp_seconds{cluster=\"orders\"} 0\n"
                "binlog_ssld_cluster_last_outcome{cluster=\"orders\",outcome=\"imported\"} 1\n"
                "binlog_ssld_cluster_replication_stopped{cluster=\"orders\"} 0\n"
                "binlog_ssld_import_duration_seconds_bucket{le=\"0.05\"} 0\n";
        char samples[sizeof(expected) + 1024] = "";

        fixture.watch.checked_at_usec = 1500000000 * USEC_PER_SEC;
        fixture.record[0].imported.at_usec = 1600000000 * USEC_PER_SEC;
        format();
        for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
                if (*line != '#' && strlen(samples) < sizeof(expected) - 1)
                        strncat(samples, line, strcspn(line, "\n") + 1);
        assert_string_equal(samples, expected);
        assert_int_equal(text[strlen(text) - 1], '\n');
}

static void test_each_name_has_its_help_and_type_once(void **state)
{
        unsigned n = 0;

        fixture.status.n_clusters = FIXTURE_CLUSTERS;
        metrics_count(metrics, "orders", OUTCOME_IMPORTED, USEC_PER_SEC);
        metrics_count(metrics, "users", OUTCOME_AUTH, USEC_PER_SEC);
        format();
        for (const char *line = strstr(text, "# HELP "); line; line = strstr(line + 1, "# HELP ")) {
                char name[128], begin[256];

                assert_int_equal(sscanf(line, "# HELP %127s", name), 1);
                text_format(begin, sizeof(begin), "# HELP %s ", name);
                assert_int_equal(count_lines(begin), 1);
                text_format(begin, sizeof(begin), "# TYPE %s ", name);
                assert_int_equal(count_lines(begin), 1);
                n++;
        }
        assert_int_equal(n, 28);
        assert_int_equal(count_lines("# TYPE "), n);
}

static void test_a_set_without_a_certificate_has_no_expiry(void **state)
{
        fixture.report.has_certificate = false;
        fixture.report.ca_count = 0;
        fixture.material.state = MATERIAL_STATE_MISSING;
        format();
        assert_int_equal(count_lines("binlog_ssld_material_not_after"), 0);
        assert_int_equal(count_lines("binlog_ssld_material_expiry_warning"), 0);
        assert_sample("material_valid{material=\"default\"}", "0");
}

static void test_only_a_set_that_may_be_imported_is_valid(void **state)
{
        for (MaterialState one = 0; one < _MATERIAL_STATE_MAX; one++) {
                fixture.material.state = one;
                format();
                assert_sample("material_valid{material=\"default\"}",
                        one == MATERIAL_STATE_VALID || one == MATERIAL_STATE_EXPIRING ? "1" : "0");
        }
}

static void test_a_path_that_is_polled_only_is_not_watched(void **state)
{
        fixture.watch.watching = false;
        fixture.watch.missed_events = 4;
        format();
        assert_sample("watch_active{material=\"default\"}", "0");
        assert_sample("watch_missed_total{material=\"default\"}", "4");
}

static void test_a_file_system_that_does_not_respond_is_shown(void **state)
{
        fixture.material.not_responding_since_at_usec = 1;
        fixture.watch_process.restarts = 2;
        format();
        assert_sample("file_system_responding{material=\"default\"}", "0");
        assert_sample("watch_restarts_total{material=\"default\"}", "2");
        assert_sample("material_valid{material=\"default\"}", "1");
}

static void test_a_wave_is_shown_while_there_is_one(void **state)
{
        WaveStatus *wave = &fixture.material.wave;

        format();
        assert_int_equal(count_lines("binlog_ssld_rollout_"), 0);
        *wave = (WaveStatus){.state = WAVE_HOLDING, .canary = "orders", .n_waiting = 3};
        format();
        assert_sample("rollout_canary{material=\"default\",cluster=\"orders\"}", "1");
        assert_sample("rollout_waiting_clusters{material=\"default\"}", "3");
        assert_sample("rollout_stopped{material=\"default\"}", "0");
        wave->state = WAVE_STOPPED;
        format();
        assert_sample("rollout_stopped{material=\"default\"}", "1");
}

static void test_a_cluster_is_current_in_that_state_only(void **state)
{
        for (ClusterState one = 0; one < _CLUSTER_STATE_MAX; one++) {
                fixture.cluster[0].state = one;
                format();
                assert_sample(
                        "cluster_current{cluster=\"orders\"}", one == CLUSTER_CURRENT ? "1" : "0");
        }
}

static void test_a_cluster_that_was_never_imported_has_no_times(void **state)
{
        uint64_t since_usec = clock_boottime_usec();
        char since[32];

        text_format(since, sizeof(since), "%.17g", (double)clock_wall_at_usec(since_usec) / 1e6);
        fixture.record[0] = (Record){0};
        fixture.cluster[0].state = CLUSTER_RETRYING;
        fixture.cluster[0].out_of_sync_since_usec = since_usec;
        format();
        assert_int_equal(count_lines("binlog_ssld_cluster_imported"), 0);
        assert_sample("cluster_out_of_sync_since_timestamp_seconds{cluster=\"orders\"}", since);
}

static void test_the_expiry_of_the_imported_set_has_its_own_metric(void **state)
{
        fixture.record[0].imported.not_before_usec = FIXTURE_TIME - 4 * USEC_PER_DAY;
        fixture.record[0].imported.not_after_usec = FIXTURE_TIME - USEC_PER_DAY;
        format();
        assert_sample("cluster_imported_expiry_warning_timestamp_seconds{cluster=\"orders\"}",
                "1801317909"); /* a day before, of 3 */
        assert_sample(
                "cluster_imported_not_after_timestamp_seconds{cluster=\"orders\"}", "1801404309");
}

static void test_replication_runs_when_both_threads_do(void **state)
{
        Replication *replication = &fixture.replication[0];

        format();
        assert_sample("cluster_replication_running{cluster=\"orders\"}", "");
        *replication = (Replication){
                .known = true, .configured = true, .io_running = "Yes", .sql_running = "Yes"};
        format();
        assert_sample("cluster_replication_running{cluster=\"orders\"}", "1");
        strcpy(replication->io_running, "Connecting");
        format();
        assert_sample("cluster_replication_running{cluster=\"orders\"}", "0");
        strcpy(replication->io_running, "Yes");
        strcpy(replication->sql_running, "No");
        format();
        assert_sample("cluster_replication_running{cluster=\"orders\"}", "0");
        replication->configured = false;
        format();
        assert_sample("cluster_replication_running{cluster=\"orders\"}", "");
}

/* A replica that runs, read at FIXTURE_TIME. */
static Replication *replicate(void)
{
        fixture.replication[0] = (Replication){.known = true,
                .configured = true,
                .io_running = "Yes",
                .sql_running = "Yes",
                .checked_at_usec = FIXTURE_TIME};
        return &fixture.replication[0];
}

#define STOPPED_BY_PERSON "cluster_replication_stopped_by_person{cluster=\"orders\"}"
#define SET_WAITS         "cluster_set_waits_for_start{cluster=\"orders\"}"

static void test_lag_and_tls_are_absent_when_they_are_unknown(void **state)
{
        Replication *replication = replicate();

        format();
        assert_sample("cluster_replication_lag_seconds{cluster=\"orders\"}", "");
        assert_sample("cluster_replication_tls{cluster=\"orders\"}", "");
        replication->lag_known = true;
        replication->tls = TRISTATE_NO;
        format();
        assert_sample("cluster_replication_lag_seconds{cluster=\"orders\"}", "0");
        assert_sample("cluster_replication_tls{cluster=\"orders\"}", "0");
        replication->lag_sec = 17;
        replication->tls = TRISTATE_YES;
        format();
        assert_sample("cluster_replication_lag_seconds{cluster=\"orders\"}", "17");
        assert_sample("cluster_replication_tls{cluster=\"orders\"}", "1");
}

static void test_the_time_of_a_reading_is_shown_also_without_a_source(void **state)
{
        static const char sample[] =
                "cluster_replication_last_check_timestamp_seconds{cluster=\"orders\"}";

        format();
        assert_sample(sample, "");
        replicate()->configured = false;
        format();
        assert_sample(sample, "1801490709");
        assert_int_equal(count_lines("binlog_ssld_cluster_replication_"), 2); /* and _stopped */
}

static void test_a_stop_by_a_person_is_none_of_an_import_and_no_failure(void **state)
{
        Replication *replication = replicate();

        format();
        assert_sample(STOPPED_BY_PERSON, "0");
        strcpy(replication->io_running, "No");
        strcpy(replication->sql_running, "No");
        format();
        assert_sample(STOPPED_BY_PERSON, "1");
        replication->stopped_by_us = true;
        format();
        assert_sample(STOPPED_BY_PERSON, "0");
        replication->stopped_by_us = false;
        replication->sql_errno = 1062;
        format();
        assert_sample(STOPPED_BY_PERSON, "0");
}

static void test_a_set_waits_only_if_it_is_imported_and_a_person_stopped_replication(void **state)
{
        Replication *replication = replicate();

        format();
        assert_sample(SET_WAITS, "0");
        strcpy(replication->io_running, "No");
        strcpy(replication->sql_running, "No");
        format();
        assert_sample(SET_WAITS, "1");
        fixture.record[0].imported.in_use = true;
        format();
        assert_sample(SET_WAITS, "0");
        fixture.record[0].imported = (RecordImport){0};
        format();
        assert_sample(SET_WAITS, "0");
}

static void test_replication_of_a_disabled_cluster_is_not_shown(void **state)
{
        replicate();
        fixture.cluster[0].state = CLUSTER_DISABLED;
        format();
        assert_int_equal(count_lines("binlog_ssld_cluster_replication_"), 1); /* _stopped */
        assert_sample(SET_WAITS, "");
}

static void test_the_last_outcome_is_a_label(void **state)
{
        fixture.status.n_clusters = 2;
        fixture.record[0].attempt.outcome.kind = OUTCOME_REJECTED;
        fixture.record[1].attempt.outcome.known = false;
        format();
        assert_sample("cluster_last_outcome{cluster=\"orders\",outcome=\"rejected\"}", "1");
        assert_int_equal(count_lines("binlog_ssld_cluster_last_outcome"), 1);
}

static void test_replication_that_an_import_left_stopped_has_a_metric(void **state)
{
        format();
        assert_sample("cluster_replication_stopped{cluster=\"orders\"}", "0");
        fixture.record[0].stop.at_usec = FIXTURE_TIME;
        format();
        assert_sample("cluster_replication_stopped{cluster=\"orders\"}", "1");
}

static void test_imports_are_counted_by_cluster_and_outcome(void **state)
{
        fixture.status.n_clusters = 2;
        metrics_count(metrics, "orders", OUTCOME_UNREACHABLE, USEC_PER_SEC);
        metrics_count(metrics, "orders", OUTCOME_UNREACHABLE, USEC_PER_SEC);
        metrics_count(metrics, "users", OUTCOME_IMPORTED, USEC_PER_SEC);
        format();
        assert_sample("imports_total{cluster=\"orders\",outcome=\"unreachable\"}", "2");
        assert_sample("imports_total{cluster=\"users\",outcome=\"imported\"}", "1");
        assert_int_equal(count_lines("binlog_ssld_imports_total"), 2);
}

static void test_every_outcome_can_be_counted(void **state)
{
        char count[16];

        for (OutcomeKind kind = 0; kind < _OUTCOME_KIND_MAX; kind++)
                metrics_count(metrics, "orders", kind, USEC_PER_SEC);
        metrics_count(metrics, "orders", _OUTCOME_KIND_MAX, USEC_PER_SEC);
        format();
        assert_int_equal(count_lines("binlog_ssld_imports_total"), _OUTCOME_KIND_MAX);
        text_format(count, sizeof(count), "%d", _OUTCOME_KIND_MAX);
        assert_sample("import_duration_seconds_count", count);
}

static void test_a_cluster_that_is_not_configured_has_no_samples(void **state)
{
        fixture.status.n_clusters = 2;
        metrics_count(metrics, "orders", OUTCOME_IMPORTED, USEC_PER_SEC);
        metrics_count(metrics, "users", OUTCOME_IMPORTED, USEC_PER_SEC);
        metrics_forget(metrics, "orders");
        metrics_forget(metrics, "nobody");
        fixture.clusters[0] = &fixture.cluster[1];
        fixture.status.n_clusters = 1;
        metrics_count(
                metrics, "orders", OUTCOME_IMPORTED, USEC_PER_SEC); /* ended after its removal */
        format();
        assert_null(strstr(text, "orders"));
        assert_sample("imports_total{cluster=\"users\",outcome=\"imported\"}", "1");
        assert_sample("import_duration_seconds_count", "3"); /* a counter never goes down */
}

static void test_the_buckets_are_cumulative_and_each_holds_its_bound(void **state)
{
        static const uint64_t durations_msec[] = {1, 50, 51, 60 * 1000, 60 * 1000 + 1, 3600 * 1000};
        static const char *const expected[][2] = {{"0.05", "2"}, {"0.1", "3"}, {"0.25", "3"},
                {"0.5", "3"}, {"1", "3"}, {"2.5", "3"}, {"5", "3"}, {"10", "3"}, {"30", "3"},
                {"60", "4"}, {"+Inf", "6"}};
        char sample[64];

        for (size_t i = 0; i < ARRAY_SIZE(durations_msec); i++)
                metrics_count(metrics, i % 2 ? "orders" : "users", OUTCOME_IMPORTED,
                        durations_msec[i] * USEC_PER_MSEC);
        format();
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
                text_format(sample, sizeof(sample), "import_duration_seconds_bucket{le=\"%s\"}",
                        expected[i][0]);
                assert_sample(sample, expected[i][1]);
        }
        assert_int_equal(
                count_lines("binlog_ssld_import_duration_seconds_bucket"), ARRAY_SIZE(expected));
        assert_sample("import_duration_seconds_count", "6");
        assert_int_equal(count_lines("binlog_ssld_import_duration_seconds_sum 3720.10"), 1);
}

static void test_without_materials_and_clusters_the_text_is_valid(void **state)
{
        fixture.status.n_clusters = fixture.status.n_materials = 0;
        format();
        assert_sample("build_info{version=\"1.2.3\"}", "1");
        assert_int_equal(count_lines("binlog_ssld_"), 1 + 1 + 11 + 2);
}

static void test_a_refused_configuration_is_shown(void **state)
{
        static const ConfigProblem problem = {.file = "/etc/a.conf"};

        fixture.status.refused = &problem;
        format();
        assert_non_null(strstr(text, "\nbinlog_ssld_config_last_reload_successful 0\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                metrics_test(test_a_current_cluster_has_all_samples),
                metrics_test(test_a_refused_configuration_is_shown),
                metrics_test(test_each_name_has_its_help_and_type_once),
                metrics_test(test_a_set_without_a_certificate_has_no_expiry),
                metrics_test(test_only_a_set_that_may_be_imported_is_valid),
                metrics_test(test_a_path_that_is_polled_only_is_not_watched),
                metrics_test(test_a_file_system_that_does_not_respond_is_shown),
                metrics_test(test_a_wave_is_shown_while_there_is_one),
                metrics_test(test_a_cluster_is_current_in_that_state_only),
                metrics_test(test_a_cluster_that_was_never_imported_has_no_times),
                metrics_test(test_the_expiry_of_the_imported_set_has_its_own_metric),
                metrics_test(test_replication_runs_when_both_threads_do),
                metrics_test(test_lag_and_tls_are_absent_when_they_are_unknown),
                metrics_test(test_the_time_of_a_reading_is_shown_also_without_a_source),
                metrics_test(test_a_stop_by_a_person_is_none_of_an_import_and_no_failure),
                metrics_test(
                        test_a_set_waits_only_if_it_is_imported_and_a_person_stopped_replication),
                metrics_test(test_replication_of_a_disabled_cluster_is_not_shown),
                metrics_test(test_the_last_outcome_is_a_label),
                metrics_test(test_replication_that_an_import_left_stopped_has_a_metric),
                metrics_test(test_imports_are_counted_by_cluster_and_outcome),
                metrics_test(test_every_outcome_can_be_counted),
                metrics_test(test_a_cluster_that_is_not_configured_has_no_samples),
                metrics_test(test_the_buckets_are_cumulative_and_each_holds_its_bound),
                metrics_test(test_without_materials_and_clusters_the_text_is_valid),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
