#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "ctl/output/screen.h"

static void expect(
        const char *text, unsigned columns, unsigned rows, const char *fitting, unsigned n_cut)
{
        unsigned found;
        size_t size = screen_fit(text, columns, rows, &found);

        assert_int_equal(size, strlen(fitting));
        assert_memory_equal(text, fitting, size);
        assert_int_equal(found, n_cut);
}

static void test_lines_fit_into_rows(void **state)
{
        expect("", 80, 3, "", 0);
        expect("a\nb\nc\n", 80, 3, "a\nb\nc\n", 0);
        expect("a\nb\nc", 80, 3, "a\nb\nc", 0);
        expect("a\n\nc\nd\n", 80, 3, "a\n\nc\n", 1);
        expect("a\n\nc\nd\ne\nf", 80, 2, "a\n\n", 4);
}

static void test_a_line_that_is_too_long_takes_several_rows(void **state)
{
        expect("0123456789\nb\n", 10, 2, "0123456789\nb\n", 0);
        expect("0123456789a\nb\n", 10, 2, "0123456789a\n", 1);
        expect("0123456789a\nb\n", 10, 1, "", 2);
        expect("0123456789012345678901\nb\n", 10, 3, "0123456789012345678901\n", 1);
}

static void test_nothing_follows_what_does_not_fit(void **state)
{
        expect("a\n0123456789a\nb\n", 10, 2, "a\n", 2);
}

static void test_width_is_that_of_characters_without_colours(void **state)
{
        expect("\xc3\xbc\xc3\xbc\nb\n", 2, 2, "\xc3\xbc\xc3\xbc\nb\n", 0);
        expect("\033[1;31mab\033[0m\nc\n", 2, 2, "\033[1;31mab\033[0m\nc\n", 0);
}

static void expect_painted(Screen *screen, const char *text, const char *expected)
{
        CLEANUP(freep) char *painted = NULL;
        size_t size;

        screen->stream = open_memstream(&painted, &size);
        assert_non_null(screen->stream);
        assert_int_equal(screen_paint(screen, text), 0);
        fclose(screen->stream);
        assert_string_equal(painted, expected);
}

static void test_a_text_is_painted_over_the_one_before(void **state)
{
        Screen screen = {.is_begun = true};

        expect_painted(&screen, "a\nb\n", "\033[Ha\033[K\nb\033[K\n\033[J");
}

static void test_what_was_there_before_is_scrolled_up(void **state)
{
        Screen screen = {0};

        expect_painted(&screen, "a\n",
                "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\033[Ha\033[K\n\033[J");
        expect_painted(&screen, "b\n", "\033[Hb\033[K\n\033[J");
}

static void test_what_has_no_room_is_counted(void **state)
{
        Screen screen = {.is_begun = true};
        char text[61] = "";

        for (unsigned i = 0; i < 30; i++)
                strcat(text, "a\n");
        expect_painted(&screen, text,
                "\033[Ha\033[K\na\033[K\na\033[K\na\033[K\na\033[K\na\033[K\na\033[K\na\033[K\n"
                "a\033[K\na\033[K\na\033[K\na\033[K\na\033[K\na\033[K\na\033[K\na\033[K\n"
                "a\033[K\na\033[K\na\033[K\na\033[K\na\033[K\na\033[K\n"
                "... and 8 more lines\033[K\n\033[J");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines_fit_into_rows),
                cmocka_unit_test(test_a_line_that_is_too_long_takes_several_rows),
                cmocka_unit_test(test_nothing_follows_what_does_not_fit),
                cmocka_unit_test(test_width_is_that_of_characters_without_colours),
                cmocka_unit_test(test_a_text_is_painted_over_the_one_before),
                cmocka_unit_test(test_what_was_there_before_is_scrolled_up),
                cmocka_unit_test(test_what_has_no_room_is_counted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
