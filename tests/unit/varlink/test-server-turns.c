/*
 * How clients, and the scheduler's wakeup, take turns in the loop.
 */

#include "tests/unit/test.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/macro.h"
#include "daemon/manager/wakeup.h"
#include "tests/unit/conversation.h"

#define CALL   "{\"method\":\"io.binlogssl.Manager.GetStatus\"}"
#define ONEWAY "{\"method\":\"io.binlogssl.Manager.GetStatus\",\"oneway\":true}"

#define FLOODERS 10

#define server_test(test) \
        cmocka_unit_test_setup_teardown(test, conversation_make, conversation_remove)

/* Sends up to `n` calls while the server does nothing. Returns the number of bytes. */
static size_t flood(int fd, unsigned n)
{
        size_t sent = 0;
        ssize_t r;

        while (n-- > 0 && (r = send(fd, ONEWAY, sizeof(ONEWAY), MSG_NOSIGNAL)) > 0)
                sent += (size_t)r;
        return sent;
}

static int connect_and_settle(void)
{
        int fd = conversation_connect();

        conversation_settle();
        return fd;
}

static void test_a_turn_handles_one_call_of_a_client(void **state)
{
        int fd = connect_and_settle();
        unsigned before;

        assert_int_equal(flood(fd, 100), 100 * sizeof(ONEWAY));
        do {
                before = conversation_n_calls();
                assert_true(conversation_turn());
                assert_in_range(conversation_n_calls() - before, 0, 1);
        } while (conversation_n_calls() < 100);
        close(fd);
}

static void test_a_turn_answers_one_call_of_a_client(void **state)
{
        int fd = connect_and_settle();
        unsigned before;

        for (int i = 0; i < 20; i++)
                assert_int_equal(send(fd, CALL, sizeof(CALL), MSG_NOSIGNAL), sizeof(CALL));
        do {
                before = conversation_n_calls();
                assert_true(conversation_turn());
                assert_in_range(conversation_n_calls() - before, 0, 1);
        } while (conversation_n_calls() < 20);
        for (int i = 0; i < 20; i++)
                assert_non_null(conversation_receive(fd));
        close(fd);
}

static void test_a_call_waits_for_few_calls_of_the_others(void **state)
{
        int fds[FLOODERS], fd;
        char byte;

        for (int i = 0; i < FLOODERS; i++)
                fds[i] = connect_and_settle();
        fd = connect_and_settle();
        for (int i = 0; i < FLOODERS; i++)
                assert_int_equal(flood(fds[i], 100), 100 * sizeof(ONEWAY));
        assert_int_equal(send(fd, CALL, sizeof(CALL), MSG_NOSIGNAL), sizeof(CALL));
        while (recv(fd, &byte, 1, MSG_PEEK) < 0)
                assert_true(conversation_turn());
        assert_in_range(conversation_n_calls(), 1, 2 * (FLOODERS + 1));
        conversation_settle();
        assert_int_equal(conversation_n_calls(), FLOODERS * 100 + 1);
        for (int i = 0; i < FLOODERS; i++)
                close(fds[i]);
        close(fd);
}

static void test_a_call_waits_for_no_client_that_calls_without_a_pause(void **state)
{
        int fds[FLOODERS], fd;
        unsigned before;
        char byte;

        for (int i = 0; i < FLOODERS; i++) {
                fds[i] = connect_and_settle();
                assert_int_equal(flood(fds[i], 100), 100 * sizeof(ONEWAY));
        }
        fd = conversation_connect();
        while (conversation_n_calls() < FLOODERS * (CONNECTION_CALLS_MAX + 1))
                assert_true(conversation_turn());
        before = conversation_n_calls();
        assert_int_equal(send(fd, CALL, sizeof(CALL), MSG_NOSIGNAL), sizeof(CALL));
        while (recv(fd, &byte, 1, MSG_PEEK) < 0)
                assert_true(conversation_turn());
        assert_in_range(conversation_n_calls() - before, 1, 3);
        conversation_settle();
        assert_int_equal(conversation_n_calls(), FLOODERS * 100 + 1);
        for (int i = 0; i < FLOODERS; i++)
                close(fds[i]);
        close(fd);
}

