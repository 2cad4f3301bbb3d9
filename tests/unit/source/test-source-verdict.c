#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "common/text.h"
#include "daemon/source/source-verdict.h"

static const LoginConfig unset = {.host = "",
        .user = "",
        .password = {.credential = "", .file = "", .command = "", .field = ""}};

static LoginConfig login;
static Outcome outcome;

static SourceReply reply_of(SessionResult result, unsigned number)
{
        SourceReply reply = {.result = result,
                .error = {.number = number},
                .with_password = true,
                .certificate = CERTIFICATE_VERIFIED};

        text_set(reply.error.text, sizeof(reply.error.text), "so it is");
        return reply;
}

static bool judge(const SourceReply *reply, SourceProbe mode)
{
        outcome = (Outcome){.kind = OUTCOME_IMPORTED};
        return source_verdict_judge(&outcome, reply, &login, mode);
}

/* In both modes. */
static void expect_refused(const SourceReply *reply, const char *part)
{
        for (SourceProbe mode = SOURCE_PROBE_TRY; mode < _SOURCE_PROBE_MAX; mode++) {
                assert_false(judge(reply, mode));
                assert_int_equal(outcome.kind, OUTCOME_SOURCE_REFUSED);
                if (!strstr(outcome.text, part))
                        fail_msg("%s", outcome.text);
                assert_int_equal(outcome.sql_errno, reply->error.number);
                assert_string_not_equal(outcome.next_step, "");
                assert_string_equal(outcome.warning, "");
        }
}

static void expect_no_answer(const SourceReply *reply, const char *part)
{
        assert_false(judge(reply, SOURCE_PROBE_REQUIRE));
        assert_int_equal(outcome.kind, OUTCOME_SOURCE_UNREACHABLE);
        if (!strstr(outcome.text, part))
                fail_msg("%s", outcome.text);
        assert_non_null(strstr(outcome.text, "nothing was imported"));
        assert_true(judge(reply, SOURCE_PROBE_TRY));
        assert_int_equal(outcome.kind, OUTCOME_IMPORTED);
        if (!strstr(outcome.warning, part))
                fail_msg("%s", outcome.warning);
        assert_non_null(strstr(outcome.warning, "source-probe = off"));
}

static void expect_handshake_only(const SourceReply *reply, const char *part)
{
        for (SourceProbe mode = SOURCE_PROBE_TRY; mode < _SOURCE_PROBE_MAX; mode++) {
                assert_true(judge(reply, mode));
                assert_int_equal(outcome.kind, OUTCOME_IMPORTED);
                if (!strstr(outcome.warning,
                            "only the TLS handshake with the source s.example "
                            "port 3307 was tested") ||
                        !strstr(outcome.warning, part))
                        fail_msg("%s", outcome.warning);
        }
}

static int setup(void **state)
{
        login = unset;
        login.host = "s.example";
        login.port = 3307;
        login.user = "repl";
        login.password.file = "/f";
        return 0;
}

static void test_a_login_says_nothing(void **state)
{
        SourceReply reply = reply_of(SESSION_OK, 0);

        assert_true(judge(&reply, SOURCE_PROBE_REQUIRE));
        assert_int_equal(outcome.kind, OUTCOME_IMPORTED);
        assert_string_equal(outcome.warning, "");
        assert_string_equal(outcome.text, "");
}

static void test_an_alert_about_the_certificate_is_a_refusal(void **state)
{
        static const unsigned alerts[] = {42, 43, 44, 45, 46, 48, 49, 51, 116};

        for (size_t i = 0; i < ARRAY_SIZE(alerts); i++) {
                /* In the handshake, and after it with TLS 1.3. */
                SourceReply reply = reply_of(i % 2 ? SESSION_TLS : SESSION_UNREACHABLE, 2026);

                reply.error.alert = alerts[i];
                reply.with_password = i % 2;
                expect_refused(&reply, "refuses the new client certificate (TLS alert ");
        }
}

static void test_another_alert_is_no_answer(void **state)
{
        static const unsigned alerts[] = {10, 40, 47, 50, 70, 71, 80, 112};

        for (size_t i = 0; i < ARRAY_SIZE(alerts); i++) {
                SourceReply reply = reply_of(SESSION_TLS, 2026);

                reply.error.alert = alerts[i];
                expect_no_answer(&reply, "cannot be reached from this host: so it is");
        }
}

static void test_a_refused_account_is_a_refusal_only_with_the_password(void **state)
{
        static const unsigned numbers[] = {1045, 1698, 1820, 1862, 3118, 4151};

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                SourceReply reply = reply_of(SESSION_AUTH, numbers[i]);

                expect_refused(&reply, "refuses repl with the new set: so it is");
                login.password.file = "";
                reply.with_password = false;
                expect_handshake_only(&reply, "there is no source-password-");
                (void)setup(state);
        }
}

static void test_a_refused_connection_is_no_answer(void **state)
{
        static const unsigned numbers[] = {1040, 1053, 1129, 1130, 1203, 1226};

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                SourceReply reply = reply_of(SESSION_AUTH, numbers[i]);

                expect_no_answer(&reply, "the source s.example port 3307 cannot be reached");
                reply.with_password = false;
                expect_no_answer(&reply, "the source s.example port 3307 cannot be reached");
        }
}

static void test_errors_of_the_network_are_no_answer(void **state)
{
        static const SessionResult results[] = {
                SESSION_UNREACHABLE, SESSION_TLS, SESSION_TIMED_OUT};
        static const unsigned numbers[] = {0, 2002, 2003, 2005, 2013, 2026};

        for (size_t i = 0; i < ARRAY_SIZE(results); i++)
                for (size_t k = 0; k < ARRAY_SIZE(numbers); k++) {
                        SourceReply reply = reply_of(results[i], numbers[k]);

                        reply.certificate = k % 2 ? CERTIFICATE_VERIFIED : CERTIFICATE_NOT_SHOWN;
                        expect_no_answer(&reply, "so it is");
                }
}

