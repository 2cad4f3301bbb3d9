#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "daemon/probe/probe-json.h"
#include "daemon/probe/probe-table.h"

#define UNKNOWN_ROW \
        "  orders    works     -    -            -       -          -      -            not known\n"

static ClusterConfig cluster;
static Probe probe;

static int make(void **state)
{
        cluster = (ClusterConfig){.name = "orders",
                .login = {.host = "db.example", .port = 3306, .user = "ssl_importer"},
                .ledger = "",
                .replication = REPLICATION_OBSERVE,
                .enabled = true};
        probe = (Probe){.logged_in = true,
                .server = {.address = "192.0.2.7",
                        .version = "8.0.32",
                        .tls_version = "TLSv1.3",
                        .tls_cipher = "TLS_AES_256_GCM_SHA384"},
                .server_certificate = {.result = CERTIFICATE_VERIFIED,
                        .subject = "CN = db",
                        .issuer = "CN = ca",
                        .names = {"a.example", "b.example"},
                        .n_names = 2,
                        .not_after_usec = UINT64_C(1801490709000000)},
                .preflight_known = true,
                .preflight = {.role_known = true},
                .procedures_known = true,
                .account = "ssl_importer@%",
                .visible = {true, true, true},
                .replication = {.known = true,
                        .configured = true,
                        .io_running = "Yes",
                        .sql_running = "Yes"}};
        return 0;
}

#define table_test(test) cmocka_unit_test_setup(test, make)

/* Returns the table without its heading. */
static char *print_documents(JsonValue *const *documents, size_t n)
{
        char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);
        char *rows;

        assert_non_null(stream);
        assert_int_equal(probe_table_print(stream, documents, n, false), 0);
        assert_int_equal(fclose(stream), 0);
        assert_memory_equal(text, "  CLUSTER ", 10);
        rows = strdup(strchr(text, '\n') + 1);
        free(text);
        return rows;
}

static JsonValue *document_of(const char *text)
{
        JsonValue *document = NULL;

        assert_int_equal(json_parse(&document, text, strlen(text)), 0);
        return document;
}

static char *print(void)
{
        CLEANUP(freep) char *json = NULL;
        CLEANUP(json_freep) JsonValue *document = NULL;

        assert_int_equal(probe_json_format(&json, &cluster, &probe), 0);
        document = document_of(json);
        return print_documents(&document, 1);
}

static char *print_text(const char *json)
{
        CLEANUP(json_freep) JsonValue *document = document_of(json);

        return print_documents(&document, 1);
}

static void expect_line(const char *line)
{
        CLEANUP(freep) char *text = print();

        if (!strstr(text, line))
                fail_msg("%s lacks %s", text, line);
}

static void expect_no(const char *part)
{
        CLEANUP(freep) char *text = print();

        assert_null(strstr(text, part));
}

static void test_a_good_cluster_has_all_columns(void **state)
{
        CLEANUP(freep) char *text = print();

        assert_string_equal(text,
                "  orders    works     1.3  2027-02-01   writer  visible    clean  running      not "
                "known\n"
                "      host:  db.example port 3306 is 192.0.2.7\n"
                "      login: as ssl_importer@% into 8.0.32, TLS_AES_256_GCM_SHA384\n"
                "      cert:  CN = db, issued by CN = ca, for a.example, b.example, "
                "valid until 2027-02-01\n");
}

static void test_what_is_not_known_is_a_dash(void **state)
{
        static const char *const documents[] = {
                "{\"name\":\"orders\",\"import\":\"works\"}",
                "{\"name\":\"orders\",\"import\":\"works\",\"tls_version\":3,\"certificate\":[],"
                "\"writer\":\"yes\",\"procedures\":7,\"logs\":{},\"replication_state\":false,"
                "\"payload_newlines\":null,\"findings\":\"none\",\"ledger\":1,\"source_probe\":[]}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
                CLEANUP(freep) char *text = print_text(documents[i]);

                assert_memory_equal(text, UNKNOWN_ROW, strlen(UNKNOWN_ROW));
        }
}

static void test_a_disabled_cluster_is_one_row(void **state)
{
        CLEANUP(freep) char *text = NULL;

        cluster.enabled = false;
        text = print();
        assert_string_equal(text, "  orders    disabled\n");
}

