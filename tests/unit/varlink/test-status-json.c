#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json-reader.h"
#include "common/json-writer.h"
#include "daemon/model/interface.h"
#include "daemon/varlink/status-json.h"
#include "tests/unit/status-fixture.h"

static StatusFixture fixture;
static JsonValue *status;

static int make(void **state)
{
        status_fixture_make(&fixture);
        return 0;
}

static int remove_status(void **state)
{
        status = json_free(status);
        return 0;
}

#define status_test(test) cmocka_unit_test_setup_teardown(test, make, remove_status)

static const JsonValue *format(void)
{
        ManagerInfo facts = {
                .version = "1.2.3", .pid = 42, .started_at_usec = 7, .loaded_at_usec = 8};
        CLEANUP(freep) char *text = NULL;

        status = json_free(status);
        assert_int_equal(status_json_format(&text, &facts, &fixture.status), 0);
        assert_int_equal(json_parse(&status, text, strlen(text)), 0);
        return status;
}

static const JsonValue *format_material(void)
{
        return json_element(json_member(format(), "materials"), 0);
}

static const JsonValue *format_cluster(void)
{
        return json_element(json_member(format(), "clusters"), 0);
}

static void expect_text(const JsonValue *object, const char *key, const char *expected)
{
        const char *text = json_get_string(json_member(object, key));

        if (!text)
                fail_msg("%s is no string", key);
        assert_string_equal(text, expected);
}

static uint64_t in_an_hour(void)
{
        return clock_boottime_usec() + USEC_PER_HOUR;
}

/* By the wall clock, within a minute. */
static void expect_in_an_hour(const JsonValue *object, const char *key)
{
        int64_t number;
        uint64_t hour = clock_wall_usec() + USEC_PER_HOUR;

        assert_true(json_get_integer(&number, json_member(object, key)));
        assert_in_range(number, hour - USEC_PER_MIN, hour + USEC_PER_MIN);
}

static void expect_number(const JsonValue *object, const char *key, uint64_t expected)
{
        int64_t number;

        if (!json_get_integer(&number, json_member(object, key)))
                fail_msg("%s is no number", key);
        assert_int_equal(number, expected);
}

static void expect_boolean(const JsonValue *object, const char *key, bool expected)
{
        bool value;

        assert_true(json_get_boolean(&value, json_member(object, key)));
        assert_int_equal(value, expected);
}

static void expect_null(const JsonValue *object, const char *key)
{
        if (!json_is_null(json_member(object, key)))
                fail_msg("%s is not null", key);
}

/* The object has the members that `begin` of the interface description lists, in its order. */
static void expect_members(const JsonValue *object, const char *begin)
{
        const char *at = strstr(interface_description, begin);
        size_t n = 0;

        assert_non_null(at);
        at += strlen(begin);
        while (*at != ')') {
                const char *key = json_key_at(object, n++);
                size_t length = strcspn(at, ":");

                if (!key || strlen(key) != length || memcmp(key, at, length) != 0)
                        fail_msg("%s has %s where %.*s is described", begin, key ? key : "nothing",
                                (int)length, at);
                at += strcspn(at, ",)");
                at += strspn(at, ", \n");
        }
        assert_int_equal(json_size(object), n);
}

static void test_every_object_is_as_the_interface_describes_it(void **state)
{
        const JsonValue *material, *cluster;

        fixture.replication[0].known = true;
        fixture.material.wave.state = WAVE_HOLDING;
        fixture.cluster[0].removing = true;
        report_add(&fixture.report, MATERIAL_KEY, RULE_KEY_PERMISSIONS, SEVERITY_WARNING, "w");
        expect_members(format(), "method GetStatus() -> (");
        material = json_element(json_member(status, "materials"), 0);
        cluster = json_element(json_member(status, "clusters"), 0);
        expect_members(material, "type Material (");
        expect_members(json_member(material, "certificate"), "type Certificate (");
        expect_members(json_element(json_member(material, "problems"), 0), "type Problem (");
        expect_members(json_member(material, "rollout"), "type Rollout (");
        expect_members(cluster, "type Cluster (");
        expect_members(json_member(cluster, "removal"), "type Removal (");
        expect_members(json_member(cluster, "replication"), "type Replication (");
        fixture.status.refused = &(const ConfigProblem){.file = "/etc/a.conf"};
        expect_members(json_member(format(), "refused"), "type Refusal (");
}

