#include "tests/unit/test.h"

#include <string.h>

#include "daemon/mysql/error-advice.h"
#include "daemon/mysql/sql-error.h"

static const struct {
        unsigned number;
        const char *names; /* what a person is to look at */
} cases[] = {
        {1040, "max_connections"},
        {1114, "full"},
        {1129, "max_connect_errors"},
        {1130, "host"},
        {1153, "max_allowed_packet"},
        {1184, "init_connect"},
        {1203, "max_user_connections"},
        {1226, "limit"},
        {1820, "password"},
        {1862, "password"},
        {3118, "ACCOUNT UNLOCK"},
        {4151, "ACCOUNT UNLOCK"},
};

static void test_an_error_has_its_advice_at_each_stage(void **state)
{
        static const SessionResult stages[] = {SESSION_UNREACHABLE, SESSION_AUTH, SESSION_SERVER};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                for (size_t k = 0; k < ARRAY_SIZE(stages); k++) {
                        SessionError error = {
                                .number = cases[i].number, .text = "as the server says"};
                        Outcome outcome = {0};

                        assert_true(sql_error_fail(&outcome, stages[k], &error, NULL));
                        assert_int_equal(outcome.sql_errno, cases[i].number);
                        if (!strstr(outcome.next_step, cases[i].names))
                                fail_msg("%u: %s", cases[i].number, outcome.next_step);
                        assert_null(strstr(outcome.next_step, "payload-newlines"));
                }
}

static void test_another_error_has_none(void **state)
{
        static const unsigned numbers[] = {0, 1045, 1305, 1370, 1644, 2002, 2026, 65535};

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                assert_string_equal(error_advice(numbers[i]), "");
}

static void test_a_better_step_is_kept(void **state)
{
        Outcome outcome = {.next_step = "GRANT it"};
        SessionError error = {.number = 1040, .text = "Too many connections"};

        assert_true(sql_error_fail(&outcome, SESSION_UNREACHABLE, &error, NULL));
        assert_string_equal(outcome.next_step, "GRANT it");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_an_error_has_its_advice_at_each_stage),
                cmocka_unit_test(test_another_error_has_none),
                cmocka_unit_test(test_a_better_step_is_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
