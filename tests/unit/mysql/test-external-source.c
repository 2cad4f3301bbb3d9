#include "tests/unit/test.h"

#include <string.h>

#include "daemon/mysql/external-source.h"

static ExternalSource source(void)
{
        return (ExternalSource){.host = "source.example",
                .port = 3307,
                .user = "repl",
                .log_file = "binlog.000007",
                .log_position = 4711};
}

static void expect(const ExternalSource *source, const char *expected)
{
        char statement[EXTERNAL_SOURCE_STATEMENT_MAX];

        external_source_format(statement, source);
        assert_string_equal(statement, expected);
}

static void test_each_version_and_form_has_its_statement(void **state)
{
        ExternalSource one = source();

        expect(&one,
                "CALL mysql.rds_set_external_source('source.example', 3307, 'repl', ?, "
                "'binlog.000007', 4711, 1)");
        one.is_master = true;
        expect(&one,
                "CALL mysql.rds_set_external_master('source.example', 3307, 'repl', ?, "
                "'binlog.000007', 4711, 1)");
        one.auto_position = true;
        expect(&one,
                "CALL mysql.rds_set_external_master_with_auto_position('source.example', 3307, "
                "'repl', ?, 0)");
        one.is_master = false;
        expect(&one,
                "CALL mysql.rds_set_external_source_with_auto_position('source.example', 3307, "
                "'repl', ?, 0)");
}

static void test_a_quote_in_a_name_is_escaped(void **state)
{
        ExternalSource one = source();

        one.auto_position = true;
        memcpy(one.user, "o'b\\", sizeof("o'b\\"));
        expect(&one,
                "CALL mysql.rds_set_external_source_with_auto_position('source.example', 3307, "
                "'o\\'b\\\\', ?, 0)");
}

/* Only quotes, in the longest names. */
static void test_the_longest_names_fit(void **state)
{
        ExternalSource one = {.port = UINT32_MAX, .log_position = UINT64_MAX};
        char statement[EXTERNAL_SOURCE_STATEMENT_MAX];
        size_t size;

        memset(one.host, '\'', sizeof(one.host) - 1);
        memset(one.user, '\'', sizeof(one.user) - 1);
        memset(one.log_file, '\'', sizeof(one.log_file) - 1);
        external_source_format(statement, &one);
        size = strlen(statement);
        assert_int_equal(statement[size - 1], ')');
        assert_int_equal(statement[size - 2], '1');
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_version_and_form_has_its_statement),
                cmocka_unit_test(test_a_quote_in_a_name_is_escaped),
                cmocka_unit_test(test_the_longest_names_fit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
