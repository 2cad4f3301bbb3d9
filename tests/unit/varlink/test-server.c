#include "tests/unit/test.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json-reader.h"
#include "common/macro.h"
#include "daemon/model/interface.h"
#include "tests/unit/conversation.h"

#define TOO_MANY   "{\"error\":\"io.binlogssl.Manager.TooManyClients\"}"
#define OUR_CALL   "{\"method\":\"io.binlogssl.Manager.GetStatus\"}"
#define ONEWAY     "{\"method\":\"io.binlogssl.Manager.GetStatus\",\"oneway\":true}"
#define HANG       "{\"method\":\"io.binlogssl.Manager.Hang\"}"
#define LATER      "{\"method\":\"io.binlogssl.Manager.Later\"}"
#define REFUSE     "{\"method\":\"io.binlogssl.Manager.Refuse\"}"
#define SERVICE(s) "{\"method\":\"org.varlink.service." s "\"}"
#define ANSWER(n)  "{\"parameters\":{\"n\":" #n "}}"

#define server_test(test) \
        cmocka_unit_test_setup_teardown(test, conversation_make, conversation_remove)

static int fd = -1;

static void connect_anew(void)
{
        if (fd >= 0)
                close(fd);
        fd = conversation_connect();
}

static void test_calls_are_answered_on_one_connection(void **state)
{
        connect_anew();
        conversation_expect(fd, OUR_CALL, ANSWER(1));
        conversation_expect(fd, OUR_CALL, ANSWER(2));
        conversation_expect(fd, REFUSE,
                "{\"error\":\"io.binlogssl.Manager.Refused\",\"parameters\":{\"why\":\"asked "
                "to\"}}");
        conversation_expect(fd, OUR_CALL, ANSWER(4));
}

static void test_half_a_message_waits_for_the_rest(void **state)
{
        static const char call[] = OUR_CALL;

        connect_anew();
        for (size_t i = 0; i < sizeof(call); i++) {
                conversation_expect_silence(fd);
                conversation_send(fd, call + i, 1);
        }
        assert_string_equal(conversation_receive(fd), ANSWER(1));
}

static void test_pipelined_calls_are_answered_in_their_order(void **state)
{
        static const char calls[] =
                OUR_CALL "\0" SERVICE("None") "\0" OUR_CALL "\0" OUR_CALL "\0{\"method\":";

        connect_anew();
        conversation_send(fd, calls, sizeof(calls) - 1);
        assert_string_equal(conversation_receive(fd), ANSWER(1));
        assert_non_null(strstr(conversation_receive(fd), "MethodNotFound"));
        assert_string_equal(conversation_receive(fd), ANSWER(2));
        assert_string_equal(conversation_receive(fd), ANSWER(3));
        conversation_expect(fd, "\"io.binlogssl.Manager.X\"}", ANSWER(4));
}

static void test_a_oneway_call_is_handled_and_never_answered(void **state)
{
        static const char wrong[] = "{\"method\":\"org.varlink.service.None\",\"oneway\":true}";

        connect_anew();
        conversation_send(fd, ONEWAY, sizeof(ONEWAY));
        conversation_expect_silence(fd);
        assert_int_equal(conversation_n_calls(), 1);
        conversation_send(fd, wrong, sizeof(wrong));
        conversation_expect_silence(fd);
        conversation_expect(fd, OUR_CALL, ANSWER(2));
}

static void test_a_postponed_call_is_answered_when_the_owner_has_the_answer(void **state)
{
        static const char calls[] = LATER "\0" OUR_CALL "\0" LATER;

        connect_anew();
        conversation_send(fd, calls, sizeof(calls));
        conversation_expect_silence(fd);
        assert_int_equal(conversation_n_calls(), 1);
        server_answer(conversation_server(), 0, "{\"done\":true}", NULL);
        assert_string_equal(conversation_receive(fd), "{\"parameters\":{\"done\":true}}");
        assert_string_equal(conversation_receive(fd), ANSWER(2));
        conversation_expect_silence(fd);
        server_answer(conversation_server(), 0, NULL, "io.binlogssl.Manager.Refused");
        assert_string_equal(conversation_receive(fd),
                "{\"error\":\"io.binlogssl.Manager.Refused\",\"parameters\":{}}");
        server_answer(conversation_server(), 0, "{}", NULL); /* nobody waits */
        conversation_expect(fd, OUR_CALL, ANSWER(4));
}