/* As of a server that refuses a client before TLS. */
static void test_an_error_before_tls_is_no_answer(void **state)
{
        SourceReply reply = reply_of(SESSION_AUTH, 1524);

        reply.certificate = CERTIFICATE_NOT_SHOWN;
        expect_no_answer(&reply, "so it is");
}

static void test_a_plugin_that_cannot_be_used_leaves_the_handshake(void **state)
{
        static const unsigned numbers[] = {1251, 1524, 2059, 5010};

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                SourceReply reply = reply_of(SESSION_AUTH, numbers[i]);

                expect_handshake_only(&reply, "no login: so it is");
        }
}

static void test_a_source_that_does_not_verify_is_a_warning(void **state)
{
        SourceReply reply = reply_of(SESSION_AUTH, 1045);

        reply.with_password = false;
        reply.certificate = CERTIFICATE_OTHER_HOST;
        text_set(reply.certificate_reason, sizeof(reply.certificate_reason), "for another host");
        expect_handshake_only(&reply, "no password is sent: for another host");
}

static void test_a_password_that_cannot_be_read_is_no_answer_where_one_is_required(void **state)
{
        SourceReply reply = reply_of(SESSION_AUTH, 1045);

        reply.with_password = false;
        text_set(reply.password_reason, sizeof(reply.password_reason), "/f: No such file");
        assert_false(judge(&reply, SOURCE_PROBE_REQUIRE));
        assert_int_equal(outcome.kind, OUTCOME_SOURCE_UNREACHABLE);
        assert_non_null(strstr(outcome.text, "/f: No such file"));
        assert_true(judge(&reply, SOURCE_PROBE_TRY));
        assert_non_null(strstr(outcome.warning, "no password: /f: No such file"));
}

static void test_a_login_without_a_user_is_told(void **state)
{
        SourceReply reply = reply_of(SESSION_AUTH, 1045);

        login.user = "";
        reply.with_password = false;
        expect_handshake_only(&reply, "there is no source-user");
}

static Replication status_of(const char *host, unsigned port)
{
        Replication replication = {.known = true, .configured = true, .source_port = port};

        text_set(replication.source_host, sizeof(replication.source_host), host);
        return replication;
}

static void expect_location(const ClusterConfig *cluster, const Replication *replication,
        const ReplicationSource *replica, const char *host, unsigned port, const char *user)
{
        LoginConfig found;
        char reason[100] = "";

        if (!source_verdict_locate(
                    &found, reason, sizeof(reason), cluster, replication, replica, ""))
                fail_msg("%s", reason);
        assert_string_equal(found.host, host);
        assert_int_equal(found.port, port);
        assert_string_equal(found.user, user);
}

static void test_each_key_precedes_the_status_of_the_replica(void **state)
{
        Replication replication = status_of("10.0.0.1", 3310), none = {0};
        ReplicationSource replica = {.user = "status"};
        ClusterConfig cluster = {.source = unset};

        expect_location(&cluster, &replication, &replica, "10.0.0.1", 3310, "status");
        cluster.source.host = "key";
        expect_location(&cluster, &replication, &replica, "key", 3310, "status");
        expect_location(&cluster, &none, &replica, "key", 3306, "");
        text_set(replica.user, sizeof(replica.user), "--output=x");
        expect_location(&cluster, &replication, &replica, "key", 3310, "");
        cluster.source.user = "me";
        expect_location(&cluster, &replication, &replica, "key", 3310, "me");
        cluster.source.port = 1;
        expect_location(&cluster, &replication, &replica, "key", 1, "me");
}

static void expect_nowhere(const Replication *replication, const char *reason)
{
        ClusterConfig cluster = {.source = unset};
        LoginConfig found;
        char text[200] = "";

        assert_false(source_verdict_locate(&found, text, sizeof(text), &cluster, replication,
                &(ReplicationSource){0}, "no privilege"));
        assert_string_equal(text, reason);
}

static void test_without_a_host_there_is_a_reason(void **state)
{
        Replication unknown = {0}, none = {.known = true};
        Replication strange = status_of("--help", 3306);

        expect_nowhere(&unknown, "the replica's status cannot be read: no privilege");
        expect_nowhere(&none, "the cluster has no source: no replica is configured");
        /* It would become an option of source-password-command. */
        expect_nowhere(&strange, "the replica's status names no host of the source");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_a_login_says_nothing, setup),
                cmocka_unit_test_setup(test_an_alert_about_the_certificate_is_a_refusal, setup),
                cmocka_unit_test_setup(test_another_alert_is_no_answer, setup),
                cmocka_unit_test_setup(
                        test_a_refused_account_is_a_refusal_only_with_the_password, setup),
                cmocka_unit_test_setup(test_a_refused_connection_is_no_answer, setup),
                cmocka_unit_test_setup(test_errors_of_the_network_are_no_answer, setup),
                cmocka_unit_test_setup(test_an_error_before_tls_is_no_answer, setup),
                cmocka_unit_test_setup(
                        test_a_plugin_that_cannot_be_used_leaves_the_handshake, setup),
                cmocka_unit_test_setup(test_a_source_that_does_not_verify_is_a_warning, setup),
                cmocka_unit_test_setup(
                        test_a_password_that_cannot_be_read_is_no_answer_where_one_is_required,
                        setup),
                cmocka_unit_test_setup(test_a_login_without_a_user_is_told, setup),
                cmocka_unit_test(test_each_key_precedes_the_status_of_the_replica),
                cmocka_unit_test(test_without_a_host_there_is_a_reason),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
