#include "tests/unit/test.h"

#include <string.h>

#include "common/clock.h"
#include "daemon/mysql/sql-error.h"
#include "daemon/probe/probe.h"

static ClusterConfig cluster;
static Probe probe;

/* A server without findings, and a configuration that restarts replication. */
static int make(void **state)
{
        cluster = (ClusterConfig){.name = "orders",
                .login.user = "ssl_importer",
                .server_ca = "",
                .ledger = "",
                .replication = REPLICATION_RESTART,
                .enabled = true};
        probe = (Probe){.logged_in = true,
                .server.version = "8.0.32",
                .preflight_known = true,
                .preflight = {.role_known = true},
                .procedures_known = true,
                .account = "ssl_importer@%",
                .visible = {true, true, true},
                .replication = {.known = true, .configured = true}};
        return 0;
}

#define probe_test(test) cmocka_unit_test_setup(test, make)

static void expect(OutcomeKind outcome, Severity severity, const char *next)
{
        probe_evaluate(&probe, &cluster);
        assert_int_equal(probe.n_findings, 1);
        assert_int_equal(probe.findings[0].outcome, outcome);
        assert_int_equal(probe.findings[0].severity, severity);
        assert_non_null(strstr(probe.findings[0].next_step, next));
        assert_string_not_equal(probe.findings[0].text, "");
        assert_int_equal(probe_is_good(&probe), severity == SEVERITY_WARNING);
}

static void test_a_good_server_has_no_findings(void **state)
{
        probe_evaluate(&probe, &cluster);
        assert_int_equal(probe.n_findings, 0);
        assert_true(probe_is_good(&probe));
}

static void test_unknown_facts_have_no_findings(void **state)
{
        probe = (Probe){0};
        probe_evaluate(&probe, &cluster);
        assert_int_equal(probe.n_findings, 0);
}

static void test_a_reader_is_an_error(void **state)
{
        probe.preflight.reader = true;
        expect(OUTCOME_NOT_WRITER, SEVERITY_ERROR, "cluster endpoint");
}

static void test_a_missing_procedure_names_the_whole_grant(void **state)
{
        probe.visible[PROBE_IMPORT] = false;
        expect(OUTCOME_NO_PRIVILEGE, SEVERITY_ERROR,
                "GRANT EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material TO "
                "'ssl_importer'@'%'");
}

static void test_a_log_is_evaluated_by_the_configured_policy(void **state)
{
        static const struct {
                Policy policy;
                unsigned findings;
                bool good;
        } cases[] = {{POLICY_REFUSE, 1, false}, {POLICY_WARN, 1, true}, {POLICY_IGNORE, 0, true}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                make(state);
                strcpy(probe.preflight.keeps_call, "general_log = ON");
                cluster.query_log = cases[i].policy;
                probe_evaluate(&probe, &cluster);
                assert_int_equal(probe.n_findings, cases[i].findings);
                assert_int_equal(probe_is_good(&probe), cases[i].good);
        }
}