static void test_every_client_that_still_waits_is_answered(void **state)
{
        int left, half;

        connect_anew();
        left = conversation_connect();
        half = conversation_connect();
        conversation_send(fd, LATER, sizeof(LATER));
        conversation_send(left, LATER, sizeof(LATER));
        conversation_send(half, LATER, sizeof(LATER));
        assert_int_equal(shutdown(half, SHUT_WR), 0);
        close(left);
        conversation_settle();
        server_answer(conversation_server(), 0, "{}", NULL);
        assert_string_equal(conversation_receive(fd), "{\"parameters\":{}}");
        assert_string_equal(conversation_receive(half), "{\"parameters\":{}}");
        close(half);
}

static void test_a_failure_ends_the_connections_that_wait_for_the_answer(void **state)
{
        int other = conversation_connect();

        connect_anew();
        conversation_send(fd, LATER, sizeof(LATER));
        conversation_send(other, OUR_CALL, sizeof(OUR_CALL));
        server_answer(conversation_server(), -ENOMEM, NULL, NULL);
        assert_null(conversation_receive(fd));
        assert_non_null(conversation_receive(other));
        conversation_expect(other, OUR_CALL, ANSWER(3));
        close(other);
}

static void test_a_oneway_call_is_not_postponed(void **state)
{
        static const char call[] = "{\"method\":\"io.binlogssl.Manager.Later\",\"oneway\":true}";

        connect_anew();
        conversation_send(fd, call, sizeof(call));
        conversation_expect(fd, OUR_CALL, ANSWER(2));
        server_answer(conversation_server(), 0, "{}", NULL);
        conversation_expect_silence(fd);
}

static void test_get_info_describes_the_service(void **state)
{
        connect_anew();
        conversation_expect(fd, SERVICE("GetInfo"),
                "{\"parameters\":{\"vendor\":\"binlog-ssld\",\"product\":\"binlog-ssld\","
                "\"version\":\"1.2.3\",\"url\":\"man:io.binlogssl.Manager(7)\",\"interfaces\":["
                "\"org.varlink.service\",\"io.binlogssl.Manager\"]}}");
        assert_int_equal(conversation_n_calls(), 0);
}

static void expect_description(const char *interface, const char *expected)
{
        CLEANUP(json_freep) JsonValue *reply = NULL;
        CLEANUP(freep) char *call = NULL;
        const char *text;

        assert_true(asprintf(&call,
                            "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
                            "\"parameters\":{\"interface\":\"%s\"}}",
                            interface) > 0);
        conversation_send(fd, call, strlen(call) + 1);
        text = conversation_receive(fd);
        assert_non_null(text);
        assert_int_equal(json_parse(&reply, text, strlen(text)), 0);
        text = json_get_string(json_member(json_member(reply, "parameters"), "description"));
        assert_non_null(text);
        assert_string_equal(text, expected);
}

static void test_both_interfaces_are_described(void **state)
{
        connect_anew();
        expect_description(INTERFACE_NAME, interface_description);
        expect_description(INTERFACE_SERVICE_NAME, interface_service_description);
}

