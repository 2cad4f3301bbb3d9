#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "daemon/mysql/session-error.h"

static SessionError error;

static SessionResult connect_error(unsigned number, const char *text, const char *peer_reason)
{
        error.alert = 48; /* of a connection before */
        return session_error_connect(&error, number, text, "client_ed25519", peer_reason);
}

static void test_a_refused_login_is_told_from_an_unreachable_server(void **state)
{
        static const unsigned refused[] = {1045, 1130, 1524, 1698, 1862, 3118, 4151, 2059, 5010};
        static const unsigned others[] = {1040, 1129, 1203, 1226, 2002, 2003, 2005, 2013};

        for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
                assert_int_equal(connect_error(refused[i], "text", ""), SESSION_AUTH);
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                assert_int_equal(connect_error(others[i], "text", ""), SESSION_UNREACHABLE);
        assert_int_equal(error.number, 2013);
        assert_int_equal(error.alert, 0);
        assert_string_equal(error.text, "text");
}

static void test_an_error_before_tls_has_its_number_and_is_no_refused_login(void **state)
{
#define UNVERIFIED                                                                    \
        "Received error packet before completion of TLS handshake. The authenticity " \
        "of the following error cannot be verified: "
        static const struct {
                const char *text;
                unsigned number;
        } cases[] = {
                {UNVERIFIED "1040 - Too many connections", 1040},
                {UNVERIFIED "1129 - Host is blocked", 1129},
                {UNVERIFIED "1130 - Host is not allowed", 1130},
                {UNVERIFIED "1045 - Access denied", 2002},
                {UNVERIFIED "11300 - Host", 2002},
                {UNVERIFIED, 2002},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                assert_int_equal(connect_error(2002, cases[i].text, ""), SESSION_UNREACHABLE);
                assert_int_equal(error.number, cases[i].number);
        }
        assert_int_equal(connect_error(1045, UNVERIFIED "1130 - Host", ""), SESSION_AUTH);
        assert_int_equal(error.number, 1045);
}

static void test_a_tls_error_has_the_reason_of_the_certificate(void **state)
{
        assert_int_equal(connect_error(2026, "TLS/SSL error", "expired"), SESSION_TLS);
        assert_string_equal(error.text, "expired");
        assert_int_equal(connect_error(2026, "TLS/SSL error", ""), SESSION_TLS);
        assert_string_equal(error.text, "TLS/SSL error");
        assert_int_equal(connect_error(1045, "denied", "expired"), SESSION_AUTH);
        assert_string_equal(error.text, "denied");
}

static void test_a_plugin_that_is_not_allowed_shows_no_buffer(void **state)
{
        assert_int_equal(connect_error(5010, "plugin hunter2", ""), SESSION_AUTH);
        assert_string_equal(error.text,
                "the server asks for an authentication plugin other than client_ed25519");
        assert_int_equal(connect_error(2013, "Plugin x could not be loaded", ""), SESSION_AUTH);
        assert_int_equal(error.number, 2059);
}

static void test_only_the_library_can_report_a_time_out(void **state)
{
        assert_int_equal(connect_error(2013, "system error: 110", ""), SESSION_TIMED_OUT);
        assert_int_equal(connect_error(1045, "system error: 110", ""), SESSION_AUTH);
        assert_int_equal(connect_error(2002, "refused (111) (115)", ""), SESSION_UNREACHABLE);
        assert_string_equal(error.text, "refused (111)");
}

static void test_after_the_login_a_broken_connection_is_told_from_an_error(void **state)
{
        assert_int_equal(session_error_use(&error, 1064, "syntax", false), SESSION_SERVER);
        assert_int_equal(session_error_use(&error, 1927, "killed", false), SESSION_LOST);
        assert_int_equal(session_error_use(&error, 2013, "lost", false), SESSION_LOST);
        assert_int_equal(session_error_use(&error, 2013, "lost", true), SESSION_TIMED_OUT);
        assert_string_equal(error.text, "the server has not answered in time");
        assert_int_equal(session_error_use(&error, 1064, "syntax", true), SESSION_SERVER);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_refused_login_is_told_from_an_unreachable_server),
                cmocka_unit_test(test_an_error_before_tls_has_its_number_and_is_no_refused_login),
                cmocka_unit_test(test_a_tls_error_has_the_reason_of_the_certificate),
                cmocka_unit_test(test_a_plugin_that_is_not_allowed_shows_no_buffer),
                cmocka_unit_test(test_only_the_library_can_report_a_time_out),
                cmocka_unit_test(test_after_the_login_a_broken_connection_is_told_from_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
