#include "tests/unit/test.h"

#include "common/macro.h"
#include "common/text.h"
#include "daemon/model/replication.h"

static void test_a_source_is_formatted_and_parsed_back(void **state)
{
        static const struct {
                const char *host, *text;
        } cases[] = {
                {"source.example", "source.example:3306"},
                {"10.0.0.1", "10.0.0.1:3306"},
                {"fd00::1", "[fd00::1]:3306"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[REPLICATION_SOURCE_MAX];
                Replication replication = {.source_port = 3306}, parsed = {0};

                text_set(replication.source_host, sizeof(replication.source_host), cases[i].host);
                replication_format_source(text, &replication);
                assert_string_equal(text, cases[i].text);
                replication_parse_source(&parsed, text);
                assert_string_equal(parsed.source_host, cases[i].host);
                assert_int_equal(parsed.source_port, 3306);
        }
}

static void test_a_source_that_is_not_reported_is_empty(void **state)
{
        char text[REPLICATION_SOURCE_MAX] = "x";
        Replication replication = {.source_port = 3306};
        static const char *const none[] = {"", ":", ":3306", "host"};

        replication_format_source(text, &replication);
        assert_string_equal(text, "");
        for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
                Replication parsed = {0};

                replication_parse_source(&parsed, none[i]);
                assert_string_equal(parsed.source_host, "");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_source_is_formatted_and_parsed_back),
                cmocka_unit_test(test_a_source_that_is_not_reported_is_empty),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