static void test_an_error_names_the_unknown_part_of_the_call(void **state)
{
        static const struct {
                const char *call, *answer;
        } cases[] = {
                {SERVICE("None"),
                        "{\"error\":\"org.varlink.service.MethodNotFound\","
                        "\"parameters\":{\"method\":\"org.varlink.service.None\"}}"},
                {"{\"method\":\"a.b.Call\"}",
                        "{\"error\":\"org.varlink.service.InterfaceNotFound\","
                        "\"parameters\":{\"interface\":\"a.b\"}}"},
                {"{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":{\"x\":1}}",
                        "{\"error\":\"org.varlink.service.InvalidParameter\","
                        "\"parameters\":{\"parameter\":\"x\"}}"},
                {SERVICE("GetInterfaceDescription"),
                        "{\"error\":\"org.varlink.service.InvalidParameter\","
                        "\"parameters\":{\"parameter\":\"interface\"}}"},
                {"{\"method\":\"org.varlink.service.GetInterfaceDescription\","
                 "\"parameters\":{\"interface\":7}}",
                        "{\"error\":\"org.varlink.service.InvalidParameter\","
                        "\"parameters\":{\"parameter\":\"interface\"}}"},
                {"{\"method\":\"org.varlink.service.GetInterfaceDescription\","
                 "\"parameters\":{\"interface\":\"a.b\",\"x\":1}}",
                        "{\"error\":\"org.varlink.service.InvalidParameter\","
                        "\"parameters\":{\"parameter\":\"x\"}}"},
                {"{\"method\":\"org.varlink.service.GetInterfaceDescription\","
                 "\"parameters\":{\"interface\":\"a.b\"}}",
                        "{\"error\":\"org.varlink.service.InterfaceNotFound\","
                        "\"parameters\":{\"interface\":\"a.b\"}}"},
        };

        connect_anew();
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                conversation_expect(fd, cases[i].call, cases[i].answer);
        assert_int_equal(conversation_n_calls(), 0);
}

static void test_a_message_that_is_no_call_ends_only_its_connection(void **state)
{
        static const char *const cases[] = {"", "{}", "[]", "{\"method\":\"GetStatus\"}",
                "{\"method\":\"a.b.C\",\"parameters\":[]}", OUR_CALL OUR_CALL, HANG};
        int other = conversation_connect();

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                connect_anew();
                conversation_expect(fd, cases[i], NULL);
        }
        conversation_expect(other, OUR_CALL, ANSWER(2)); /* HANG was a call as well */
        close(other);
}

/* A call of exactly `size` bytes with its NUL. */
static char *call_of(size_t size)
{
        static const char head[] =
                "{\"method\":\"io.binlogssl.Manager.X\",\"parameters\":{\"x\":\"";
        char *call = malloc(size);

        assert_non_null(call);
        memset(call, 'x', size);
        memcpy(call, head, sizeof(head) - 1);
        memcpy(call + size - 4, "\"}}", 4);
        return call;
}

static void test_a_message_of_64_kib_is_answered_and_a_longer_one_is_not(void **state)
{
        CLEANUP(freep) char *most = call_of(CONNECTION_MESSAGE_MAX);
        CLEANUP(freep) char *more = call_of(CONNECTION_MESSAGE_MAX + 1);

        connect_anew();
        for (int i = 0; i < 2; i++) {
                conversation_send(fd, most, CONNECTION_MESSAGE_MAX);
                assert_non_null(conversation_receive(fd));
        }
        conversation_send(fd, more, CONNECTION_MESSAGE_MAX + 1);
        assert_null(conversation_receive(fd));
        assert_int_equal(conversation_n_calls(), 2);
}

static void test_short_messages_before_it_do_not_shorten_the_limit(void **state)
{
        CLEANUP(freep) char *most = call_of(CONNECTION_MESSAGE_MAX);
        CLEANUP(freep) char *both = malloc(sizeof(OUR_CALL) + CONNECTION_MESSAGE_MAX);

        memcpy(both, OUR_CALL, sizeof(OUR_CALL));
        memcpy(both + sizeof(OUR_CALL), most, CONNECTION_MESSAGE_MAX);
        connect_anew();
        conversation_send(fd, both, sizeof(OUR_CALL) + CONNECTION_MESSAGE_MAX);
        assert_string_equal(conversation_receive(fd), ANSWER(1));
        assert_string_equal(conversation_receive(fd), ANSWER(2));
}