static void test_a_missing_privilege_for_a_log_names_the_whole_grant(void **state)
{
        static const struct {
                const char *version;
                bool general, slow;
                const char *grant;
        } cases[] = {
                {"8.0.39", false, true, "GRANT SESSION_VARIABLES_ADMIN ON *.* TO "},
                {"8.0.39", true, false,
                        "GRANT SESSION_VARIABLES_ADMIN, CONNECTION_ADMIN ON *.* TO "},
                {"8.0.39", true, true,
                        "GRANT SESSION_VARIABLES_ADMIN, CONNECTION_ADMIN ON *.* TO "},
                {"10.11.14-MariaDB", true, false, "GRANT SUPER ON *.* TO 'ssl_importer'@'%'; or "},
                {"8.0.39", false, false, "switch that log off"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                make(state);
                strcpy(probe.server.version, cases[i].version);
                strcpy(probe.preflight.keeps_call, "general_log = ON");
                probe.preflight.general_privilege_missing = cases[i].general;
                probe.preflight.slow_privilege_missing = cases[i].slow;
                expect(OUTCOME_REFUSED_LOG, SEVERITY_ERROR, cases[i].grant);
        }
}

static void test_a_statement_text_that_may_reach_the_key_is_a_warning(void **state)
{
        probe.preflight.text_bytes = PREFLIGHT_CERTIFICATES_MIN;
        probe_evaluate(&probe, &cluster);
        assert_int_equal(probe.n_findings, 0);
        probe.preflight.text_bytes++;
        expect(OUTCOME_REFUSED_LOG, SEVERITY_WARNING,
                "performance_schema_max_sql_text_length to 1024");
        make(state);
        probe.preflight.text_bytes = UINT64_MAX;
        expect(OUTCOME_REFUSED_LOG, SEVERITY_WARNING, "performance_schema_max_sql_text_length");
        make(state);
        probe.preflight.text_bytes = UINT64_MAX;
        cluster.query_log = POLICY_IGNORE;
        probe_evaluate(&probe, &cluster);
        assert_int_equal(probe.n_findings, 0);
}

static void test_a_call_that_is_larger_than_a_packet_is_an_error(void **state)
{
        probe.preflight.packet_limit = 4096;
        probe.call_bytes = 4095;
        probe_evaluate(&probe, &cluster);
        assert_int_equal(probe.n_findings, 0);
        probe.call_bytes++;
        expect(OUTCOME_REJECTED, SEVERITY_ERROR, "max_allowed_packet");
        assert_non_null(strstr(probe.findings[0].text, "4096 bytes"));
        assert_non_null(strstr(probe.findings[0].text, "error 1153"));
}

static void test_a_server_without_a_role_is_an_error(void **state)
{
        probe.preflight.role_known = false;
        expect(OUTCOME_NOT_WRITER, SEVERITY_ERROR, "cluster endpoint");
        assert_non_null(strstr(probe.findings[0].text, "innodb_read_only is not in its answer"));
}

static void make_replication_unreadable(void)
{
        probe.replication = (Replication){0};
        probe.replication_error.number = 1227;
        strcpy(probe.replication_error.text, "Access denied");
}

static void test_a_restart_needs_to_read_replication(void **state)
{
        make_replication_unreadable();
        expect(OUTCOME_REPLICATION_FAILED, SEVERITY_ERROR,
                "GRANT REPLICATION CLIENT ON *.* TO 'ssl_importer'@'%'");
}

static void test_observe_without_the_privilege_is_a_warning(void **state)
{
        make_replication_unreadable();
        cluster.replication = REPLICATION_OBSERVE;
        expect(OUTCOME_REPLICATION_FAILED, SEVERITY_WARNING, "GRANT REPLICATION CLIENT");
}

static void test_mariadb_has_another_name_for_the_privilege(void **state)
{
        make_replication_unreadable();
        strcpy(probe.server.version, "10.11.19-MariaDB-0+deb12u1");
        expect(OUTCOME_REPLICATION_FAILED, SEVERITY_ERROR, "GRANT REPLICA MONITOR ON *.* TO");
}

static void test_a_restart_needs_its_procedures_where_there_is_a_replica(void **state)
{
        probe.visible[PROBE_STOP] = false;
        expect(OUTCOME_REPLICATION_FAILED, SEVERITY_ERROR, "mysql.rds_stop_replication TO");
        make(state);
        probe.visible[PROBE_START] = false;
        probe.replication.configured = false;
        expect(OUTCOME_REPLICATION_FAILED, SEVERITY_WARNING, "mysql.rds_start_replication TO");
        make(state);
        probe.visible[PROBE_START] = false;
        cluster.replication = REPLICATION_OBSERVE;
        probe_evaluate(&probe, &cluster);
        assert_int_equal(probe.n_findings, 0);
}

static void test_repoint_needs_what_sets_the_source(void **state)
{
        cluster.replication = REPLICATION_REPOINT;
        strcpy(probe.missing, "rds_set_external_source");
        expect(OUTCOME_REPLICATION_FAILED, SEVERITY_ERROR, "mysql.rds_set_external_source TO");
        make(state);
        cluster.replication = REPLICATION_REPOINT;
        strcpy(probe.missing, "rds_set_external_source");
        probe.replication.configured = false;
        expect(OUTCOME_REPLICATION_FAILED, SEVERITY_WARNING, "mysql.rds_set_external_source TO");
}

static void test_an_unusable_ledger_has_the_missing_step(void **state)
{
        cluster.ledger = "ops.ledger";
        probe.ledger_error.number = 1142;
        expect(OUTCOME_NO_PRIVILEGE, SEVERITY_ERROR,
                "GRANT SELECT, INSERT, UPDATE ON ops.ledger TO 'ssl_importer'@'%'");
        make(NULL);
        cluster.ledger = "ops.ledger";
        probe.ledger_error.number = 1146;
        expect(OUTCOME_NO_PRIVILEGE, SEVERITY_ERROR, "create the table ops.ledger");
}

static void test_an_error_of_any_statement_has_the_advice_for_its_number(void **state)
{
        cluster.ledger = "ops.ledger";
        probe.ledger_error.number = 1226;
        expect(OUTCOME_REJECTED, SEVERITY_ERROR, "the account has reached the limit");
        assert_int_equal(probe.findings[0].sql_errno, 1226);
        make(NULL);
        probe.replication_error.number = 1226;
        expect(OUTCOME_REPLICATION_FAILED, SEVERITY_ERROR, "the account has reached the limit");
        make(NULL);
        cluster.ledger = "ops.ledger";
        probe.ledger_error.number = 1064;
        expect(OUTCOME_REJECTED, SEVERITY_ERROR, outcome_next_step(OUTCOME_REJECTED, ""));
}

static void test_a_table_of_an_earlier_version_has_the_statement(void **state)
{
        cluster.ledger = "ops.ledger";
        probe.ledger_columns =
                (LedgerColumns){.known = true, .has_stop = true, .has_removed = true};
        probe_evaluate(&probe, &cluster);
        assert_int_equal(probe.n_findings, 0);
        probe.ledger_columns.has_stop = false;
        expect(OUTCOME_REJECTED, SEVERITY_WARNING,
                "ALTER TABLE ops.ledger ADD replication_stopped VARCHAR(300)");
        assert_null(strstr(probe.findings[0].next_step, "MODIFY"));
        probe.n_findings = 0;
        probe.ledger_columns.has_removed = false;
        expect(OUTCOME_REJECTED, SEVERITY_WARNING,
                "ADD replication_stopped VARCHAR(300), MODIFY state ENUM('importing', 'imported', "
                "'failed', 'removed') NOT NULL");
        probe.n_findings = 0;
        cluster.replication = REPLICATION_OBSERVE; /* which stops nothing */
        probe.ledger_columns.has_removed = true;
        probe_evaluate(&probe, &cluster);
        assert_int_equal(probe.n_findings, 0);
}

static void test_the_answer_of_the_source_is_the_outcome_of_an_import(void **state)
{
        Outcome refused = {.kind = OUTCOME_SOURCE_REFUSED, .text = "refused", .next_step = "do it"};
        Outcome untested = {.kind = OUTCOME_IMPORTED, .warning = "not tested"};
        Outcome accepted = {.kind = OUTCOME_IMPORTED};

        probe_add_source(&probe, &accepted, "ab");
        assert_int_equal(probe.n_findings, 0);
        assert_int_equal(probe.source, PROBE_SOURCE_ACCEPTS);
        assert_string_equal(probe.set_fingerprint, "ab");
        probe_add_source(&probe, &untested, "ab");
        assert_int_equal(probe.source, PROBE_SOURCE_INCOMPLETE);
        assert_true(probe_is_good(&probe));
        assert_string_equal(probe.findings[0].text, "not tested");
        probe_add_source(&probe, &refused, "ab");
        assert_int_equal(probe.source, PROBE_SOURCE_FAILS);
        assert_false(probe_is_good(&probe));
        assert_string_equal(probe.findings[1].next_step, "do it");
}

static void test_all_findings_together_have_room(void **state)
{
        Outcome outcome = {.kind = OUTCOME_TIMED_OUT, .text = "no answer"};

        probe.preflight.reader = true;
        strcpy(probe.preflight.keeps_call, "general_log = ON");
        probe.server_certificate.result = CERTIFICATE_VERIFIED; /* and expired */
        memset(probe.visible, 0, sizeof(probe.visible));
        probe.ledger_error.number = 1146;
        probe.preflight.packet_limit = probe.call_bytes = 4096;
        make_replication_unreadable();
        strcpy(probe.missing, "rds_set_external_source");
        probe.ledger_columns.known = true;
        probe_add_outcome(&probe, &outcome);
        probe_add_no_set(&probe, "key-mismatch");
        probe_evaluate(&probe, &cluster);
        probe_evaluate_certificate(&probe, 1);
        assert_int_equal(probe.n_findings, PROBE_FINDINGS_MAX);
        assert_int_equal(probe.findings[0].outcome, OUTCOME_TIMED_OUT);
        assert_string_not_equal(probe.findings[0].next_step, "");
        for (unsigned i = 0; i < PROBE_FINDINGS_MAX; i++)
                probe_add_outcome(&probe, &outcome);
        assert_int_equal(probe.n_findings, PROBE_FINDINGS_MAX);
}

static void test_a_short_lived_certificate_is_a_warning_in_its_last_third(void **state)
{
        static const uint64_t end_usec = UINT64_C(1801483200) * USEC_PER_SEC;

        probe.server_certificate.result = CERTIFICATE_VERIFIED;
        probe.server_certificate.not_before_usec = end_usec - 3 * USEC_PER_DAY;
        probe.server_certificate.not_after_usec = end_usec;
        probe_evaluate_certificate(&probe, end_usec - USEC_PER_DAY);
        assert_int_equal(probe.n_findings, 0);
        probe_evaluate_certificate(&probe, end_usec - USEC_PER_DAY + 1);
        assert_int_equal(probe.n_findings, 1);
}

static void test_a_certificate_is_a_warning_in_its_last_thirty_days(void **state)
{
        static const uint64_t end_usec = UINT64_C(1801483200) * USEC_PER_SEC;

        probe.server_certificate.result = CERTIFICATE_VERIFIED;
        probe.server_certificate.not_after_usec = end_usec;
        probe_evaluate_certificate(&probe, end_usec - PROBE_EXPIRY_USEC);
        assert_int_equal(probe.n_findings, 0);
        probe_evaluate_certificate(&probe, end_usec - PROBE_EXPIRY_USEC + 1);
        assert_int_equal(probe.n_findings, 1);
        assert_int_equal(probe.findings[0].outcome, OUTCOME_TLS);
        assert_int_equal(probe.findings[0].severity, SEVERITY_WARNING);
        assert_string_equal(
                probe.findings[0].text, "the server's certificate is valid until 2027-02-01");
        assert_true(probe_is_good(&probe));
}

/* It is the reason of the login's own finding. */
static void test_a_certificate_that_is_not_verified_has_no_finding(void **state)
{
        static const CertificateResult results[] = {CERTIFICATE_NOT_SHOWN, CERTIFICATE_EXPIRED};

        for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
                probe.server_certificate.result = results[i];
                probe_evaluate_certificate(&probe, USEC_PER_DAY);
                assert_int_equal(probe.n_findings, 0);
        }
}

