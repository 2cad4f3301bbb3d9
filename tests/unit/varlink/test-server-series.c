#include "tests/unit/test.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/conversation.h"

#define SERIES    "{\"method\":\"io.binlogssl.Manager.Series\",\"more\":true}"
#define CALL      "{\"method\":\"io.binlogssl.Manager.GetStatus\"}"
#define CALLED    "{\"parameters\":{\"called\":1}}"
#define PART(n)   "{\"parameters\":{\"n\":" #n "},\"continues\":true}"
#define LAST(n)   "{\"parameters\":{\"n\":" #n "}}"
#define EVENT     "{\"event\":1}"
#define LARGE_MAX 100000

/* One series; the test says which answers there are. */
static struct {
        Connection *connection;
        int n_ready, n_made, n_all;
        int error;
        size_t large; /* the bytes of each answer */
        unsigned n_cancels;
} series;

static int next(Connection *connection, ConnectionCursor *cursor, char **ret, void *userdata)
{
        assert_ptr_equal(connection, series.connection);
        if (series.error < 0)
                return series.error;
        if (series.n_made == series.n_ready)
                return 1;
        series.n_made++;
        assert_true(asprintf(ret, "{\"n\":%0*d}", (int)series.large, series.n_made) > 0);
        return series.n_made < series.n_all;
}

static void cancel(void *userdata)
{
        series.n_cancels++;
}

static int answer(Connection *connection, const VarlinkCall *call, char **ret,
        const char **ret_error, void *userdata)
{
        if (strcmp(call->method, "Series") != 0) {
                *ret = strdup("{\"called\":1}");
                return 0;
        }
        series.connection = connection;
        connection_series(connection, next, cancel, NULL);
        return 0;
}

static int make(void **state)
{
        memset(&series, 0, sizeof(series));
        series.n_all = 3;
        return conversation_make_with(state, answer, NULL);
}

#define series_test(test) cmocka_unit_test_setup_teardown(test, make, conversation_remove)

static int begin(void)
{
        int fd = conversation_connect();

        conversation_send(fd, SERIES, sizeof(SERIES));
        conversation_expect_silence(fd);
        return fd;
}

static void have(int n)
{
        series.n_ready = n;
        connection_wake(series.connection);
}

static void test_each_answer_is_sent_when_it_is_there(void **state)
{
        int fd = begin();

        have(1);
        assert_string_equal(conversation_receive(fd), PART(1));
        conversation_expect_silence(fd);
        have(3);
        assert_string_equal(conversation_receive(fd), PART(2));
        assert_string_equal(conversation_receive(fd), LAST(3));
        conversation_expect_silence(fd);
        assert_int_equal(series.n_cancels, 0);
        close(fd);
        conversation_settle();
        assert_int_equal(series.n_cancels, 0);
}

static void test_the_next_call_waits_for_the_last_answer(void **state)
{
        int fd = begin();

        conversation_send(fd, CALL, sizeof(CALL));
        conversation_expect_silence(fd);
        have(3);
        assert_string_equal(conversation_receive(fd), PART(1));
        assert_string_equal(conversation_receive(fd), PART(2));
        assert_string_equal(conversation_receive(fd), LAST(3));
        assert_string_equal(conversation_receive(fd), CALLED);
        close(fd);
}

static void test_a_series_gets_no_publication_and_no_answer_of_a_postponed_call(void **state)
{
        int fd = begin();

        assert_false(server_has_subscribers(conversation_server()));
        server_publish(conversation_server(), EVENT);
        server_answer(conversation_server(), 0, "{}", NULL);
        conversation_expect_silence(fd);
        have(1);
        assert_string_equal(conversation_receive(fd), PART(1));
        close(fd);
}

static void test_a_client_that_leaves_cancels_once(void **state)
{
        int fd = begin();

        have(1);
        assert_string_equal(conversation_receive(fd), PART(1));
        close(fd);
        conversation_settle();
        assert_int_equal(series.n_cancels, 1);
}

static void test_a_client_that_only_ends_its_side_gets_all_answers(void **state)
{
        int fd = begin();

        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        conversation_expect_silence(fd);
        have(3);
        assert_string_equal(conversation_receive(fd), PART(1));
        assert_string_equal(conversation_receive(fd), PART(2));
        assert_string_equal(conversation_receive(fd), LAST(3));
        assert_null(conversation_receive(fd));
        assert_int_equal(series.n_cancels, 0);
        close(fd);
}

static void test_an_error_ends_the_connection(void **state)
{
        int fd = begin();

        series.error = -ENOMEM;
        have(1);
        assert_null(conversation_receive(fd));
        assert_int_equal(series.n_cancels, 1);
        close(fd);
}

static void test_the_end_of_the_server_cancels(void **state)
{
        int fd = begin();

        conversation_remove(state);
        assert_int_equal(series.n_cancels, 1);
        close(fd);
        assert_int_equal(make(state), 0);
}

static void test_a_client_that_reads_nothing_is_asked_for_no_more(void **state)
{
        int fd = begin();
        int made;

        series.large = LARGE_MAX;
        series.n_all = 1000;
        have(1000);
        conversation_settle();
        made = series.n_made;
        assert_true(made < 100);
        conversation_settle();
        assert_int_equal(series.n_made, made);
        assert_non_null(conversation_receive(fd));
        conversation_settle();
        assert_true(series.n_made > made);
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                series_test(test_each_answer_is_sent_when_it_is_there),
                series_test(test_the_next_call_waits_for_the_last_answer),
                series_test(test_a_series_gets_no_publication_and_no_answer_of_a_postponed_call),
                series_test(test_a_client_that_leaves_cancels_once),
                series_test(test_a_client_that_only_ends_its_side_gets_all_answers),
                series_test(test_an_error_ends_the_connection),
                series_test(test_the_end_of_the_server_cancels),
                series_test(test_a_client_that_reads_nothing_is_asked_for_no_more),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
