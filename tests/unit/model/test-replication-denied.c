#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "daemon/model/replication.h"

static Replication reading(const char *io, const char *sql, unsigned io_errno)
{
        Replication replication = {.known = true, .configured = true, .io_errno = io_errno};

        strcpy(replication.io_running, io);
        strcpy(replication.sql_running, sql);
        return replication;
}

static void test_tls_and_a_refused_account_are_denials_and_the_network_is_none(void **state)
{
        static const struct {
                unsigned io_errno;
                bool denied, tls;
        } cases[] = {
                {2026, true, true},
                {1045, true, false},
                {3118, true, false},
                {2003, false, false},
                {2013, false, false},
                {1236, false, false},
                {0, false, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Replication replication = reading("Connecting", "Yes", cases[i].io_errno);

                assert_int_equal(replication_is_denied(&replication), cases[i].denied);
                assert_int_equal(replication_fails_with_tls(&replication), cases[i].tls);
        }
}

static void test_an_error_of_the_past_is_no_denial(void **state)
{
        static const struct {
                const char *io, *sql;
                bool denied;
        } cases[] = {
                {"Yes", "Yes", false},
                {"No", "No", false}, /* a person has stopped it since */
                {"No", "Yes", true}, /* the last try to connect has failed */
                {"Connecting", "No", true},
        };
        Replication unknown = {.io_errno = 2026};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Replication replication = reading(cases[i].io, cases[i].sql, 2026);

                assert_int_equal(replication_is_denied(&replication), cases[i].denied);
                assert_int_equal(replication_fails_with_tls(&replication), cases[i].denied);
        }
        assert_false(replication_is_denied(&unknown));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        test_tls_and_a_refused_account_are_denials_and_the_network_is_none),
                cmocka_unit_test(test_an_error_of_the_past_is_no_denial),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