static void test_an_account_is_quoted_for_a_grant(void **state)
{
        static const struct {
                const char *account, *quoted;
        } cases[] = {
                {"", ""},
                {"ssl_importer@%", "'ssl_importer'@'%'"},
                {"a@b@10.0.0.1", "'a@b'@'10.0.0.1'"},
                {"it's@%", "'it''s'@'%'"},
                {"back\\slash@%", "'back\\\\slash'@'%'"},
                {"@localhost", "''@'localhost'"},
        };
        char buffer[SQL_GRANT_ACCOUNT_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                sql_grant_quote_account(buffer, sizeof(buffer), cases[i].account);
                assert_string_equal(buffer, cases[i].quoted);
        }
}

static void test_an_account_too_long_for_its_buffer_is_cut(void **state)
{
        char buffer[24];

        sql_grant_quote_account(buffer, sizeof(buffer), "'''''''''''''''''''''''''''''''''''@%");
        assert_true(strlen(buffer) < sizeof(buffer));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                probe_test(test_a_good_server_has_no_findings),
                probe_test(test_unknown_facts_have_no_findings),
                probe_test(test_a_reader_is_an_error),
                probe_test(test_a_missing_procedure_names_the_whole_grant),
                probe_test(test_a_log_is_evaluated_by_the_configured_policy),
                probe_test(test_a_missing_privilege_for_a_log_names_the_whole_grant),
                probe_test(test_a_statement_text_that_may_reach_the_key_is_a_warning),
                probe_test(test_a_call_that_is_larger_than_a_packet_is_an_error),
                probe_test(test_a_server_without_a_role_is_an_error),
                probe_test(test_a_restart_needs_to_read_replication),
                probe_test(test_observe_without_the_privilege_is_a_warning),
                probe_test(test_mariadb_has_another_name_for_the_privilege),
                probe_test(test_a_restart_needs_its_procedures_where_there_is_a_replica),
                probe_test(test_repoint_needs_what_sets_the_source),
                probe_test(test_an_unusable_ledger_has_the_missing_step),
                probe_test(test_an_error_of_any_statement_has_the_advice_for_its_number),
                probe_test(test_a_table_of_an_earlier_version_has_the_statement),
                probe_test(test_the_answer_of_the_source_is_the_outcome_of_an_import),
                probe_test(test_all_findings_together_have_room),
                probe_test(test_a_certificate_is_a_warning_in_its_last_thirty_days),
                probe_test(test_a_short_lived_certificate_is_a_warning_in_its_last_third),
                probe_test(test_a_certificate_that_is_not_verified_has_no_finding),
                probe_test(test_an_account_is_quoted_for_a_grant),
                probe_test(test_an_account_too_long_for_its_buffer_is_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
