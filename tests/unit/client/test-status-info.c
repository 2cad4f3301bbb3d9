#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "ctl/client/status-info.h"

#define CERTIFICATE                                                                     \
        "{\"subject\":\"CN = client\",\"issuer\":\"CN = authority\",\"serial\":\"0A\"," \
        "\"sha256\":\"abab\",\"not_before\":21,\"not_after\":22,\"key_type\":\"rsa\","  \
        "\"key_bits\":2048}"
#define PROBLEM \
        "{\"file\":\"key\",\"rule\":\"key-mismatch\",\"severity\":\"warning\",\"text\":\"no pair\"}"
#define ROLLOUT                                                               \
        "{\"canary\":\"users\",\"state\":\"holding\",\"reason\":\"proving\"," \
        "\"since\":15,\"until\":16,\"waiting\":17}"
#define MATERIAL                                                                                 \
        "{\"name\":\"default\",\"directory\":\"/m\",\"state\":\"expiring\",\"reason\":\"soon\"," \
        "\"since\":11,\"fingerprint\":\"aaaa\",\"certificate\":" CERTIFICATE                     \
        ",\"rollout\":" ROLLOUT ",\"problems\":[" PROBLEM                                        \
        "],\"watch\":\"inotify\",\"missed_events\":12,"                                          \
        "\"last_check\":13,\"last_change\":14}"
#define REPLICATION                                                                                \
        "{\"configured\":true,\"io_running\":\"Connecting\",\"sql_running\":\"No\",\"tls\":false," \
        "\"io_errno\":2026,\"io_error\":\"SSL\",\"sql_errno\":1062,\"sql_error\":\"Duplicate\","   \
        "\"lag\":0,\"source\":\"[::1]:3307\",\"stopped_by_us\":true,\"checked_at\":41}"
#define CLUSTER                                                                               \
        "{\"name\":\"orders\",\"host\":\"orders.example\",\"material\":\"default\","          \
        "\"state\":\"held\",\"reason\":\"denied\",\"next_step\":\"check user\",\"since\":31," \
        "\"out_of_sync_since\":32,\"imported_fingerprint\":\"bbbb\",\"imported_at\":33,"      \
        "\"last_attempt\":34,\"next_attempt\":35,\"attempts\":36,\"in_use\":false,"           \
        "\"import_warning\":\"not tested\","                                                  \
        "\"rollback\":true,"                                                                  \
        "\"outcome\":\"auth\",\"replication_mode\":\"restart\",\"replication\":" REPLICATION "}"
#define STATUS                                                                                    \
        "{\"pid\":7,\"health\":\"critical\",\"summary\":\"0/1 current\",\"materials\":[" MATERIAL \
        "],\"clusters\":[" CLUSTER "]}"

static JsonValue *parse(const char *text)
{
        JsonValue *value;

        assert_int_equal(json_parse(&value, text, strlen(text)), 0);
        return value;
}