static void test_no_more_is_read_while_calls_wait(void **state)
{
        int fd = connect_and_settle();
        size_t more = 0;

        flood(fd, 1000000); /* until the socket is full */
        for (int i = 0; i < 100; i++) {
                conversation_turn();
                more += flood(fd, 1000000);
        }
        assert_in_range(conversation_n_calls(), 1, 100);
        assert_in_range(more, 0, 2 * CONNECTION_MESSAGE_MAX);
        close(fd);
}

static void test_the_calls_of_a_client_that_has_left_are_handled(void **state)
{
        int fd = connect_and_settle();

        assert_int_equal(flood(fd, 100), 100 * sizeof(ONEWAY));
        close(fd);
        conversation_settle();
        assert_int_equal(conversation_n_calls(), 100);
}

static void test_a_client_that_has_shut_down_before_its_answer_is_disconnected(void **state)
{
        int fd = connect_and_settle(), turns = 0;

        conversation_answer_large(1024 * 1024);
        assert_int_equal(send(fd, CALL, sizeof(CALL), MSG_NOSIGNAL), sizeof(CALL));
        conversation_settle();
        assert_int_equal(shutdown(fd, SHUT_RDWR), 0);
        while (conversation_turn())
                assert_in_range(++turns, 1, 10);
        close(fd);
}

static void on_wakeup(void *userdata)
{
        (*(unsigned *)userdata)++;
}

/* Requests the wakeup of the scheduler and calls `disturb` before each turn. A request must not put
 * off the one before it. */
static void expect_wakeup(void (*disturb)(void))
{
        Wakeup *wakeup = NULL;
        unsigned n_calls = 0;

        assert_int_equal(wakeup_new(&wakeup, conversation_event(), on_wakeup, &n_calls), 0);
        for (int i = 0; i < 50; i++) { /* fewer than the clients that wait to be accepted */
                disturb();
                wakeup_request(wakeup);
                assert_true(conversation_turn());
        }
        assert_in_range(n_calls, 1, 50);
        wakeup_free(wakeup);
}

static int callers[FLOODERS];

static void call_all(void)
{
        for (int i = 0; i < FLOODERS; i++)
                flood(callers[i], 1);
}

static void test_calls_do_not_delay_the_scheduler(void **state)
{
        for (int i = 0; i < FLOODERS; i++)
                callers[i] = connect_and_settle();
        call_all();
        expect_wakeup(call_all);
        for (int i = 0; i < FLOODERS; i++)
                close(callers[i]);
}

static Wakeup *scheduler;

static void on_busy_wakeup(void *userdata)
{
        wakeup_request(scheduler);
}

static void test_the_scheduler_does_not_delay_a_call(void **state)
{
        int fd = connect_and_settle();

        assert_int_equal(
                wakeup_new(&scheduler, conversation_event(), on_busy_wakeup, &scheduler), 0);
        for (int i = 0; i < 10; i++)
                conversation_turn();
        flood(fd, 1);
        for (int i = 0; i < 10; i++)
                conversation_turn();
        assert_int_equal(conversation_n_calls(), 1);
        scheduler = wakeup_free(scheduler);
        close(fd);
}

static void connect_and_leave(void)
{
        close(conversation_connect());
}

static void test_new_clients_do_not_delay_the_scheduler(void **state)
{
        connect_and_leave();
        expect_wakeup(connect_and_leave);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                server_test(test_a_turn_handles_one_call_of_a_client),
                server_test(test_a_turn_answers_one_call_of_a_client),
                server_test(test_a_call_waits_for_few_calls_of_the_others),
                server_test(test_a_call_waits_for_no_client_that_calls_without_a_pause),
                server_test(test_no_more_is_read_while_calls_wait),
                server_test(test_the_calls_of_a_client_that_has_left_are_handled),
                server_test(test_a_client_that_has_shut_down_before_its_answer_is_disconnected),
                server_test(test_calls_do_not_delay_the_scheduler),
                server_test(test_the_scheduler_does_not_delay_a_call),
                server_test(test_new_clients_do_not_delay_the_scheduler),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
