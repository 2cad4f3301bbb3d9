#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/macro.h"
#include "daemon/config/password-command.h"

#define ODD "a \"b\" 'c' $(d) %h ; \\"

static const LoginConfig login = {.host = "db.example", .port = 3307, .user = ODD};

/* `expected`: the words, separated by '|'. */
static void expect(const char *text, int n, const char *expected)
{
        CLEANUP(freep) char **words = NULL;
        char joined[256] = "";

        assert_int_equal(password_command_parse(&words, text, &login), n);
        if (n < 0) {
                assert_null(words);
                return;
        }
        assert_null(words[n]);
        for (int i = 0; i < n; i++) {
                strcat(joined, i > 0 ? "|" : "");
                strcat(joined, words[i]);
        }
        assert_string_equal(joined, expected);
}

static void test_spaces_only_separate_words(void **state)
{
        expect("", 0, "");
        expect("  ", 0, "");
        expect("/bin/token", 1, "/bin/token");
        expect("  /bin/token   -v  x ", 3, "/bin/token|-v|x");
        expect("a b c d e f", 6, "a|b|c|d|e|f");
}

static void test_quotes_keep_a_word_together(void **state)
{
        expect("\"/opt/my tool/token\" x", 2, "/opt/my tool/token|x");
        expect("/t --name=\"a  b\"c d", 3, "/t|--name=a  bc|d");
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

static void test_a_specifier_is_replaced_in_its_word(void **state)
{
        expect("/t %h -h=%h \"a %p b\" %h%h", 5,
                "/t|db.example|-h=db.example|a 3307 b|db.exampledb.example");
        expect("%h", 1, "db.example");
        expect("/t %% 100%%h \"%%\"", 4, "/t|%|100%h|%");
}

static void test_nothing_is_special_in_the_text_of_a_specifier(void **state)
{
        expect("/t %u z", 3, "/t|" ODD "|z");
        expect("/t \"%u\" x%u\" z\"", 3, "/t|" ODD "|x" ODD " z");
}

static void test_another_percent_sign_is_refused(void **state)
{
        static const char *const texts[] = {
                "/t %x", "/t %H", "/t %", "/t %%%", "/t \"%\" x", "/t % h", "/t %\"h\""};

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                expect(texts[i], -EINVAL, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_spaces_only_separate_words),
                cmocka_unit_test(test_quotes_keep_a_word_together),
                cmocka_unit_test(test_special_characters_of_a_shell_are_not_special),
                cmocka_unit_test(test_an_unpaired_quote_is_refused),
                cmocka_unit_test(test_a_specifier_is_replaced_in_its_word),
                cmocka_unit_test(test_nothing_is_special_in_the_text_of_a_specifier),
                cmocka_unit_test(test_another_percent_sign_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
