/*
 * No test waits for a minute: the program's own clock_gettime() replaces that of the C library
 * for the server and its loop, and a test can put it forward.
 */

#include "tests/unit/test.h"

#include <sys/syscall.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/unit/conversation.h"

#define CALL "{\"method\":\"io.binlogssl.Manager.GetStatus\"}"

static uint64_t ahead_usec;

int clock_gettime(clockid_t id, struct timespec *ret)
{
        int r = (int)syscall(SYS_clock_gettime, id, ret);

        ret->tv_sec += (time_t)(ahead_usec / USEC_PER_SEC);
        return r;
}

static void pass(uint64_t usec)
{
        ahead_usec += usec;
        conversation_settle();
}

#define server_test(test) \
        cmocka_unit_test_setup_teardown(test, conversation_make, conversation_remove)

static void test_a_client_without_a_byte_for_a_minute_is_disconnected(void **state)
{
        int fd = conversation_connect();

        conversation_settle();
        pass(CONNECTION_IDLE_USEC - 5 * USEC_PER_SEC);
        conversation_expect_silence(fd);
        pass(10 * USEC_PER_SEC);
        assert_null(conversation_receive(fd));
        close(fd);
}

static void test_each_byte_starts_the_minute_again(void **state)
{
        static const char call[] = CALL;
        int fd = conversation_connect();

        conversation_settle();
        for (size_t i = 0; i < sizeof(call); i++) {
                conversation_send(fd, call + i, 1);
                pass(CONNECTION_IDLE_USEC / 2);
        }
        assert_string_equal(conversation_receive(fd), "{\"parameters\":{\"n\":1}}");
        pass(CONNECTION_IDLE_USEC + 5 * USEC_PER_SEC);
        assert_null(conversation_receive(fd));
        close(fd);
}

static void test_a_client_that_does_not_read_its_answer_is_disconnected(void **state)
{
        int fd = conversation_connect();

        conversation_answer_large(1024 * 1024);
        conversation_send(fd, CALL, sizeof(CALL));
        conversation_settle();
        pass(CONNECTION_IDLE_USEC + 5 * USEC_PER_SEC);
        assert_null(conversation_receive(fd));
        close(fd);
}

static void test_a_subscriber_may_be_silent_for_any_time(void **state)
{
        static const char stream[] = "{\"method\":\"io.binlogssl.Manager.Stream\",\"more\":true}";
        int fd = conversation_connect();

        conversation_expect(fd, stream, "{\"parameters\":{\"n\":0},\"continues\":true}");
        pass(10 * CONNECTION_IDLE_USEC);
        server_publish(conversation_server(), "{}");
        assert_string_equal(conversation_receive(fd), "{\"parameters\":{},\"continues\":true}");
        close(fd);
}

static void test_a_client_that_waits_for_its_answer_may_be_silent(void **state)
{
        static const char later[] = "{\"method\":\"io.binlogssl.Manager.Later\"}";
        int fd = conversation_connect();

        conversation_send(fd, later, sizeof(later));
        pass(10 * CONNECTION_IDLE_USEC);
        server_answer(conversation_server(), 0, "{}", NULL);
        assert_string_equal(conversation_receive(fd), "{\"parameters\":{}}");
        pass(CONNECTION_IDLE_USEC + 5 * USEC_PER_SEC);
        assert_null(conversation_receive(fd));
        close(fd);
}

/* Each publication would start the minute again. */
static void test_a_subscriber_that_reads_nothing_for_a_minute_is_disconnected(void **state)
{
        static const char stream[] = "{\"method\":\"io.binlogssl.Manager.Stream\",\"more\":true}";
        static char large[500000];
        int fd = conversation_connect();

        snprintf(large, sizeof(large), "{\"a\":\"%0*d\"}", 400000, 0);
        conversation_expect(fd, stream, "{\"parameters\":{\"n\":0},\"continues\":true}");
        for (int i = 0; i < 4; i++) {
                server_publish(conversation_server(), large);
                conversation_settle();
                assert_true(server_has_subscribers(conversation_server()));
                large[16] = '\0';
                memcpy(large + 14, "\"}", 2);
                pass(CONNECTION_IDLE_USEC * 3 / 10);
        }
        assert_false(server_has_subscribers(conversation_server()));
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                server_test(test_a_client_without_a_byte_for_a_minute_is_disconnected),
                server_test(test_each_byte_starts_the_minute_again),
                server_test(test_a_client_that_does_not_read_its_answer_is_disconnected),
                server_test(test_a_subscriber_may_be_silent_for_any_time),
                server_test(test_a_client_that_waits_for_its_answer_may_be_silent),
                server_test(test_a_subscriber_that_reads_nothing_for_a_minute_is_disconnected),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