static void test_a_wave_is_written(void **state)
{
        const JsonValue *rollout;

        fixture.material.wave = (WaveStatus){.state = WAVE_HOLDING,
                .canary = "users",
                .since_at_usec = 7,
                .hold_usec = USEC_PER_MIN,
                .n_waiting = 3};
        rollout = json_member(format_material(), "rollout");
        expect_text(rollout, "canary", "users");
        expect_text(rollout, "state", "holding");
        expect_text(rollout, "reason", "the canary users is proving the set (0s of 1min)");
        expect_number(rollout, "since", 7);
        expect_null(rollout, "until");
        expect_number(rollout, "waiting", 3);
        fixture.material.wave =
                (WaveStatus){.state = WAVE_OPEN, .canary = "users", .until_usec = in_an_hour()};
        rollout = json_member(format_material(), "rollout");
        expect_text(rollout, "state", "open");
        expect_null(rollout, "reason");
        expect_in_an_hour(rollout, "until");
        fixture.cluster[0].state = CLUSTER_WAITING;
        fixture.material.wave.state = WAVE_STOPPED;
        expect_text(format_cluster(), "reason",
                "the canary users failed; the cluster keeps set aaaaaaaaaaaa");
}

static void test_the_information_on_the_daemon_is_written(void **state)
{
        char summary[SUMMARY_TEXT_MAX];

        summary_line(summary, sizeof(summary), &fixture.status);
        format();
        expect_text(status, "version", "1.2.3");
        expect_number(status, "pid", 42);
        expect_number(status, "started_at", 7);
        expect_number(status, "loaded_at", 8);
        expect_text(status, "health", "ok");
        expect_text(status, "summary", summary);
        assert_int_equal(json_size(json_member(status, "materials")), 1);
        assert_int_equal(json_size(json_member(status, "clusters")), 1);
}

static void test_a_material_is_written(void **state)
{
        const JsonValue *material = format_material();
        const JsonValue *certificate = json_member(material, "certificate");

        expect_text(material, "name", "default");
        expect_text(material, "directory", "/etc/material");
        expect_text(material, "state", "valid");
        expect_text(material, "health", "ok");
        expect_null(material, "reason");
        expect_null(material, "next_step");
        expect_number(material, "since", clock_wall_at_usec(1000));
        expect_text(material, "fingerprint", FIXTURE_A);
        expect_text(certificate, "subject", "CN = client");
        expect_text(certificate, "issuer", "CN = authority");
        expect_text(certificate, "serial", "01AB");
        expect_text(certificate, "sha256", FIXTURE_A);
        expect_number(certificate, "not_before", FIXTURE_TIME - 30 * USEC_PER_DAY);
        expect_number(certificate, "not_after", FIXTURE_TIME);
        expect_text(certificate, "key_type", "rsa");
        expect_number(certificate, "key_bits", 2048);
        expect_number(material, "ca_count", 2);
        expect_number(material, "ca_not_after", FIXTURE_TIME + USEC_PER_DAY);
        assert_true(json_is_array(json_member(material, "problems")));
        assert_int_equal(json_size(json_member(material, "problems")), 0);
        expect_null(material, "rollout");
        expect_null(material, "not_responding_since");
        expect_text(material, "watch", "inotify");
        expect_number(material, "missed_events", 3);
        expect_number(material, "last_check", 2000);
        expect_number(material, "last_change", 1500);
}

static void test_unknown_values_of_a_material_are_null(void **state)
{
        const JsonValue *material;

        fixture.report = (Report){0};
        fixture.material.state = MATERIAL_STATE_MISSING;
        fixture.watch.checked_at_usec = fixture.watch.changed_at_usec = 0;
        material = format_material();
        expect_null(material, "fingerprint");
        expect_null(material, "certificate");
        expect_number(material, "ca_count", 0);
        expect_null(material, "ca_not_after");
        expect_null(material, "last_check");
        expect_null(material, "last_change");
}

