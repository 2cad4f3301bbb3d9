#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "daemon/varlink/backlog.h"

static Backlog *backlog;

static int make(void **state)
{
        return backlog_new(&backlog);
}

static int done(void **state)
{
        backlog = backlog_free(backlog);
        return 0;
}

#define backlog_test(test) cmocka_unit_test_setup_teardown(test, make, done)

static void append(int n)
{
        char text[32];

        snprintf(text, sizeof(text), "{\"n\":%d}", n);
        assert_int_equal(backlog_append(backlog, text), 0);
}

static const char *peek(const BacklogPosition *position)
{
        const char *message;
        size_t size;

        if (!backlog_position_peek(position, &message, &size))
                return NULL;
        assert_int_equal(size, strlen(message) + 1);
        return message;
}

static void expect(BacklogPosition *position, int n)
{
        char text[64];

        snprintf(text, sizeof(text), "{\"parameters\":{\"n\":%d},\"continues\":true}", n);
        assert_string_equal(peek(position), text);
        backlog_position_step(position);
}

static void test_a_position_gets_what_comes_after_it_in_order(void **state)
{
        BacklogPosition one = BACKLOG_POSITION_NULL, two = BACKLOG_POSITION_NULL;

        append(1);
        backlog_position_begin(&one, backlog);
        assert_null(peek(&one));
        append(2);
        backlog_position_begin(&two, backlog);
        append(3);
        expect(&one, 2);
        expect(&two, 3);
        expect(&one, 3);
        assert_null(peek(&one));
        assert_null(peek(&two));
        append(4);
        expect(&two, 4);
        backlog_position_done(&one);
        backlog_position_done(&two);
}

static void test_all_positions_share_one_copy(void **state)
{
        BacklogPosition one = BACKLOG_POSITION_NULL, two = BACKLOG_POSITION_NULL;

        backlog_position_begin(&one, backlog);
        backlog_position_begin(&two, backlog);
        append(1);
        assert_ptr_equal(peek(&one), peek(&two));
        backlog_position_done(&one);
        expect(&two, 1);
        backlog_position_done(&two);
}

static void test_the_unread_bytes_are_those_of_whole_messages(void **state)
{
        BacklogPosition position = BACKLOG_POSITION_NULL;
        size_t size;

        assert_int_equal(backlog_position_unread(&position), 0);
        assert_null(peek(&position));
        backlog_position_begin(&position, backlog);
        append(1);
        size = strlen(peek(&position)) + 1;
        assert_int_equal(backlog_position_unread(&position), size);
        append(2);
        assert_int_equal(backlog_position_unread(&position), 2 * size);
        backlog_position_step(&position);
        assert_int_equal(backlog_position_unread(&position), size);
        backlog_position_done(&position);
        assert_int_equal(backlog_position_unread(&position), 0);
}

static void test_a_position_that_ends_frees_what_nobody_else_waits_for(void **state)
{
        BacklogPosition position = BACKLOG_POSITION_NULL;

        backlog_position_begin(&position, backlog);
        for (int i = 0; i < 1000000; i++) /* a recursion would end the process */
                append(1);
        backlog_position_done(&position);
        backlog_position_done(&position);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                backlog_test(test_a_position_gets_what_comes_after_it_in_order),
                backlog_test(test_all_positions_share_one_copy),
                backlog_test(test_the_unread_bytes_are_those_of_whole_messages),
                backlog_test(test_a_position_that_ends_frees_what_nobody_else_waits_for),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