/* `text` with its one `from` replaced by `to`; parsed. */
static JsonValue *parse_replaced(const char *text, const char *from, const char *to)
{
        const char *at = strstr(text, from);
        JsonValue *value;
        char *replaced;

        if (!at || strstr(at + 1, from))
                fail_msg("not once in the text: %s", from);
        assert_true(
                asprintf(&replaced, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
        value = parse(replaced);
        free(replaced);
        return value;
}

static int load(StatusInfo *ret, const char *from, const char *to)
{
        CLEANUP(json_freep) JsonValue *value = parse_replaced(STATUS, from, to);

        *ret = STATUS_INFO_NULL;
        return status_info_load(ret, value);
}

static void test_every_member_is_read(void **state)
{
        CLEANUP(status_info_done) StatusInfo info;
        const MaterialInfo *material;
        const ClusterInfo *cluster;

        assert_int_equal(load(&info, "{\"pid\"", "{\"pid\""), 0);
        assert_int_equal(info.pid, 7);
        assert_int_equal(info.health, HEALTH_CRITICAL);
        assert_string_equal(info.summary, "0/1 current");
        assert_int_equal(info.n_materials, 1);
        material = &info.materials[0];
        assert_ptr_equal(material, status_info_material(&info, "default"));
        assert_string_equal(material->directory, "/m");
        assert_string_equal(material->state_text, "expiring");
        assert_int_equal(material->state, MATERIAL_STATE_EXPIRING);
        assert_string_equal(material->reason, "soon");
        assert_int_equal(material->since_usec, 11);
        assert_string_equal(material->fingerprint, "aaaa");
        assert_true(material->has_certificate);
        assert_string_equal(material->certificate.subject, "CN = client");
        assert_string_equal(material->certificate.issuer, "CN = authority");
        assert_string_equal(material->certificate.serial, "0A");
        assert_string_equal(material->certificate.sha256, "abab");
        assert_string_equal(material->certificate.key_type, "rsa");
        assert_int_equal(material->certificate.key_bits, 2048);
        assert_int_equal(material->certificate.not_before_usec, 21);
        assert_int_equal(material->certificate.not_after_usec, 22);
        assert_int_equal(material->n_problems, 1);
        assert_int_equal(material->problems[0].file, MATERIAL_KEY);
        assert_int_equal(material->problems[0].rule, RULE_KEY_MISMATCH);
        assert_int_equal(material->problems[0].severity, SEVERITY_WARNING);
        assert_string_equal(material->problems[0].text, "no pair");
        assert_string_equal(material->watch, "inotify");
        assert_int_equal(material->missed_events, 12);
        assert_int_equal(material->last_check_usec, 13);
        assert_int_equal(material->last_change_usec, 14);
        assert_string_equal(material->rollout.canary, "users");
        assert_int_equal(material->rollout.state, WAVE_HOLDING);
        assert_string_equal(material->rollout.reason, "proving");
        assert_int_equal(material->rollout.until_usec, 16);
        assert_int_equal(material->rollout.n_waiting, 17);
        assert_false(material->changed);
        assert_string_equal(material->json, MATERIAL);
        assert_int_equal(info.n_clusters, 1);
        cluster = &info.clusters[0];
        assert_ptr_equal(cluster, status_info_cluster(&info, "orders"));
        assert_string_equal(cluster->host, "orders.example");
        assert_string_equal(cluster->material, "default");
        assert_string_equal(cluster->state_text, "held");
        assert_int_equal(cluster->state, CLUSTER_HELD);
        assert_string_equal(cluster->reason, "denied");
        assert_string_equal(cluster->next_step, "check user");
        assert_int_equal(cluster->since_usec, 31);
        assert_int_equal(cluster->out_of_sync_since_usec, 32);
        assert_string_equal(cluster->imported, "bbbb");
        assert_int_equal(cluster->imported_at_usec, 33);
        assert_int_equal(cluster->last_attempt_usec, 34);
        assert_int_equal(cluster->next_attempt_usec, 35);
        assert_int_equal(cluster->attempts, 36);
        assert_int_equal(cluster->in_use, TRISTATE_NO);
        assert_string_equal(cluster->import_warning, "not tested");
        assert_int_equal(cluster->roll_back, TRISTATE_YES);
        assert_int_equal(cluster->outcome, OUTCOME_AUTH);
        assert_string_equal(cluster->replication_mode, "restart");
        assert_true(cluster->replication.known && cluster->replication.configured);
        assert_string_equal(cluster->replication.io_running, "Connecting");
        assert_string_equal(cluster->replication.sql_running, "No");
        assert_int_equal(cluster->replication.tls, TRISTATE_NO);
        assert_int_equal(cluster->replication.io_errno, 2026);
        assert_string_equal(cluster->replication.io_error, "SSL");
        assert_int_equal(cluster->replication.sql_errno, 1062);
        assert_string_equal(cluster->replication.sql_error, "Duplicate");
        assert_true(cluster->replication.lag_known);
        assert_int_equal(cluster->replication.lag_sec, 0);
        assert_string_equal(cluster->replication.source_host, "::1");
        assert_int_equal(cluster->replication.source_port, 3307);
        assert_true(cluster->replication.stopped_by_us);
        assert_int_equal(cluster->replication.checked_at_usec, 41);
        assert_false(cluster->changed);
        assert_string_equal(cluster->json, CLUSTER);
}

static void test_an_answer_of_another_shape_is_refused(void **state)
{
        static const char *const changes[][2] = {
                {"\"materials\":", "\"other\":"},
                {"\"clusters\":", "\"other\":"},
                {"\"materials\":[" MATERIAL "]", "\"materials\":{}"},
                {"\"clusters\":[" CLUSTER "]", "\"clusters\":null"},
                {"[" MATERIAL "]", "[\"default\"]"},
                {"[" CLUSTER "]", "[[]]"},
                {"\"name\":\"default\"", "\"other\":\"default\""},
                {"\"name\":\"default\"", "\"name\":\"\""},
                {"\"name\":\"default\"", "\"name\":5"},
                {"\"state\":\"expiring\"", "\"state\":null"},
                {"\"name\":\"orders\"", "\"name\":true"},
                {"\"state\":\"held\"", "\"state\":\"\""},
                {"\"state\":\"held\"", "\"other\":\"held\""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
                StatusInfo info;

                assert_int_equal(load(&info, changes[i][0], changes[i][1]), -EBADMSG);
                assert_int_equal(info.n_materials + info.n_clusters, 0);
        }
}

static void test_no_answer_at_all_is_refused(void **state)
{
        StatusInfo info = STATUS_INFO_NULL;

        assert_int_equal(status_info_load(&info, NULL), -EBADMSG);
}

typedef struct Member {
        const char *key, *value;
        bool of_cluster;
        size_t offset; /* in MaterialInfo or ClusterInfo */
} Member;

/* Loads the status with another key or value of one member, and returns where it is stored. */
static const char *load_member(
        StatusInfo *ret, const Member *member, const char *key, const char *value)
{
        char from[128], to[128];

        snprintf(from, sizeof(from), "\"%s\":%s", member->key, member->value);
        snprintf(to, sizeof(to), "\"%s\":%s", key, value);
        assert_int_equal(load(ret, from, to), 0);
        return (member->of_cluster ? (char *)ret->clusters : (char *)ret->materials) +
                member->offset;
}

static void test_a_text_that_is_missing_or_of_another_type_is_empty(void **state)
{
        static const Member members[] = {
                {"directory", "\"/m\"", false, offsetof(MaterialInfo, directory)},
                {"reason", "\"soon\"", false, offsetof(MaterialInfo, reason)},
                {"fingerprint", "\"aaaa\"", false, offsetof(MaterialInfo, fingerprint)},
                {"watch", "\"inotify\"", false, offsetof(MaterialInfo, watch)},
                {"sha256", "\"abab\"", false, offsetof(MaterialInfo, certificate.sha256)},
                {"host", "\"orders.example\"", true, offsetof(ClusterInfo, host)},
                {"material", "\"default\"", true, offsetof(ClusterInfo, material)},
                {"reason", "\"denied\"", true, offsetof(ClusterInfo, reason)},
                {"next_step", "\"check user\"", true, offsetof(ClusterInfo, next_step)},
                {"imported_fingerprint", "\"bbbb\"", true, offsetof(ClusterInfo, imported)},
                {"import_warning", "\"not tested\"", true, offsetof(ClusterInfo, import_warning)},
                {"io_error", "\"SSL\"", true, offsetof(ClusterInfo, replication.io_error)},
        };
        static const char *const values[] = {"5", "true", "null", "{}", "[\"x\"]"};

        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
                CLEANUP(status_info_done) StatusInfo missing;

                assert_string_equal(
                        load_member(&missing, &members[i], "other", members[i].value), "");
                for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
                        CLEANUP(status_info_done) StatusInfo info;

                        assert_string_equal(
                                load_member(&info, &members[i], members[i].key, values[v]), "");
                }
        }
}

static void test_a_number_that_is_missing_or_not_a_positive_integer_is_0(void **state)
{
        static const Member members[] = {
                {"since", "11", false, offsetof(MaterialInfo, since_usec)},
                {"missed_events", "12", false, offsetof(MaterialInfo, missed_events)},
                {"last_check", "13", false, offsetof(MaterialInfo, last_check_usec)},
                {"last_change", "14", false, offsetof(MaterialInfo, last_change_usec)},
                {"not_after", "22", false, offsetof(MaterialInfo, certificate.not_after_usec)},
                {"since", "31", true, offsetof(ClusterInfo, since_usec)},
                {"out_of_sync_since", "32", true, offsetof(ClusterInfo, out_of_sync_since_usec)},
                {"imported_at", "33", true, offsetof(ClusterInfo, imported_at_usec)},
                {"last_attempt", "34", true, offsetof(ClusterInfo, last_attempt_usec)},
                {"next_attempt", "35", true, offsetof(ClusterInfo, next_attempt_usec)},
                {"attempts", "36", true, offsetof(ClusterInfo, attempts)},
                {"checked_at", "41", true, offsetof(ClusterInfo, replication.checked_at_usec)},
        };
        static const char *const values[] = {"-1", "1.5", "\"9\"", "null", "true", "[9]"};
        static const uint64_t zero;

        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
                CLEANUP(status_info_done) StatusInfo missing;

                assert_memory_equal(load_member(&missing, &members[i], "other", members[i].value),
                        &zero, sizeof(zero));
                for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
                        CLEANUP(status_info_done) StatusInfo info;

                        assert_memory_equal(
                                load_member(&info, &members[i], members[i].key, values[v]), &zero,
                                sizeof(zero));
                }
        }
}