static void test_problems_and_the_reason_are_written(void **state)
{
        const JsonValue *material, *problems;

        fixture.material.state = MATERIAL_STATE_INVALID;
        report_add(&fixture.report, MATERIAL_KEY, RULE_KEY_PERMISSIONS, SEVERITY_WARNING, "w");
        report_add(&fixture.report, MATERIAL_CERT, RULE_KEY_BITS, SEVERITY_ERROR, "too \"few\"");
        material = format_material();
        problems = json_member(material, "problems");
        assert_int_equal(json_size(problems), 2);
        expect_text(json_element(problems, 0), "severity", "warning");
        expect_text(json_element(problems, 0), "file", "key");
        expect_text(json_element(problems, 1), "rule", "key-bits");
        expect_text(json_element(problems, 1), "text", "too \"few\"");
        expect_text(material, "reason", "key-bits: too \"few\"");
        expect_text(material, "health", "critical");
        expect_text(material, "next_step", rule_next_step(RULE_KEY_BITS));
        expect_text(status, "health", "critical");
}

static void test_a_cluster_is_written(void **state)
{
        const JsonValue *cluster = format_cluster();

        expect_text(cluster, "name", "orders");
        expect_text(cluster, "host", "orders.example");
        expect_number(cluster, "port", 3306);
        expect_text(cluster, "material", "default");
        expect_text(cluster, "state", "current");
        expect_text(cluster, "health", "ok");
        expect_null(cluster, "reason");
        expect_null(cluster, "next_step");
        expect_text(cluster, "imported_fingerprint", FIXTURE_A);
        expect_number(cluster, "imported_at", 5000);
        expect_null(cluster, "imported_not_after");
        expect_null(cluster, "in_use");
        expect_null(cluster, "rollback");
        expect_number(cluster, "attempts", 0);
        expect_number(cluster, "since", clock_wall_at_usec(6000));
        expect_number(cluster, "last_attempt", 4000);
        expect_number(cluster, "last_success", 4500);
        expect_null(cluster, "next_attempt");
        expect_text(cluster, "outcome", "imported");
        expect_null(cluster, "sql_errno");
        expect_text(cluster, "replication_mode", "ignore");
        expect_null(cluster, "replication");
}

static void test_a_refused_configuration_is_written(void **state)
{
        static const ConfigProblem problem = {
                .file = "/etc/a.conf", .line = 7, .text = "unknown key"};
        const JsonValue *refused;

        expect_null(format(), "refused");
        fixture.status.refused = &problem;
        refused = json_member(format(), "refused");
        expect_text(refused, "file", "/etc/a.conf");
        expect_number(refused, "line", 7);
        expect_text(refused, "text", "unknown key");
}

static void test_an_imported_set_that_expired_is_critical(void **state)
{
        fixture.record[0].imported.not_after_usec = fixture.status.now_usec;
        expect_number(format_cluster(), "imported_not_after", fixture.status.now_usec);
        expect_text(format_cluster(), "health", "critical");
        expect_text(status, "health", "critical");
}

static void test_what_an_import_went_on_in_spite_of_is_written(void **state)
{
        fixture.record[0].imported.warning = "not tested";
        expect_text(format_cluster(), "import_warning", "not tested");
}

static void test_whether_a_cluster_can_be_rolled_back_is_written_if_configured(void **state)
{
        fixture.cluster[0].roll_back = TRISTATE_NO;
        expect_boolean(format_cluster(), "rollback", false);
        fixture.cluster[0].roll_back = TRISTATE_YES;
        expect_boolean(format_cluster(), "rollback", true);
}

static void test_unknown_values_of_a_cluster_are_null(void **state)
{
        static const char *const nulls[] = {"imported_fingerprint", "imported_at", "in_use",
                "import_warning", "last_attempt", "last_success", "next_attempt", "outcome",
                "sql_errno", "removal", "replication"};
        const JsonValue *cluster;

        fixture.record[0] = RECORD_NULL;
        fixture.cluster[0].state = CLUSTER_WAITING;
        cluster = format_cluster();
        for (size_t i = 0; i < ARRAY_SIZE(nulls); i++)
                expect_null(cluster, nulls[i]);
}

static void test_in_use_is_true_only_when_it_is_known(void **state)
{
        bool in_use = false;

        fixture.record[0].imported.in_use = true;
        assert_true(json_get_boolean(&in_use, json_member(format_cluster(), "in_use")));
        assert_true(in_use);
}