static void test_a_slow_reader_gets_all_of_a_large_answer_and_the_next(void **state)
{
        static const char calls[] = OUR_CALL "\0" OUR_CALL "\0" OUR_CALL;
        size_t size = 200 * 1024;

        connect_anew();
        conversation_answer_large(size);
        conversation_send(fd, calls, sizeof(calls));
        conversation_settle();
        /* One answer is pending at a time: the last call waits until the one before it is sent. */
        assert_true(conversation_n_calls() < 3);
        for (int i = 0; i < 3; i++)
                assert_int_equal(strlen(conversation_receive(fd)),
                        size + strlen("{\"parameters\":{\"text\":\"\"}}"));
        assert_int_equal(conversation_n_calls(), 3);
}

static void test_a_client_that_leaves_during_an_answer_disturbs_no_other(void **state)
{
        int other = conversation_connect();

        connect_anew();
        conversation_answer_large(1024 * 1024);
        conversation_send(fd, OUR_CALL, sizeof(OUR_CALL));
        conversation_settle();
        close(fd);
        fd = -1;
        conversation_settle();
        conversation_answer_large(0);
        conversation_expect(other, OUR_CALL, ANSWER(2));
        close(other);
}

static void test_a_client_that_ended_its_side_still_gets_the_answers(void **state)
{
        static const char calls[] = OUR_CALL "\0" OUR_CALL;

        connect_anew();
        conversation_send(fd, calls, sizeof(calls));
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        assert_string_equal(conversation_receive(fd), ANSWER(1));
        assert_string_equal(conversation_receive(fd), ANSWER(2));
        assert_null(conversation_receive(fd));
}

static void test_the_65th_client_is_refused_and_the_64_stay(void **state)
{
        int fds[SERVER_CLIENTS_MAX];

        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++) {
                fds[i] = conversation_connect();
                conversation_settle();
        }
        connect_anew();
        assert_string_equal(conversation_receive(fd), TOO_MANY);
        assert_null(conversation_receive(fd));
        assert_int_equal(conversation_n_calls(), 0);
        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++) {
                conversation_send(fds[i], OUR_CALL, sizeof(OUR_CALL));
                assert_non_null(conversation_receive(fds[i]));
        }
        close(fds[7]); /* one leaves, one more may come */
        conversation_settle();
        connect_anew();
        conversation_expect(fd, OUR_CALL, ANSWER(65));
        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
                if (i != 7)
                        close(fds[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                server_test(test_calls_are_answered_on_one_connection),
                server_test(test_half_a_message_waits_for_the_rest),
                server_test(test_pipelined_calls_are_answered_in_their_order),
                server_test(test_a_oneway_call_is_handled_and_never_answered),
                server_test(test_a_postponed_call_is_answered_when_the_owner_has_the_answer),
                server_test(test_every_client_that_still_waits_is_answered),
                server_test(test_a_failure_ends_the_connections_that_wait_for_the_answer),
                server_test(test_a_oneway_call_is_not_postponed),
                server_test(test_get_info_describes_the_service),
                server_test(test_both_interfaces_are_described),
                server_test(test_an_error_names_the_unknown_part_of_the_call),
                server_test(test_a_message_that_is_no_call_ends_only_its_connection),
                server_test(test_a_message_of_64_kib_is_answered_and_a_longer_one_is_not),
                server_test(test_short_messages_before_it_do_not_shorten_the_limit),
                server_test(test_a_slow_reader_gets_all_of_a_large_answer_and_the_next),
                server_test(test_a_client_that_leaves_during_an_answer_disturbs_no_other),
                server_test(test_a_client_that_ended_its_side_still_gets_the_answers),
                server_test(test_the_65th_client_is_refused_and_the_64_stay),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
