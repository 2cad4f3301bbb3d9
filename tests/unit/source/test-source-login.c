/*
 * The session and the password are stand-ins, so that the linker takes neither module from the
 * library.
 */

#include "tests/unit/test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/mysql/password.h"
#include "daemon/mysql/session.h"
#include "daemon/source/source-login.h"

#define PASSWORD "correct horse battery"

/* What the connections answer in turn, and what they were. */
static struct {
        struct {
                SessionResult result;
                unsigned number;
                CertificateResult certificate;
        } answers[3];
        struct {
                char user[64];
                bool any_peer, password;
        } seen[3];
        unsigned n;
        bool has_password, changes;
} source;

static LoginConfig login;

SessionResult session_open(Session **ret, const SessionTarget *target, const Secret *password,
        ServerCertificate *ret_certificate, SessionError *ret_error)
{
        unsigned i = source.n++;
        CLEANUP(secret_done) Secret key = SECRET_NULL;

        assert_true(i < 3);
        assert_string_equal(target->host, "source.example");
        assert_int_equal(target->port, 3307);
        assert_int_equal(file_read(&key, AT_FDCWD, target->identity->key, 100), 0);
        assert_string_equal(key.data, "key");
        assert_string_equal(target->store, "the CA file of the new set");
        text_set(source.seen[i].user, sizeof(source.seen[i].user), target->user);
        source.seen[i].any_peer = target->any_peer;
        source.seen[i].password = password;
        *ret_certificate = (ServerCertificate){.result = source.answers[i].certificate};
        text_set(ret_certificate->reason, sizeof(ret_certificate->reason), "why " PASSWORD);
        *ret_error = (SessionError){.number = source.answers[i].number};
        text_set(ret_error->text, sizeof(ret_error->text), "no: " PASSWORD);
        return source.answers[i].result;
}

Session *session_free(Session *session)
{
        assert_null(session);
        return NULL;
}

bool password_read(
        Secret *ret, char *reason, size_t reason_size, const LoginConfig *of, uint64_t timeout_usec)
{
        assert_ptr_equal(of, &login);
        if (source.has_password)
                return secret_append(ret, PASSWORD, strlen(PASSWORD)) == 0;
        text_set(reason, reason_size, "no such file");
        return false;
}

bool password_read_changed(Secret *password, const LoginConfig *of, uint64_t timeout_usec)
{
        return source.changes;
}

static SourceReply log_in(void)
{
        Secret pem[_MATERIAL_FILE_MAX] = {0};
        SourceReply reply = {0};

        assert_int_equal(secret_append(&pem[MATERIAL_CA], "ca", 2), 0);
        assert_int_equal(secret_append(&pem[MATERIAL_CERT], "cert", 4), 0);
        assert_int_equal(secret_append(&pem[MATERIAL_KEY], "key", 3), 0);
        assert_int_equal(
                source_login(&reply, &login, "client_ed25519", pem, clock_boottime_usec()), 0);
        for (size_t i = 0; i < _MATERIAL_FILE_MAX; i++)
                secret_done(&pem[i]);
        return reply;
}

static int setup(void **state)
{
        memset(&source, 0, sizeof(source));
        source.has_password = true;
        login = (LoginConfig){.host = "source.example",
                .port = 3307,
                .user = "repl",
                .password = {.credential = "", .file = "/f", .command = "", .field = ""}};
        for (size_t i = 0; i < ARRAY_SIZE(source.answers); i++)
                source.answers[i].certificate = CERTIFICATE_VERIFIED;
        return 0;
}

static void expect_seen(unsigned i, bool with_password)
{
        assert_int_equal(source.seen[i].password, with_password);
        assert_int_equal(source.seen[i].any_peer, !with_password);
        assert_string_equal(source.seen[i].user, with_password ? "repl" : SOURCE_LOGIN_NOBODY);
}

static void test_a_verified_source_gets_the_password(void **state)
{
        SourceReply reply = log_in();

        assert_int_equal(source.n, 1);
        expect_seen(0, true);
        assert_true(reply.with_password);
        assert_int_equal(reply.result, SESSION_OK);
}

static void test_no_password_is_sent_to_a_source_that_fails_the_verification(void **state)
{
        static const CertificateResult failures[] = {CERTIFICATE_UNTRUSTED, CERTIFICATE_EXPIRED,
                CERTIFICATE_NOT_YET_VALID, CERTIFICATE_OTHER_HOST, CERTIFICATE_OTHER_PURPOSE,
                CERTIFICATE_REFUSED};

        for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
                SourceReply reply;

                (void)setup(state);
                source.answers[0].result = SESSION_TLS;
                source.answers[0].certificate = source.answers[1].certificate = failures[i];
                reply = log_in();
                assert_int_equal(source.n, 2);
                expect_seen(1, false);
                assert_false(reply.with_password);
                assert_int_equal(reply.result, SESSION_OK);
                assert_int_equal(reply.certificate, failures[i]);
        }
}

static void test_another_failure_is_not_tried_without_verification(void **state)
{
        source.answers[0].result = SESSION_TLS; /* an alert of the source */
        (void)log_in();
        assert_int_equal(source.n, 1);
        source.answers[1].result = SESSION_TLS;
        source.answers[1].certificate = CERTIFICATE_NOT_SHOWN;
        (void)log_in();
        assert_int_equal(source.n, 2);
}

static void test_without_user_or_password_there_is_no_login(void **state)
{
        SourceReply reply;

        login.user = "";
        reply = log_in();
        expect_seen(0, false);
        assert_string_equal(reply.password_reason, "");
        login.user = "repl";
        login.password.file = "";
        reply = log_in();
        expect_seen(1, false);
        assert_string_equal(reply.password_reason, "");
        login.password.file = "/f";
        source.has_password = false;
        reply = log_in();
        expect_seen(2, false);
        assert_string_equal(reply.password_reason, "no such file");
}

static void test_a_changed_password_is_tried_once_more(void **state)
{
        source.answers[0].result = source.answers[1].result = SESSION_AUTH;
        source.answers[0].number = source.answers[1].number = 1045;
        source.changes = true;
        (void)log_in();
        assert_int_equal(source.n, 2);
        expect_seen(1, true);
        (void)setup(state);
        source.answers[0].result = SESSION_AUTH;
        source.answers[0].number = 1045;
        (void)log_in();
        assert_int_equal(source.n, 1);
}

static void test_the_reply_has_nothing_of_the_password(void **state)
{
        SourceReply reply = log_in();

        assert_null(strstr(reply.error.text, "horse"));
        assert_null(strstr(reply.certificate_reason, "horse"));
        assert_non_null(strstr(reply.error.text, "no: *"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_a_verified_source_gets_the_password, setup),
                cmocka_unit_test_setup(
                        test_no_password_is_sent_to_a_source_that_fails_the_verification, setup),
                cmocka_unit_test_setup(
                        test_another_failure_is_not_tried_without_verification, setup),
                cmocka_unit_test_setup(test_without_user_or_password_there_is_no_login, setup),
                cmocka_unit_test_setup(test_a_changed_password_is_tried_once_more, setup),
                cmocka_unit_test_setup(test_the_reply_has_nothing_of_the_password, setup),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