static void test_without_a_login_there_is_no_login_line(void **state)
{
        probe = (Probe){.findings = {{.outcome = OUTCOME_UNREACHABLE,
                                .severity = SEVERITY_ERROR,
                                .text = "no route",
                                .next_step = "check host"}},
                .n_findings = 1};
        expect_line("  orders    fails     -    -            -       -          -      -");
        expect_line("      host:  db.example port 3306\n");
        expect_line("      why:   unreachable: no route\n      next:  check host\n");
        expect_no("login:");
        expect_no("cert:");
}

static void test_a_warning_is_a_note(void **state)
{
        probe.findings[0] =
                (ProbeFinding){.outcome = OUTCOME_REFUSED_LOG, .severity = SEVERITY_WARNING};
        probe.n_findings = 1;
        expect_line("  orders    works ");
        expect_line("      note:  refused_log: ");
}

static void test_the_state_of_replication_is_a_word(void **state)
{
        static const struct {
                const char *io, *sql, *word;
        } cases[] = {{"No", "No", "  stopped "}, {"Connecting", "Yes", "  not running "}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                snprintf(probe.replication.io_running, sizeof(probe.replication.io_running), "%s",
                        cases[i].io);
                snprintf(probe.replication.sql_running, sizeof(probe.replication.sql_running), "%s",
                        cases[i].sql);
                expect_line(cases[i].word);
        }
        strcpy(probe.replication.sql_error, "duplicate key");
        expect_line("      replica:  duplicate key\n");
        probe.replication_error.number = 1227;
        expect_line("  unreadable ");
        cluster.replication = REPLICATION_IGNORE;
        expect_line("  ignored ");
}

static void test_the_ledger_has_its_newest_row(void **state)
{
        cluster.ledger = "ops.ledger";
        probe.ledger.known = true;
        expect_line("      ledger: ops.ledger, empty\n");
        strcpy(probe.ledger.newest.set.fingerprint, "abcdef0123456789");
        strcpy(probe.ledger.newest.daemon, "host1");
        probe.ledger.newest.state = LEDGER_STATE_FAILED;
        expect_line("      ledger: ops.ledger: set abcdef012345 of host1, not completed\n");
        probe.ledger.newest.state = LEDGER_STATE_IMPORTED;
        probe.ledger.newest.imported_at_usec = UINT64_C(1801490709000000);
        expect_line("set abcdef012345, imported by host1 at 2027-02-01");
}

static void test_control_characters_of_a_document_are_not_printed(void **state)
{
        CLEANUP(freep)
        char *text = print_text(
                "{\"name\":\"a\\u001b[31m\",\"import\":\"fails\",\"host\":\"h\\nh\",\"findings\":"
                "[{\"outcome\":\"tls\",\"severity\":\"error\",\"text\":\"x\\u0007y\"}]}");

        assert_null(strpbrk(text, "\033\a"));
        assert_non_null(strstr(text, "host:  h h port"));
        assert_non_null(strstr(text, "why:   tls: x y\n"));
}

static void test_the_result_is_good_if_each_enabled_cluster_is(void **state)
{
        CLEANUP(json_freep) JsonValue *works = document_of("{\"import\":\"works\"}");
        CLEANUP(json_freep) JsonValue *disabled = document_of("{\"import\":\"disabled\"}");
        CLEANUP(json_freep) JsonValue *fails = document_of("{\"import\":\"fails\"}");
        CLEANUP(json_freep) JsonValue *none = document_of("{}");

        assert_true(probe_table_is_good(NULL, 0));
        assert_true(probe_table_is_good((JsonValue *const[]){works, disabled}, 2));
        assert_false(probe_table_is_good((JsonValue *const[]){works, fails}, 2));
        assert_false(probe_table_is_good((JsonValue *const[]){none, works}, 2));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                table_test(test_a_good_cluster_has_all_columns),
                table_test(test_what_is_not_known_is_a_dash),
                table_test(test_a_disabled_cluster_is_one_row),
                table_test(test_without_a_login_there_is_no_login_line),
                table_test(test_a_warning_is_a_note),
                table_test(test_the_state_of_replication_is_a_word),
                table_test(test_the_ledger_has_its_newest_row),
                table_test(test_control_characters_of_a_document_are_not_printed),
                table_test(test_the_result_is_good_if_each_enabled_cluster_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
