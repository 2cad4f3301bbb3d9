/*
 * The client library is replaced in part: what it says of itself. Nothing listens at the port, so a
 * session that tries to connect is refused.
 */

#include "tests/unit/test.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/macro.h"
#include "daemon/mysql/session.h"

static const char *version, *tls_library;

const char *mysql_get_client_info(void);
char mariadb_get_infov(void *mysql, int value, void *ret, ...);

const char *mysql_get_client_info(void)
{
        return version;
}

char mariadb_get_infov(void *mysql, int value, void *ret, ...)
{
        *(const char **)ret = tls_library;
        return tls_library == NULL;
}

/* Binds a free port without listening on it. */
static int bind_port(unsigned *ret_port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
        *ret_port = ntohs(address.sin_port);
        return fd;
}

static SessionResult open_with(
        const char *client_version, const char *client_tls_library, SessionError *ret_error)
{
        CLEANUP(session_freep) Session *session = NULL;
        ServerCertificate certificate;
        Secret password = SECRET_NULL;
        SessionTarget target = {.host = "127.0.0.1",
                .user = "ssl_importer",
                .server_ca = "",
                .plugins = "mysql_native_password",
                .deadline_usec = clock_boottime_usec() + 60 * USEC_PER_SEC};
        int fd = bind_port(&target.port);
        SessionResult result;

        version = client_version;
        tls_library = client_tls_library;
        *ret_error = (SessionError){0};
        result = session_open(&session, &target, &password, &certificate, ret_error);
        close(fd);
        return result;
}

static void test_a_proven_library_connects(void **state)
{
        static const char *const proven[] = {"3.3.0", "3.3.20", "3.4.0", "3.4.99"};
        SessionError error;

        for (size_t i = 0; i < ARRAY_SIZE(proven); i++)
                assert_int_equal(
                        open_with(proven[i], "OpenSSL 3.5.1", &error), SESSION_UNREACHABLE);
}

static void test_a_library_of_another_version_connects_to_nothing(void **state)
{
        static const char *const others[] = {
                "3.5.0", "3.2.7", "3.30.0", "13.3.0", "4.3.3", "8.0.36", "10.11.14", "3", ""};
        SessionError error;

        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                assert_int_equal(open_with(others[i], "OpenSSL 3.5.1", &error), SESSION_TLS);
                assert_int_equal(error.number, 0);
                assert_non_null(strstr(error.text, others[i]));
                assert_non_null(strstr(error.text, "nothing is sent"));
        }
}

static void test_a_library_with_another_tls_library_connects_to_nothing(void **state)
{
        static const char *const others[] = {"GnuTLS 3.8.9", "Schannel", "", NULL};
        SessionError error;

        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                assert_int_equal(open_with("3.4.5", others[i], &error), SESSION_TLS);
                assert_non_null(strstr(error.text, "nothing is sent"));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_proven_library_connects),
                cmocka_unit_test(test_a_library_of_another_version_connects_to_nothing),
                cmocka_unit_test(test_a_library_with_another_tls_library_connects_to_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
