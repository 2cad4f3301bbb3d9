#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "common/text.h"

static bool out_of_memory;

int vasprintf(char **ret, const char *format, va_list arguments)
{
        int n;

        if (out_of_memory)
                return -1;
        *ret = malloc(65536);
        assert_non_null(*ret);
        n = vsnprintf(*ret, 65536, format, arguments);
        assert_in_range(n, 0, 65535);
        return n;
}

static void expect_copy_of_bytes(const char *source, size_t size, const char *expected)
{
        char buffer[64];

        text_copy(buffer, sizeof(buffer), source, size);
        assert_string_equal(buffer, expected);
        assert_int_equal(text_is_displayable(source, size),
                strlen(expected) == size && memcmp(source, expected, size) == 0);
}

static void expect_copy(const char *source, const char *expected)
{
        expect_copy_of_bytes(source, strlen(source), expected);
}

static void test_displayable_text_is_copied_unchanged(void **state)
{
        /* Plain, and the first and last character of each length and around the surrogates. */
        static const char *const cases[] = {"", "a \"quoted\" line~", "\xc2\xa0", "\xdf\xbf",
                "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
                "\xf4\x8f\xbf\xbf"};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                expect_copy(cases[i], cases[i]);
}

static void test_control_characters_become_a_space(void **state)
{
        static const char *const cases[] = {"\x01", "\t", "\n", "\r", "\x1b", "\x1f", "\x7f",
                "\xc2\x80", "\xc2\x85", "\xc2\x9f", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa",
                "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9", "\xd8\x9c", "\xe2\x80\x8e",
                "\xe2\x80\x8f"};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                expect_copy(cases[i], " ");
        expect_copy_of_bytes("a\0b", 3, "a b");
        expect_copy("a\x1b[31mb", "a [31mb");
}