static void test_a_failed_cluster_is_written_with_its_numbers(void **state)
{
        const JsonValue *cluster;

        status_fixture_fail(&fixture, 0, CLUSTER_RETRYING, OUTCOME_UNREACHABLE, "no route");
        fixture.record[0].attempt.outcome.sql_errno = 2003;
        fixture.cluster[0].next_attempt_usec = in_an_hour();
        cluster = format_cluster();
        expect_text(cluster, "state", "retrying");
        expect_number(cluster, "attempts", 1);
        expect_text(cluster, "outcome", "unreachable");
        expect_number(cluster, "sql_errno", 2003);
        expect_in_an_hour(cluster, "next_attempt");
        expect_text(cluster, "reason", "no route");
        expect_text(cluster, "next_step", outcome_next_step(OUTCOME_UNREACHABLE, ""));
}

static void test_a_removal_is_written_while_it_runs_and_with_its_result(void **state)
{
        const JsonValue *removal;
        bool running;

        fixture.cluster[0].removing = true;
        record_note_removal(&fixture.record[0], /* the one before */
                &(Outcome){.kind = OUTCOME_TLS, .text = "before"});
        removal = json_member(format_cluster(), "removal");
        assert_true(json_get_boolean(&running, json_member(removal, "running")) && running);
        expect_null(removal, "outcome");
        expect_null(removal, "reason");
        fixture.cluster[0].removing = false;
        record_note_removal(&fixture.record[0],
                &(Outcome){.kind = OUTCOME_NO_PRIVILEGE,
                        .sql_errno = 1370,
                        .text = "denied",
                        .next_step = "GRANT"});
        removal = json_member(format_cluster(), "removal");
        assert_true(json_get_boolean(&running, json_member(removal, "running")) && !running);
        expect_text(removal, "outcome", "no_privilege");
        expect_number(removal, "sql_errno", 1370);
        expect_text(removal, "reason", "denied");
        expect_text(removal, "next_step", "GRANT");
        record_done(&fixture.record[0]);
}

static void test_replication_is_written_as_it_was_read(void **state)
{
        const JsonValue *replication;
        bool tls = true;

        fixture.replication[0] = (Replication){.known = true,
                .configured = true,
                .io_running = "Yes",
                .tls = TRISTATE_NO,
                .sql_errno = 1062,
                .sql_error = "Duplicate",
                .lag_known = true,
                .lag_sec = 0,
                .source_host = "source.example",
                .source_port = 3306,
                .checked_at_usec = 99};
        replication = json_member(format_cluster(), "replication");
        expect_text(replication, "io_running", "Yes");
        expect_null(replication, "sql_running");
        assert_true(json_get_boolean(&tls, json_member(replication, "tls")));
        assert_false(tls);
        expect_null(replication, "io_errno");
        expect_null(replication, "io_error");
        expect_number(replication, "checked_at", 99);
        expect_number(replication, "sql_errno", 1062);
        expect_text(replication, "sql_error", "Duplicate");
        expect_number(replication, "lag", 0);
        expect_text(replication, "source", "source.example:3306");
        fixture.replication[0].lag_known = false;
        fixture.replication[0].source_host[0] = '\0';
        replication = json_member(format_cluster(), "replication");
        expect_null(replication, "lag");
        expect_null(replication, "source");
        fixture.replication[0].tls = TRISTATE_UNKNOWN;
        expect_null(json_member(format_cluster(), "replication"), "tls");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                status_test(test_every_object_is_as_the_interface_describes_it),
                status_test(test_a_wave_is_written),
                status_test(test_the_information_on_the_daemon_is_written),
                status_test(test_a_material_is_written),
                status_test(test_unknown_values_of_a_material_are_null),
                status_test(test_problems_and_the_reason_are_written),
                status_test(test_a_cluster_is_written),
                status_test(test_whether_a_cluster_can_be_rolled_back_is_written_if_configured),
                status_test(test_unknown_values_of_a_cluster_are_null),
                status_test(test_a_refused_configuration_is_written),
                status_test(test_an_imported_set_that_expired_is_critical),
                status_test(test_what_an_import_went_on_in_spite_of_is_written),
                status_test(test_in_use_is_true_only_when_it_is_known),
                status_test(test_a_failed_cluster_is_written_with_its_numbers),
                status_test(test_a_removal_is_written_while_it_runs_and_with_its_result),
                status_test(test_replication_is_written_as_it_was_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
