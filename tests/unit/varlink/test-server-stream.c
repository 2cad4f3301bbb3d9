#include "tests/unit/test.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/conversation.h"

#define STREAM   "{\"method\":\"io.binlogssl.Manager.Stream\",\"more\":true}"
#define CALL     "{\"method\":\"io.binlogssl.Manager.GetStatus\"}"
#define FIRST    "{\"parameters\":{\"n\":0},\"continues\":true}"
#define EVENT    "{\"event\":1}"
#define RECEIVED "{\"parameters\":" EVENT ",\"continues\":true}"

#define server_test(test) \
        cmocka_unit_test_setup_teardown(test, conversation_make, conversation_remove)

static int subscribe(void)
{
        int fd = conversation_connect();

        conversation_expect(fd, STREAM, FIRST);
        return fd;
}

static void publish(void)
{
        server_publish(conversation_server(), EVENT);
}

static void test_only_subscribers_get_a_publication(void **state)
{
        int one = subscribe(), two = subscribe(), other = conversation_connect();

        publish();
        assert_string_equal(conversation_receive(one), RECEIVED);
        assert_string_equal(conversation_receive(two), RECEIVED);
        conversation_expect_silence(other);
        publish();
        assert_string_equal(conversation_receive(one), RECEIVED);
        close(one);
        close(two);
        close(other);
}

static void test_calls_after_a_streaming_call_are_not_answered(void **state)
{
        int fd = subscribe();
        unsigned before = conversation_n_calls();

        conversation_send(fd, CALL, sizeof(CALL));
        conversation_expect_silence(fd);
        assert_int_equal(conversation_n_calls(), before);
        publish();
        assert_string_equal(conversation_receive(fd), RECEIVED);
        close(fd);
}

static void test_a_subscriber_that_leaves_is_removed(void **state)
{
        int fd = subscribe();

        assert_true(server_has_subscribers(conversation_server()));
        close(fd);
        conversation_settle();
        assert_false(server_has_subscribers(conversation_server()));
        publish();
}

static void test_only_a_subscriber_that_never_reads_is_dropped(void **state)
{
        static char text[100016];
        int lazy = subscribe(), eager = subscribe();
        size_t n = 0;

        snprintf(text, sizeof(text), "{\"a\":\"%0*d\"}", 100000, 0);
        for (; n < 5; n++) {
                server_publish(conversation_server(), text);
                assert_non_null(conversation_receive(eager));
        }
        close(eager);
        while (server_has_subscribers(conversation_server()) && n < 1000) {
                server_publish(conversation_server(), text);
                conversation_settle();
                n++;
        }
        assert_true((n - 1) * 100000 > BACKLOG_MAX);
        assert_true(n * 100000 < BACKLOG_MAX + 20 * 100000);
        close(lazy);
}

static void test_a_turn_sends_one_message(void **state)
{
        int fd = subscribe(), before, after;

        for (int i = 0; i < 10; i++)
                publish();
        assert_int_equal(ioctl(fd, FIONREAD, &before), 0);
        while (conversation_turn()) {
                assert_int_equal(ioctl(fd, FIONREAD, &after), 0);
                assert_true(after - before <= (int)sizeof(RECEIVED));
                before = after;
        }
        assert_int_equal(before, 10 * sizeof(RECEIVED));
        close(fd);
}

static void test_the_credentials_of_a_client_come_from_the_kernel(void **state)
{
        char expected[128];
        int fd = conversation_connect();

        snprintf(expected, sizeof(expected),
                "{\"parameters\":{\"uid\":%u,\"member\":1,\"stranger\":0}}", getuid());
        conversation_expect(fd, "{\"method\":\"io.binlogssl.Manager.Who\"}", expected);
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                server_test(test_only_subscribers_get_a_publication),
                server_test(test_calls_after_a_streaming_call_are_not_answered),
                server_test(test_a_subscriber_that_leaves_is_removed),
                server_test(test_only_a_subscriber_that_never_reads_is_dropped),
                server_test(test_a_turn_sends_one_message),
                server_test(test_the_credentials_of_a_client_come_from_the_kernel),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
