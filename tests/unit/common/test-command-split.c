#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/command.h"
#include "common/macro.h"

#define MAX 6

/* `expected`: the words, separated by '|'. */
static void expect(const char *line, int n, const char *expected)
{
        char copy[64], joined[128] = "";
        char *words[MAX + 1];

        assert_true(strlen(line) < sizeof(copy));
        strcpy(copy, line);
        assert_int_equal(command_split(words, MAX, copy), n);
        if (n < 0)
                return;
        assert_null(words[n]);
        for (int i = 0; i < n; i++) {
                strcat(joined, i > 0 ? "|" : "");
                strcat(joined, words[i]);
        }
        assert_string_equal(joined, expected);
}

static void test_blanks_only_separate_words(void **state)
{
        expect("", 0, "");
        expect(" \t ", 0, "");
        expect("/bin/token", 1, "/bin/token");
        expect("  /bin/token \t -v  x ", 3, "/bin/token|-v|x");
        expect("a b c d e f", 6, "a|b|c|d|e|f");
}

static void test_quotes_keep_a_word_together(void **state)
{
        expect("\"/opt/my tool/token\" x", 2, "/opt/my tool/token|x");
        expect("/t --name=\"a \tb\"c d", 3, "/t|--name=a \tbc|d");
        expect("/t \"\" x", 3, "/t||x");
        expect("\"\"", 1, "");
        expect("/t \"a\"\" b\"", 2, "/t|a b");
}

static void test_special_characters_of_a_shell_are_not_special(void **state)
{
        expect("/t $HOME `id` 'a b'", 5, "/t|$HOME|`id`|'a|b'");
        expect("/t a\\ b|c>&2;#*", 3, "/t|a\\|b|c>&2;#*");
        expect("/t \"$(x) \\n\"", 2, "/t|$(x) \\n");
}

static void test_an_unpaired_quote_is_refused(void **state)
{
        expect("/t \"a b", -EINVAL, "");
        expect("\"", -EINVAL, "");
        expect("/t a\"b c\"d\"", -EINVAL, "");
        expect("/t \\\"a b", -EINVAL, "");
}

static void test_too_many_words_are_refused(void **state)
{
        expect("a b c d e f g", -E2BIG, "");
        expect("a b c d e f \"\"", -E2BIG, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_blanks_only_separate_words),
                cmocka_unit_test(test_quotes_keep_a_word_together),
                cmocka_unit_test(test_special_characters_of_a_shell_are_not_special),
                cmocka_unit_test(test_an_unpaired_quote_is_refused),
                cmocka_unit_test(test_too_many_words_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
