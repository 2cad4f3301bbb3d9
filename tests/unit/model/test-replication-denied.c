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

/* Texts of MariaDB 10.11 and MySQL 9.7. */
static void test_a_connect_that_ends_without_a_reason_is_a_denial_when_it_is_repeated(void **state)
{
        static const struct {
                unsigned io_errno;
                const char *io_error;
                bool doubtful, denied; /* at the first connect */
        } cases[] = {
                {2013, "Lost connection to server at 'sending authentication information'", true,
                        false},
                {2013, "Lost connection to server at 'reading authorization packet'", true, false},
                {2013, "Lost connection to MySQL server during query", true, false},
                {2013, "Lost connection to server at 'reading initial communication packet'", false,
                        false},
                {2003, "Can't connect to server on '127.0.0.1' (111)", false, false},
                {2026, "SSL connection error: error:00000000:lib(0)::reason(0)", true, false},
                {2026,
                        "SSL connection error: error:0A000126:SSL routines::unexpected eof while "
                        "reading",
                        true, false},
                {2026,
                        "SSL connection error: error:0A000086:SSL routines::certificate verify "
                        "failed",
                        false, true},
                {1045, "Access denied for user 'repl'@'localhost'", false, true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Replication before = reading("Connecting", "Yes", cases[i].io_errno), now;

                strcpy(before.io_error, cases[i].io_error);
                now = before;
                assert_int_equal(replication_may_be_denied(&now), cases[i].doubtful);
                assert_int_equal(replication_is_denied(&now), cases[i].denied);
                assert_int_equal(replication_is_refused(&now), cases[i].denied);
                replication_compare_errors(&now, &before);
                assert_int_equal(now.io_repeated, cases[i].doubtful);
                assert_int_equal(replication_is_denied(&now), cases[i].denied || cases[i].doubtful);
                assert_int_equal(
                        replication_is_refused(&now), cases[i].denied || cases[i].doubtful);
                assert_int_equal(replication_fails_with_tls(&now),
                        cases[i].doubtful || cases[i].io_errno == 2026);
        }
}

static Replication doubtful(const char *time)
{
        Replication replication = reading("Connecting", "Yes", 2013);

        strcpy(replication.io_error, "Lost connection to MySQL server during query");
        strcpy(replication.io_error_time, time);
        return replication;
}

static bool is_repeated(Replication now, const Replication *before)
{
        replication_compare_errors(&now, before);
        return now.io_repeated;
}

static void test_only_another_connect_repeats_an_error(void **state)
{
        Replication before = doubtful("261130 09:33:55"), stopped = before, others = before;

        assert_false(is_repeated(before, &before)); /* it is the same error */
        assert_true(is_repeated(doubtful("261130 09:34:55"), &before));
        assert_true(is_repeated(doubtful(""), &before));
        before.io_repeated = true;
        assert_true(is_repeated(doubtful("261130 09:33:55"), &before));

        strcpy(stopped.io_running, "No");
        strcpy(stopped.sql_running, "No");
        assert_false(is_repeated(doubtful(""), &stopped));
        assert_false(is_repeated(stopped, &before));
        others.io_errno = 2003;
        others.io_repeated = true;
        assert_false(is_repeated(doubtful(""), &others));
        assert_false(is_repeated(others, &before));
        assert_false(is_repeated(doubtful(""), &(Replication){0}));
        assert_false(is_repeated(reading("Yes", "Yes", 0), &before));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        test_a_connect_that_ends_without_a_reason_is_a_denial_when_it_is_repeated),
                cmocka_unit_test(test_only_another_connect_repeats_an_error),
                cmocka_unit_test(
                        test_tls_and_a_refused_account_are_denials_and_the_network_is_none),
                cmocka_unit_test(test_an_error_of_the_past_is_no_denial),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