static void test_names_of_a_newer_daemon_are_kept(void **state)
{
        CLEANUP(status_info_done) StatusInfo material = STATUS_INFO_NULL;
        CLEANUP(status_info_done) StatusInfo cluster = STATUS_INFO_NULL;
        CLEANUP(status_info_done) StatusInfo outcome = STATUS_INFO_NULL;
        CLEANUP(status_info_done) StatusInfo health = STATUS_INFO_NULL;

        assert_int_equal(load(&material, "\"expiring\"", "\"dreaming\""), 0);
        assert_int_equal(material.materials[0].state, _MATERIAL_STATE_MAX);
        assert_string_equal(material.materials[0].state_text, "dreaming");
        assert_int_equal(load(&cluster, "\"held\"", "\"dreaming\""), 0);
        assert_int_equal(cluster.clusters[0].state, _CLUSTER_STATE_MAX);
        assert_string_equal(cluster.clusters[0].state_text, "dreaming");
        assert_int_equal(load(&outcome, "\"auth\"", "\"strange\""), 0);
        assert_int_equal(outcome.clusters[0].outcome, _OUTCOME_KIND_MAX);
        assert_int_equal(load(&health, "\"critical\"", "\"fatal\""), 0);
        assert_int_equal(health.health, _HEALTH_MAX);
}

