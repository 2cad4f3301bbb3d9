#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "daemon/mysql/preflight.h"

#define USER       "ssl_importer"
#define KEY_OFFSET 2400

typedef struct Row {
        const char *name, *value;
} Row;

/* A writer with every log, each of them off or without this user's statements. */
static const Row clean[] = {
        {"innodb_read_only", "OFF"},
        {"general_log", "OFF"},
        {"slow_query_log", "OFF"},
        {"log_queries_not_using_indexes", "OFF"},
        {"log_output", "FILE"},
        {"server_audit_logging", "ON"},
        {"server_audit_events", "CONNECT,TABLE,QUERY_DDL,QUERY_DCL"},
        {"server_audit_incl_users", ""},
        {"server_audit_excl_users", ""},
        {"performance_schema", "ON"},
        {"performance_schema_max_sql_text_length", "2400"},
};

static PreflightVariables variables;
static Preflight preflight;
static char sentence[384];

/* The clean server with the given rows replaced; NULL omits a row. */
static bool would_log(const Row *other, size_t n)
{
        variables = (PreflightVariables){.user = USER};
        for (size_t i = 0; i < ARRAY_SIZE(clean); i++) {
                const char *value = clean[i].value;

                for (size_t j = 0; j < n; j++)
                        if (strcmp(other[j].name, clean[i].name) == 0)
                                value = other[j].value;
                if (value)
                        preflight_parse_variable(&variables, clean[i].name, value);
        }
        preflight_evaluate(&preflight, &variables);
        return preflight_would_log_key(sentence, sizeof(sentence), &preflight, KEY_OFFSET);
}

#define WOULD_LOG(...) \
        would_log((const Row[]){__VA_ARGS__}, ARRAY_SIZE(((const Row[]){__VA_ARGS__})))

#define UUID "3e11fa47-71ca-11e1-9e33-c80aa9429562"

static void test_a_writer_has_an_identity_and_a_reader_has_none(void **state)
{
        static const struct {
                const char *role, *uuid, *found;
        } cases[] = {{"OFF", UUID, UUID}, {"ON", UUID, ""}, {NULL, UUID, ""}, {"OFF", "", ""},
                {"OFF", UUID "0", ""}, {"OFF", "3e11fa47-71ca-11e1-9e33-c80aa942956\n", ""}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                variables = (PreflightVariables){.user = USER};
                if (cases[i].role)
                        preflight_parse_variable(&variables, "innodb_read_only", cases[i].role);
                preflight_parse_variable(&variables, "server_uuid", cases[i].uuid);
                preflight_evaluate(&preflight, &variables);
                assert_string_equal(preflight.server_uuid, cases[i].found);
        }
}

static void test_a_clean_writer_keeps_nothing(void **state)
{
        assert_false(would_log(NULL, 0));
        assert_null(preflight_not_writer_reason(&preflight));
        assert_string_equal(preflight.keeps_call, "");
}

