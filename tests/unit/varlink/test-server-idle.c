/*
 * Nobody waits for a minute: this program's own clock_gettime() stands in for that of the C
 * library, for the server and for its loop, and can be put forward.
 */

#include "tests/unit/test.h"

#include <sys/syscall.h>

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

static void test_a_client_without_a_byte_for_a_minute_is_sent_away(void **state)
{
        int fd = conversation_connect();

        (void)state;
        conversation_settle();
        pass(CONNECTION_IDLE_USEC - 5 * USEC_PER_SEC);
        conversation_expect_silence(fd);
        pass(10 * USEC_PER_SEC);
        assert_null(conversation_receive(fd));
        close(fd);
}

static void test_each_byte_begins_the_minute_anew(void **state)
{
        static const char call[] = CALL;
        int fd = conversation_connect();

        (void)state;
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

static void test_who_does_not_fetch_its_answer_is_sent_away_too(void **state)
{
        int fd = conversation_connect();

        (void)state;
        conversation_answer_large(1024 * 1024);
        conversation_send(fd, CALL, sizeof(CALL));
        conversation_settle();
        pass(CONNECTION_IDLE_USEC + 5 * USEC_PER_SEC);
        assert_null(conversation_receive(fd));
        close(fd);
}

static void test_a_subscriber_may_be_silent_for_ever(void **state)
{
        static const char stream[] = "{\"method\":\"io.binlogssl.Manager.Stream\",\"more\":true}";
        int fd = conversation_connect();

        (void)state;
        conversation_expect(fd, stream, "{\"parameters\":{\"n\":0},\"continues\":true}");
        pass(10 * CONNECTION_IDLE_USEC);
        server_publish(conversation_server(), "{}");
        assert_string_equal(conversation_receive(fd), "{\"parameters\":{},\"continues\":true}");
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                server_test(test_a_client_without_a_byte_for_a_minute_is_sent_away),
                server_test(test_each_byte_begins_the_minute_anew),
                server_test(test_who_does_not_fetch_its_answer_is_sent_away_too),
                server_test(test_a_subscriber_may_be_silent_for_ever),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