static void test_bytes_that_are_not_utf8_become_question_marks(void **state)
{
        static const struct {
                const char *source, *expected;
        } cases[] = {
                {"a\x80z", "a?z"},                     /* a continuation alone */
                {"a\xffz", "a?z"},                     /* never a byte of UTF-8 */
                {"a\xf8\x88\x80\x80\x80z", "a?????z"}, /* the obsolete form of five bytes */
                {"\xc0\xaf", "??"},                    /* overlong */
                {"\xc1\xbf", "??"}, {"\xe0\x9f\xbf", "???"}, {"\xf0\x8f\xbf\xbf", "????"},
                {"\xed\xa0\x80", "???"}, /* the first and the last surrogate */
                {"\xed\xbf\xbf", "???"}, {"\xf4\x90\x80\x80", "????"}, /* above U+10FFFF */
                {"\xc3(", "?("}, /* started and not continued */
                {"\xe2\x82z", "??z"},
                {"\xe2\xc3\xa9", "?\xc3\xa9"}, /* the valid one after it is kept */
                {"a\xf0\x9f\x98", "a???"},     /* cut off at the end */
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                expect_copy(cases[i].source, cases[i].expected);
}

static void test_a_sequence_is_not_read_beyond_the_size(void **state)
{
        expect_copy_of_bytes("a\xc3\xa9", 2, "a?");
        expect_copy_of_bytes("abc", 0, "");
}

static void test_every_size_cuts_between_two_characters(void **state)
{
        /* One, two, three and four bytes, then one. */
        static const char source[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
        static const size_t borders[] = {0, 1, 3, 6, 10, 11};

        for (size_t size = 0; size <= sizeof(source) + 1; size++) {
                char buffer[sizeof(source) + 4];
                size_t expected = 0;

                memset(buffer, '#', sizeof(buffer));
                for (size_t i = 0; i < ARRAY_SIZE(borders); i++)
                        if (borders[i] < size)
                                expected = borders[i];
                text_copy(buffer, size, source, strlen(source));
                if (size > 0) {
                        assert_int_equal(strlen(buffer), expected);
                        assert_memory_equal(buffer, source, expected);
                }
                for (size_t i = size; i < sizeof(buffer); i++)
                        assert_int_equal(buffer[i], '#');
        }
}

static void test_replaced_characters_fill_the_buffer_to_its_last_byte(void **state)
{
        char buffer[4];

        text_copy(buffer, sizeof(buffer), "\xff\n\xe2\x80\xa8zz", 7);
        assert_string_equal(buffer, "?  ");
}

static void test_setting_copies_a_string_and_null_gives_an_empty_one(void **state)
{
        char buffer[8] = "before";

        text_set(buffer, sizeof(buffer), "one\ntwo three");
        assert_string_equal(buffer, "one two");
        text_set(buffer, sizeof(buffer), NULL);
        assert_string_equal(buffer, "");
}

static void test_formatting_cleans_its_arguments(void **state)
{
        char buffer[16];

        text_format(buffer, sizeof(buffer), "%d: %s\n", 5, "a\xff\x1b");
        assert_string_equal(buffer, "5: a?  ");
        text_format(buffer, sizeof(buffer), "%s", "0123456789abcd\xc3\xa9");
        assert_string_equal(buffer, "0123456789abcd");
        text_format(buffer, sizeof(buffer), "%s", "0123456789abc\xc3\xa9");
        assert_string_equal(buffer, "0123456789abc\xc3\xa9");
        text_format(buffer, 0, "%s", "nothing is written");
        assert_string_equal(buffer, "0123456789abc\xc3\xa9");
}

static void test_utf8_is_distinguished_from_other_bytes(void **state)
{
        static const char *const others[] = {"\x80", "a\xff", "\xc0\xaf", "\xe0\x9f\xbf",
                "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "z\xe2\x82"};

        assert_true(text_is_utf8("", 0));
        assert_true(text_is_utf8("a\n\0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 12));
        assert_false(text_is_utf8("\xc3\xa9", 1));
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                assert_false(text_is_utf8(others[i], strlen(others[i])));
}

static void test_a_text_is_found_in_a_list(void **state)
{
        static const char *const list[] = {"off", "on", NULL};

        assert_int_equal(text_index(list, "off"), 0);
        assert_int_equal(text_index(list, "on"), 1);
        assert_int_equal(text_index(list, "o"), -1);
        assert_int_equal(text_index(list + 2, "off"), -1);
}

static void test_null_equals_only_null(void **state)
{
        char other[] = "a";

        assert_true(text_equal("a", other));
        assert_false(text_equal("a", "b"));
        assert_false(text_equal("a", "ab"));
        assert_true(text_equal(NULL, NULL));
        assert_false(text_equal(NULL, ""));
        assert_false(text_equal("", NULL));
}

static void test_bytes_are_written_in_hexadecimal(void **state)
{
        static const unsigned char bytes[] = {0x00, 0x0a, 0xff};
        char buffer[] = "unchanged";

        text_hex(buffer, bytes, sizeof(bytes));
        assert_string_equal(buffer, "000aff");
        text_hex(buffer, bytes, 0);
        assert_string_equal(buffer, "");
}

static void test_a_word_of_the_shell_is_quoted_where_necessary(void **state)
{
        static const struct {
                const char *text, *word;
        } cases[] = {{"/etc/a-b_c.pem", "/etc/a-b_c.pem"}, {"", "''"}, {"a b", "'a b'"},
                {"it's", "'it'\\''s'"}, {"$(x)", "'$(x)'"}};
        char buffer[32];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                assert_true(text_quote(buffer, sizeof(buffer), cases[i].text));
                assert_string_equal(buffer, cases[i].word);
        }
        assert_true(text_quote(buffer, 5, "/etc"));
        assert_false(text_quote(buffer, 5, "/etc/"));
        assert_false(text_quote(buffer, 8, "a b c d e"));
        assert_true(strlen(buffer) < 8);
}

static void test_a_kept_text_is_a_copy_and_nothing_for_an_empty_one(void **state)
{
        char source[] = "no route", *text = NULL;

        assert_string_equal(text_kept(text), "");
        text_keep(&text, source);
        source[0] = 'g';
        assert_string_equal(text_kept(text), "no route");
        text_keep(&text, source);
        assert_string_equal(text, "go route");
        text_keep(&text, "");
        assert_null(text);
        text_keep(&text, NULL);
        assert_null(text);
}

static void test_a_text_needs_no_memory_unless_it_is_long(void **state)
{
        static char source[10001], buffer[10001];

        memset(source, 'x', sizeof(source) - 1);
        text_format(buffer, sizeof(buffer), "%s", source);
        assert_string_equal(buffer, source);
        out_of_memory = true;
        text_format(buffer, sizeof(buffer), "%s", source);
        assert_int_equal(strlen(buffer), TEXT_FORMAT_MIN);
        text_format(buffer, sizeof(buffer), "it failed: %s", "why");
        out_of_memory = false;
        assert_string_equal(buffer, "it failed: why");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_kept_text_is_a_copy_and_nothing_for_an_empty_one),
                cmocka_unit_test(test_a_text_needs_no_memory_unless_it_is_long),
                cmocka_unit_test(test_displayable_text_is_copied_unchanged),
                cmocka_unit_test(test_control_characters_become_a_space),
                cmocka_unit_test(test_bytes_that_are_not_utf8_become_question_marks),
                cmocka_unit_test(test_a_sequence_is_not_read_beyond_the_size),
                cmocka_unit_test(test_every_size_cuts_between_two_characters),
                cmocka_unit_test(test_replaced_characters_fill_the_buffer_to_its_last_byte),
                cmocka_unit_test(test_setting_copies_a_string_and_null_gives_an_empty_one),
                cmocka_unit_test(test_formatting_cleans_its_arguments),
                cmocka_unit_test(test_utf8_is_distinguished_from_other_bytes),
                cmocka_unit_test(test_a_text_is_found_in_a_list),
                cmocka_unit_test(test_null_equals_only_null),
                cmocka_unit_test(test_a_word_of_the_shell_is_quoted_where_necessary),
                cmocka_unit_test(test_bytes_are_written_in_hexadecimal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