static void test_each_variable_alone(void **state)
{
        static const struct {
                Row row;
                const char *sentence; /* "": keeps nothing */
        } cases[] = {
                {{"general_log", "ON"}, "general_log = ON"},
                {{"general_log", "1"}, "general_log = ON"},
                {{"general_log", "on"}, "general_log = ON"},
                {{"general_log", "YES"}, "general_log = ON"},
                {{"general_log", ""}, "general_log = ON"},
                {{"general_log", "0"}, ""},
                {{"general_log", "off"}, ""},
                {{"slow_query_log", "ON"}, "slow_query_log = ON"},
                {{"slow_query_log", "1"}, "slow_query_log = ON"},
                {{"slow_query_log", "0"}, ""},
                {{"log_queries_not_using_indexes", "ON"}, ""},
                {{"log_queries_not_using_indexes", NULL}, ""},
                {{"log_output", "NONE"}, ""},
                {{"log_output", NULL}, ""},
                {{"server_audit_events", "QUERY"}, "server_audit_events = 'QUERY' ("},
                {{"server_audit_events", "query"}, "server_audit_events = 'query' ("},
                {{"server_audit_events", "CONNECT, QUERY ,TABLE"}, "= 'CONNECT, QUERY ,TABLE' ("},
                {{"server_audit_events", "QUERY_DML"}, "server_audit_events = 'QUERY_DML' ("},
                {{"server_audit_events", "QUERY_DML_NO_SELECT"}, "= 'QUERY_DML_NO_SELECT' ("},
                {{"server_audit_events", "QUERY_DDL,QUERY_NEW"}, "= 'QUERY_DDL,QUERY_NEW' ("},
                {{"server_audit_events", "ALL"}, "server_audit_events = 'ALL' ("},
                {{"server_audit_events", ""}, "server_audit_events = '' ("},
                {{"server_audit_events", ","}, "server_audit_events = ',' ("},
                {{"server_audit_events", NULL}, "server_audit_events = '' ("},
                {{"server_audit_events", "QUERY_DDL"}, ""},
                {{"server_audit_events", "query_ddl, query_dcl"}, ""},
                {{"server_audit_events", "CONNECT"}, ""},
                {{"performance_schema_max_sql_text_length", "2401"},
                        "performance_schema_max_sql_text_length = 2401, and the key begins at "
                        "byte 2400"},
                {{"performance_schema_max_sql_text_length", "0"}, ""},
                {{"performance_schema_max_sql_text_length", "-1"},
                        "performance_schema = ON, and how much it keeps"},
                {{"performance_schema_max_sql_text_length", "many"},
                        "performance_schema = ON, and how much it keeps"},
                {{"performance_schema_max_sql_text_length", NULL},
                        "performance_schema = ON, and how much it keeps"},
                {{"performance_schema", "0"}, ""},
                {{"performance_schema", NULL}, ""},
                {{"server_audit_logging", NULL}, ""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                bool kept = would_log(&cases[i].row, 1);

                if (kept != (cases[i].sentence[0] != '\0'))
                        fail_msg("%s = %s: %s", cases[i].row.name, cases[i].row.value, sentence);
                if (kept && !strstr(sentence, "the server would write the key to a log: "))
                        fail_msg("%s", sentence);
                if (kept && !strstr(sentence, cases[i].sentence))
                        fail_msg("%s: %s", cases[i].sentence, sentence);
        }
}

static void test_logs_with_output_none_keep_nothing(void **state)
{
        static const struct {
                const char *output;
                bool keeps;
        } cases[] = {{"NONE", false}, {"none", false}, {"TABLE,NONE", false}, {"FILE, NONE", false},
                {"FILE", true}, {"TABLE", true}, {"FILE,TABLE", true}, {"", true},
                {"NONESUCH", true}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *output = cases[i].output;

                assert_int_equal(
                        WOULD_LOG({"log_output", output}, {"general_log", "ON"}), cases[i].keeps);
                assert_int_equal(WOULD_LOG({"log_output", output}, {"slow_query_log", "ON"}),
                        cases[i].keeps);
        }
        assert_true(WOULD_LOG({"log_output", "NONE"}, {"server_audit_events", "QUERY"}));
}

static void test_a_log_that_the_session_turned_off_keeps_nothing(void **state)
{
        would_log(NULL, 0);
        variables.general_log = variables.slow_log = true;
        variables.general_log_disabled = true;
        preflight_evaluate(&preflight, &variables);
        assert_string_equal(
                preflight.keeps_call, "slow_query_log = ON, which this session cannot turn off");
        variables.slow_log_disabled = true;
        preflight_evaluate(&preflight, &variables);
        assert_string_equal(preflight.keeps_call, "");
}

static void test_the_slow_log_needs_another_statement_for_queries_without_index(void **state)
{
        static const struct {
                const char *without_index, *statement, *keeps;
        } cases[] = {
                {"OFF", "SET SESSION long_query_time = 31536000",
                        "slow_query_log = ON, which this session cannot turn off"},
                {"0", "SET SESSION long_query_time = 31536000",
                        "slow_query_log = ON, which this session cannot turn off"},
                {"ON", "SET SESSION min_examined_row_limit = 4294967295",
                        "slow_query_log = ON, which this session cannot turn off while "
                        "log_queries_not_using_indexes is not OFF"},
                {NULL, "SET SESSION min_examined_row_limit = 4294967295",
                        "slow_query_log = ON, which this session cannot turn off while "
                        "log_queries_not_using_indexes is not OFF"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                assert_true(WOULD_LOG({"log_queries_not_using_indexes", cases[i].without_index},
                        {"slow_query_log", "ON"}));
                assert_string_equal(preflight_slow_log_statement(&variables), cases[i].statement);
                assert_string_equal(preflight.keeps_call, cases[i].keeps);
                variables.slow_log_disabled = true;
                preflight_evaluate(&preflight, &variables);
                assert_string_equal(preflight.keeps_call, "");
        }
}

static void test_a_missing_privilege_is_passed_on(void **state)
{
        would_log(NULL, 0);
        assert_false(preflight.general_privilege_missing || preflight.slow_privilege_missing);
        variables.general_log = variables.general_privilege_missing = true;
        preflight_evaluate(&preflight, &variables);
        assert_true(preflight.general_privilege_missing && !preflight.slow_privilege_missing);
        variables.slow_log = variables.slow_privilege_missing = true;
        variables.general_privilege_missing = false;
        preflight_evaluate(&preflight, &variables);
        assert_true(!preflight.general_privilege_missing && preflight.slow_privilege_missing);
}

static void test_the_lists_of_users_decide_whether_the_user_is_audited(void **state)
{
        static const struct {
                const char *included, *excluded;
                bool audited;
        } cases[] = {
                {"", "", true}, {"", USER, false}, {"", "root," USER ",other", false},
                {"", "root, " USER, true}, /* not exact */
                {"", "SSL_IMPORTER", true}, {"", USER "2", true}, {"", "2" USER, true},
                {"", "ssl_importe", true}, {"", "'" USER "'", true}, {"", "root", true},
                {NULL, NULL, true}, {NULL, USER, false}, {USER, "", true}, {"root," USER, "", true},
                {"root, " USER " ", "", true}, /* in doubt */
                {"SSL_IMPORTER", "", true}, {"root", "", false}, {"root", NULL, false},
                {USER "2", "", false},
                {USER, USER, true}, /* Aurora's manual: the first list wins */
                {USER, "root", true}, {"root", USER, false}, {"root", "other", true}, /* in doubt */
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Row rows[] = {{"server_audit_events", "QUERY"},
                        {"server_audit_incl_users", cases[i].included},
                        {"server_audit_excl_users", cases[i].excluded}};

                if (would_log(rows, ARRAY_SIZE(rows)) != cases[i].audited)
                        fail_msg("included %s, excluded %s", cases[i].included, cases[i].excluded);
                rows[0].value = "QUERY_DDL";
                assert_false(would_log(rows, ARRAY_SIZE(rows)));
        }
        assert_false(WOULD_LOG({"server_audit_logging", "0"}, {"server_audit_events", "QUERY"}));
}

static void test_a_missing_variable_does_not_count_as_off(void **state)
{
        static const char *const names[] = {"general_log", "slow_query_log"};
        static const char begin[] = "the server does not report whether it would log the key: ";

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_true(WOULD_LOG({names[i], NULL}));
                assert_true(preflight.keeps_unknown);
                assert_memory_equal(sentence, begin, strlen(begin));
                assert_memory_equal(sentence + strlen(begin), names[i], strlen(names[i]));
                assert_null(preflight_not_writer_reason(&preflight));
        }
        assert_false(WOULD_LOG({"innodb_read_only", NULL}));
        assert_non_null(strstr(preflight_not_writer_reason(&preflight), "does not report"));

        preflight_evaluate(&preflight, &(PreflightVariables){0});
        assert_true(preflight_would_log_key(sentence, sizeof(sentence), &preflight, KEY_OFFSET));
        assert_non_null(
                strstr(sentence, "general_log is not in its answer; slow_query_log is not"));
        assert_non_null(preflight_not_writer_reason(&preflight));
}

static void test_known_settings_stand_before_unknown_ones(void **state)
{
        assert_true(WOULD_LOG({"general_log", NULL}, {"slow_query_log", "ON"}));
        assert_false(preflight.keeps_unknown);
        assert_string_equal(sentence,
                "the server would write the key to a log: slow_query_log = ON, which this session "
                "cannot turn off; general_log is not in its answer");
        assert_true(WOULD_LOG(
                {"general_log", NULL}, {"performance_schema_max_sql_text_length", "4096"}));
        assert_non_null(strstr(sentence, "would write"));
}

static void test_a_sentence_has_room_for_every_log(void **state)
{
        assert_true(WOULD_LOG({"general_log", "ON"}, {"slow_query_log", "ON"},
                {"server_audit_events",
                        "CONNECT,QUERY,TABLE,QUERY_DDL,QUERY_DML,QUERY_DCL,QUERY_DML_NO_SELECT"},
                {"performance_schema_max_sql_text_length", "1048576"}));
        assert_non_null(strstr(sentence, "general_log = ON; slow_query_log = ON, "));
        assert_non_null(strstr(sentence, "QUERY_DML_NO_SELECT' (server_audit_excl_users can"));
        assert_non_null(strstr(sentence, "= 1048576, and the key begins at byte 2400"));
}

static bool would_log_password(void)
{
        return preflight_would_log_password(sentence, sizeof(sentence), &preflight);
}

static void test_a_password_is_kept_by_any_text(void **state)
{
        assert_false(WOULD_LOG({"performance_schema", "OFF"}));
        assert_false(would_log_password());
        assert_false(WOULD_LOG({"performance_schema_max_sql_text_length", "0"}));
        assert_false(would_log_password());
        assert_false(WOULD_LOG({"performance_schema_max_sql_text_length", "1"}));
        assert_true(would_log_password());
        assert_string_equal(sentence,
                "the server would write the replication password to a log: performance_schema = ON "
                "keeps the text of statements");
        assert_true(WOULD_LOG({"general_log", "ON"}, {"performance_schema", "OFF"}));
        assert_true(would_log_password());
        assert_non_null(strstr(sentence, "a log: general_log = ON"));
        assert_true(WOULD_LOG({"general_log", NULL}, {"performance_schema", "OFF"}));
        assert_true(would_log_password());
        assert_non_null(strstr(sentence, "does not report whether it would log the replication"));
}

static void test_only_a_reported_role_is_a_writer(void **state)
{
        for (const char *const *value = (const char *const[]){"ON", "1", "on", "", NULL}; *value;
                value++) {
                assert_false(WOULD_LOG({"innodb_read_only", *value}));
                assert_non_null(strstr(preflight_not_writer_reason(&preflight), "is a reader"));
        }
        assert_false(WOULD_LOG({"innodb_read_only", "0"}));
        assert_null(preflight_not_writer_reason(&preflight));
}

static void test_a_packet_is_refused_from_the_greater_of_two_sizes_on(void **state)
{
        static const struct {
                const char *packet, *buffer;
                uint64_t smallest; /* that is refused; 0: none */
        } cases[] = {
                {"4096", "1024", 4096},
                {"1024", "16384", 16384},
                {"67108864", "16384", 67108864},
                {"4096", NULL, 4096},
                {NULL, "16384", 0},
                {"many", "16384", 0},
                {"-1", "16384", 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint64_t smallest = cases[i].smallest;

                variables = (PreflightVariables){.user = USER};
                if (cases[i].packet)
                        preflight_parse_variable(&variables, "max_allowed_packet", cases[i].packet);
                if (cases[i].buffer)
                        preflight_parse_variable(&variables, "net_buffer_length", cases[i].buffer);
                preflight_evaluate(&preflight, &variables);
                assert_false(preflight_would_refuse_packet(sentence, sizeof(sentence), &preflight,
                        smallest > 0 ? smallest - 1 : UINT64_MAX));
                if (smallest > 0)
                        assert_true(preflight_would_refuse_packet(
                                sentence, sizeof(sentence), &preflight, smallest));
        }
        variables = (PreflightVariables){.user = USER, .max_allowed_packet = 4096};
        preflight_evaluate(&preflight, &variables);
        assert_true(preflight_would_refuse_packet(sentence, sizeof(sentence), &preflight, 5000));
        assert_string_equal(sentence,
                "the call takes 5000 bytes, and a packet of the server has less than 4096 "
                "(max_allowed_packet)");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_writer_has_an_identity_and_a_reader_has_none),
                cmocka_unit_test(test_a_clean_writer_keeps_nothing),
                cmocka_unit_test(test_each_variable_alone),
                cmocka_unit_test(test_logs_with_output_none_keep_nothing),
                cmocka_unit_test(test_a_log_that_the_session_turned_off_keeps_nothing),
                cmocka_unit_test(
                        test_the_slow_log_needs_another_statement_for_queries_without_index),
                cmocka_unit_test(test_a_missing_privilege_is_passed_on),
                cmocka_unit_test(test_the_lists_of_users_decide_whether_the_user_is_audited),
                cmocka_unit_test(test_a_missing_variable_does_not_count_as_off),
                cmocka_unit_test(test_known_settings_stand_before_unknown_ones),
                cmocka_unit_test(test_a_sentence_has_room_for_every_log),
                cmocka_unit_test(test_a_password_is_kept_by_any_text),
                cmocka_unit_test(test_only_a_reported_role_is_a_writer),
                cmocka_unit_test(test_a_packet_is_refused_from_the_greater_of_two_sizes_on),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
