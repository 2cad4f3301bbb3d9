#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/config/settings.h"
#include "tests/unit/scratch.h"

#define FILE_NAME  "ssld.conf"
#define DROP_IN(n) FILE_NAME ".d/" n ".conf"

static Settings *load_file(const char *name)
{
        ConfigProblem problem = {0};
        Settings *settings = NULL;
        int r = settings_load(&settings, scratch_path(name), &problem);

        if (r < 0)
                fail_msg("%s:%u: %s", problem.file, problem.line, problem.text);
        return settings;
}

static Settings *load(const char *text)
{
        scratch_write_text(FILE_NAME, text);
        return load_file(FILE_NAME);
}

static void expect_setting(
        const Settings *settings, const char *section, const char *key, const char *expected)
{
        const Setting *setting = section_find(settings_find(settings, section), key);

        if (!setting)
                fail_msg("no %s in [%s]", key, section);
        assert_string_equal(setting->value, expected);
}

/* Loads FILE_NAME and expects a problem in the file `name`. */
static void expect_problem_in(const char *name, unsigned line, const char *part)
{
        ConfigProblem problem = {0};
        Settings *settings = NULL;

        if (settings_load(&settings, scratch_path(FILE_NAME), &problem) != -EINVAL) {
                settings_free(settings);
                fail_msg("accepted; expected: %s", part);
        }
        assert_null(settings);
        assert_string_equal(problem.file, scratch_path(name));
        assert_int_equal(problem.line, line);
        if (!strstr(problem.text, part))
                fail_msg("\"%s\" is not in \"%s\"", part, problem.text);
}

static void expect_problem_of_bytes(const char *text, size_t size, unsigned line, const char *part)
{
        scratch_write(FILE_NAME, text, size);
        expect_problem_in(FILE_NAME, line, part);
}

static void expect_problem(const char *text, unsigned line, const char *part)
{
        expect_problem_of_bytes(text, strlen(text), line, part);
}

static void test_settings_keep_their_order_and_their_place(void **state)
{
        CLEANUP(settings_freep)
        Settings *settings = load("; a comment\n"
                                  "[daemon]\n"
                                  "retry-min = 1s\n"
                                  "\n"
                                  "[cluster orders]\n"
                                  "# another\n"
                                  "host=h ; the writer\n"
                                  "empty =\n");
        const Section *daemon = settings->sections[0], *orders = settings->sections[1];
        const Setting *setting = &orders->settings[0];

        assert_int_equal(settings->n_sections, 2);
        assert_string_equal(daemon->name, "daemon");
        assert_int_equal(daemon->line, 2);
        assert_int_equal(daemon->n_settings, 1);
        assert_string_equal(orders->name, "cluster orders");
        assert_int_equal(orders->line, 5);
        assert_int_equal(orders->n_settings, 2);
        assert_string_equal(setting->key, "host");
        assert_string_equal(setting->value, "h");
        assert_string_equal(setting->file, scratch_path(FILE_NAME));
        assert_int_equal(setting->line, 7);
        expect_setting(settings, "cluster orders", "empty", "");
        assert_null(section_find(daemon, "host"));
        assert_null(settings_find(settings, "cluster users"));
        assert_null(section_find(NULL, "host"));
}

static void test_blanks_in_a_section_name_do_not_make_another_section(void **state)
{
        CLEANUP(settings_freep) Settings *settings = load("[ cluster \t orders ]\nhost = h\n");

        assert_string_equal(settings->sections[0]->name, "cluster orders");
        expect_setting(settings, "cluster orders", "host", "h");
        expect_problem("[cluster orders]\n[cluster   orders]\n", 2, "occurs twice");
}

static void test_an_empty_file_and_an_empty_section_are_read(void **state)
{
        CLEANUP(settings_freep) Settings *empty = load("");
        CLEANUP(settings_freep) Settings *section = load("[daemon]\n");

        assert_int_equal(empty->n_sections, 0);
        assert_int_equal(section->n_sections, 1);
        assert_int_equal(section->sections[0]->n_settings, 0);
}