static void test_a_problem_of_a_newer_daemon_names_its_rule(void **state)
{
        CLEANUP(status_info_done) StatusInfo rule = STATUS_INFO_NULL;
        CLEANUP(status_info_done) StatusInfo file = STATUS_INFO_NULL;
        CLEANUP(status_info_done) StatusInfo severity = STATUS_INFO_NULL;

        assert_int_equal(load(&rule, "\"key-mismatch\"", "\"new-rule\""), 0);
        assert_int_equal(rule.materials[0].problems[0].rule, _RULE_MAX);
        assert_string_equal(rule.materials[0].problems[0].text, "new-rule: no pair");
        assert_int_equal(load(&file, "\"file\":\"key\"", "\"file\":\"crl\""), 0);
        assert_int_equal(file.materials[0].problems[0].file, _MATERIAL_FILE_MAX);
        assert_int_equal(load(&severity, "\"warning\"", "\"fatal\""), 0);
        assert_int_equal(severity.materials[0].problems[0].severity, SEVERITY_ERROR);
}

static void test_problems_beyond_the_room_are_left_out(void **state)
{
        CLEANUP(status_info_done) StatusInfo info;
        char many[(REPORT_PROBLEMS_MAX + 1) * sizeof(PROBLEM)] = PROBLEM;

        for (unsigned i = 0; i < REPORT_PROBLEMS_MAX; i++)
                strcat(many, "," PROBLEM);
        assert_int_equal(load(&info, PROBLEM, many), 0);
        assert_int_equal(info.materials[0].n_problems, REPORT_PROBLEMS_MAX);
}

static void test_no_problems_no_certificate_and_no_replication_are_allowed(void **state)
{
        CLEANUP(status_info_done) StatusInfo problems = STATUS_INFO_NULL;
        CLEANUP(status_info_done) StatusInfo certificate = STATUS_INFO_NULL;
        CLEANUP(status_info_done) StatusInfo replication = STATUS_INFO_NULL;
        CLEANUP(status_info_done) StatusInfo in_use = STATUS_INFO_NULL;

        assert_int_equal(load(&problems, "[" PROBLEM "]", "null"), 0);
        assert_int_equal(problems.materials[0].n_problems, 0);
        assert_int_equal(load(&certificate, CERTIFICATE, "null"), 0);
        assert_false(certificate.materials[0].has_certificate);
        assert_string_equal(certificate.materials[0].certificate.subject, "");
        assert_int_equal(load(&replication, REPLICATION, "null"), 0);
        assert_false(replication.clusters[0].replication.known);
        assert_int_equal(load(&in_use, "\"in_use\":false", "\"in_use\":null"), 0);
        assert_int_equal(in_use.clusters[0].in_use, TRISTATE_UNKNOWN);
}

static void test_control_characters_are_removed_from_texts_and_kept_in_the_json(void **state)
{
        CLEANUP(status_info_done) StatusInfo info;

        assert_int_equal(load(&info, "\"denied\"", "\"a\\u001b[2Jb\""), 0);
        assert_string_equal(info.clusters[0].reason, "a [2Jb");
        assert_non_null(strstr(info.clusters[0].json, "\\u001B[2Jb"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_member_is_read),
                cmocka_unit_test(test_an_answer_of_another_shape_is_refused),
                cmocka_unit_test(test_no_answer_at_all_is_refused),
                cmocka_unit_test(test_a_text_that_is_missing_or_of_another_type_is_empty),
                cmocka_unit_test(test_a_number_that_is_missing_or_not_a_positive_integer_is_0),
                cmocka_unit_test(test_names_of_a_newer_daemon_are_kept),
                cmocka_unit_test(test_a_problem_of_a_newer_daemon_names_its_rule),
                cmocka_unit_test(test_problems_beyond_the_room_are_left_out),
                cmocka_unit_test(test_no_problems_no_certificate_and_no_replication_are_allowed),
                cmocka_unit_test(
                        test_control_characters_are_removed_from_texts_and_kept_in_the_json),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