static void test_a_byte_order_mark_and_crlf_are_not_part_of_the_text(void **state)
{
        CLEANUP(settings_freep)
        Settings *settings = load("\xef\xbb\xbf[daemon]\r\nretry-min = 1s\r\nlast = line");

        assert_int_equal(settings->n_sections, 1);
        expect_setting(settings, "daemon", "retry-min", "1s");
        expect_setting(settings, "daemon", "last", "line");
}

static void test_a_later_file_wins_key_by_key_in_name_order(void **state)
{
        CLEANUP(settings_freep) Settings *settings = NULL;
        const Setting *setting;

        scratch_make_directory(FILE_NAME ".d");
        scratch_write_text(DROP_IN("20"), "[a]\nkey = 20\nown = 20\n[b]\nnew = 20\n");
        scratch_write_text(DROP_IN("10"), "[a]\nkey = 10\nten = 10\n");
        scratch_write_text(FILE_NAME ".d/30.conf.off", "no configuration at all\n");
        scratch_write_text(FILE_NAME ".d/.40.conf", "nor this\n");
        settings = load("[a]\nkey = main\nmain = main\n");
        expect_setting(settings, "a", "key", "20");
        expect_setting(settings, "a", "own", "20");
        expect_setting(settings, "a", "ten", "10");
        expect_setting(settings, "a", "main", "main");
        expect_setting(settings, "b", "new", "20");
        setting = section_find(settings_find(settings, "a"), "key");
        assert_string_equal(setting->file, scratch_path(DROP_IN("20")));
        assert_int_equal(setting->line, 2);
        assert_int_equal(settings->n_sections, 2);
        assert_string_equal(settings->sections[0]->file, scratch_path(FILE_NAME));
}

static void test_drop_ins_are_found_for_any_path(void **state)
{
        CLEANUP(settings_freep) Settings *settings = NULL;

        scratch_make_directory("[*]?");
        scratch_make_directory("[*]?/a.conf.d");
        scratch_write_text("[*]?/a.conf", "[a]\nkey = main\n");
        scratch_write_text("[*]?/a.conf.d/1.conf", "[a]\nkey = drop-in\n");
        settings = load_file("[*]?/a.conf");
        expect_setting(settings, "a", "key", "drop-in");
}

static void test_a_file_that_cannot_be_read_is_named(void **state)
{
        expect_problem_in(FILE_NAME, 0, "cannot be read: No such file");
        scratch_write_text(FILE_NAME, "[a]\n");
        scratch_write_text(FILE_NAME ".d", "no directory");
        expect_problem_in(FILE_NAME ".d", 0, "cannot be read: Not a directory");
        assert_int_equal(unlink(scratch_path(FILE_NAME ".d")), 0);
        scratch_make_directory(FILE_NAME ".d");
        scratch_link("missing", DROP_IN("1"));
        expect_problem_in(DROP_IN("1"), 0, "cannot be read: No such file");
        assert_int_equal(unlink(scratch_path(DROP_IN("1"))), 0);
        scratch_make_directory(DROP_IN("1"));
        expect_problem_in(DROP_IN("1"), 0, "cannot be read: Is a directory");
}

static void test_a_file_larger_than_the_limit_is_refused(void **state)
{
        scratch_write_text(FILE_NAME, "[a]\n");
        assert_int_equal(truncate(scratch_path(FILE_NAME), SETTINGS_FILE_LIMIT + 1), 0);
        expect_problem_in(FILE_NAME, 0, "File too large");
}

static void test_an_error_in_a_drop_in_is_reported_with_its_line(void **state)
{
        scratch_make_directory(FILE_NAME ".d");
        scratch_write_text(FILE_NAME, "[a]\nkey = 1\n");
        scratch_write_text(DROP_IN("1"), "[a]\n\njust words\n");
        expect_problem_in(DROP_IN("1"), 3, "neither a [section]");
}

static void test_nothing_is_ignored(void **state)
{
        static const struct {
                const char *text;
                unsigned line;
                const char *part;
        } cases[] = {
                {"[a]\nkey = 1\nkey = 2\n", 3, "occurs twice in [a], first in line 2"},
                {"[a]\nkey = 1\n[a]\nother = 1\n", 3, "[a] occurs twice in this file"},
                {"key = 1\n", 1, "before the first section"},
                {"[a]\nwords\n", 2, "neither"},
                {"[a]\nkey: 1\n", 2, "neither"},
                {"[a]\n= 1\n", 2, "neither"},
                {"[a]\nkey ; = 1\n", 2, "neither"},
                {"[a\nkey = 1\n", 1, "neither"},
                {"[a] key = 1\n", 1, "follow the section"},
                {"[a]x\n", 1, "follow the section"},
                {"[a\x01]\nkey = 1\n", 1, "control character"},
                {"[a]\nkey = \x1b[31m\n", 2, "control character"},
                {"[a]\nk\xffy = 1\n", 2, "UTF-8"},
                {"[\xc0\xaf]\n", 1, "UTF-8"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                expect_problem(cases[i].text, cases[i].line, cases[i].part);
        expect_problem_of_bytes("[a]\nk\0y = 1\n", 12, 2, "NUL byte");
}

static void test_a_comment_may_follow_a_section(void **state)
{
        CLEANUP(settings_freep) Settings *settings = load("[a] ; why\nkey = 1\n[b]  \n");

        expect_setting(settings, "a", "key", "1");
        assert_int_equal(settings->n_sections, 2);
}

static void test_an_indented_line_continues_the_value(void **state)
{
        CLEANUP(settings_freep)
        Settings *settings = load("[a]\n"
                                  "command = /bin/token  ; which\n"
                                  " --region\teu-west-1 ; where\r\n"
                                  "\t  --host=%h\n"
                                  "below =\n"
                                  " A=1 \"b = 2\" -c = 3\n"
                                  "after = 4\n"
                                  "[b]\n"
                                  "last = 5\n"
                                  " \"[6]\"");

        expect_setting(settings, "a", "command", "/bin/token --region eu-west-1 --host=%h");
        expect_setting(settings, "a", "below", "A=1 \"b = 2\" -c = 3");
        expect_setting(settings, "a", "after", "4");
        expect_setting(settings, "b", "last", "5 \"[6]\"");
        assert_int_equal(section_find(settings_find(settings, "a"), "after")->line, 7);
}

static void test_a_comment_does_not_end_a_value_and_an_empty_line_does(void **state)
{
        CLEANUP(settings_freep)
        Settings *settings = load("[a]\nkey = 1\n; a\n 2\n # b\n\t;c\n 3\n");

        expect_setting(settings, "a", "key", "1 2 3");
        expect_problem("[a]\nkey = 1\n\n 2\n", 4, "there is no key before it");
        expect_problem("[a]\nkey = 1\n \t\n 2\n", 4, "there is no key before it");
}

static void test_a_continuation_needs_a_key_before_it(void **state)
{
        expect_problem(" 1\n", 1, "there is no key before it");
        expect_problem("[a]\n key = 1\n", 2, "there is no key before it");
        expect_problem("[a]\nkey = 1\n[b]\n 2\n", 4, "there is no key before it");
}

/* They would become a part of the value before them. */
static void test_an_indented_key_or_section_is_refused(void **state)
{
        static const char *const lines[] = {
                "other = 2", "other=2", "two-words  = 2", "[b]", "[cluster b] ; c"};

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                char text[64];

                snprintf(text, sizeof(text), "[a]\nkey = 1\n  %s\n", lines[i]);
                expect_problem(text, 3,
                        "continues the value of key; a section or key begins in the first column");
        }
}

static void test_a_value_of_the_limit_is_read_and_a_longer_one_is_refused(void **state)
{
        CLEANUP(settings_freep) Settings *settings = NULL;
        char text[3 * CONFIG_VALUE_MAX], value[CONFIG_VALUE_MAX];

        memset(value, 'x', sizeof(value) - 1);
        value[CONFIG_VALUE_MAX - 1] = '\0';
        snprintf(text, sizeof(text), "[a]\nkey = %s ; and why: %s\n", value, value);
        settings = load(text);
        expect_setting(settings, "a", "key", value);
        snprintf(text, sizeof(text), "[a]\nkey = 1%s\n", value);
        expect_problem(text, 2, "the value of key is longer than");
        value[CONFIG_VALUE_MAX - 2] = '\0';
        snprintf(text, sizeof(text), "[a]\nkey =\n %s\n x\n", value);
        expect_problem(text, 4, "the value of key is longer than");
}

static void test_a_section_has_a_limit_of_keys(void **state)
{
        char text[16 * SETTINGS_KEYS_MAX] = "[a]\n";
        size_t used = strlen(text);

        for (unsigned i = 0; i < SETTINGS_KEYS_MAX; i++)
                used += (size_t)sprintf(text + used, "k%u = 1\n", i);
        settings_free(load(text));
        strcpy(text + used, "k = 1\n");
        expect_problem(text, SETTINGS_KEYS_MAX + 2, "[a] has more than 64 keys");
}

static void test_a_later_file_replaces_the_whole_value(void **state)
{
        CLEANUP(settings_freep) Settings *settings = NULL;

        scratch_make_directory(FILE_NAME ".d");
        scratch_write_text(DROP_IN("1"), "[a]\nkey = 3\n 4\n");
        settings = load("[a]\nkey = 1\n 2\n");
        expect_setting(settings, "a", "key", "3 4");
        scratch_write_text(DROP_IN("1"), " 4\n");
        expect_problem_in(DROP_IN("1"), 1, "there is no key before it");
}

static void test_the_first_of_two_errors_is_reported(void **state)
{
        expect_problem("[a]\nwords\nkey = 1\nkey = 2\n", 2, "neither");
        expect_problem("[a]\nkey = 1\nkey = 2\nwords\n", 3, "occurs twice");
        expect_problem("[a]\n[a]\nwords\n", 2, "occurs twice");
        expect_problem("words\n[a]\n[a]\n", 1, "neither");
}

static void test_a_shortage_of_descriptors_is_no_problem_of_the_file(void **state)
{
        ConfigProblem problem = {0};
        Settings *settings = NULL;
        struct rlimit limit, none = {0};
        int r;

        scratch_write_text(FILE_NAME, "[a]\nb = c\n");
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        none.rlim_max = limit.rlim_max;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        r = settings_load(&settings, scratch_path(FILE_NAME), &problem);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(r, -EMFILE);
        assert_null(settings);
}

static void test_freeing_nothing_is_allowed(void **state)
{
        assert_null(settings_free(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_settings_keep_their_order_and_their_place),
                scratch_test(test_blanks_in_a_section_name_do_not_make_another_section),
                scratch_test(test_an_empty_file_and_an_empty_section_are_read),
                scratch_test(test_a_byte_order_mark_and_crlf_are_not_part_of_the_text),
                scratch_test(test_a_later_file_wins_key_by_key_in_name_order),
                scratch_test(test_drop_ins_are_found_for_any_path),
                scratch_test(test_a_file_that_cannot_be_read_is_named),
                scratch_test(test_a_file_larger_than_the_limit_is_refused),
                scratch_test(test_an_error_in_a_drop_in_is_reported_with_its_line),
                scratch_test(test_nothing_is_ignored),
                scratch_test(test_a_comment_may_follow_a_section),
                scratch_test(test_an_indented_line_continues_the_value),
                scratch_test(test_a_comment_does_not_end_a_value_and_an_empty_line_does),
                scratch_test(test_a_continuation_needs_a_key_before_it),
                scratch_test(test_an_indented_key_or_section_is_refused),
                scratch_test(test_a_value_of_the_limit_is_read_and_a_longer_one_is_refused),
                scratch_test(test_a_section_has_a_limit_of_keys),
                scratch_test(test_a_later_file_replaces_the_whole_value),
                scratch_test(test_the_first_of_two_errors_is_reported),
                scratch_test(test_a_shortage_of_descriptors_is_no_problem_of_the_file),
                cmocka_unit_test(test_freeing_nothing_is_allowed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
