#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "ctl/table.h"

/* 2027-02-01 14:05:09 UTC */
#define NOW      (UINT64_C(1801490709) * USEC_PER_SEC)
#define NAME_40  "0123456789012345678901234567890123456789"
#define WORDS_10 "word word word word word word word word word word"

#define MATERIAL                                                                        \
        "{\"name\":\"default\",\"state\":\"valid\",\"reason\":null,"                    \
        "\"fingerprint\":\"0123456789abcdef\","                                         \
        "\"certificate\":{\"subject\":\"CN = client\",\"not_after\":1801663509000000}," \
        "\"problems\":[],\"watch\":\"inotify\"}"

#define CLUSTER                                                                           \
        "{\"name\":\"orders\",\"state\":\"current\",\"reason\":null,"                     \
        "\"imported_fingerprint\":\"0123456789abcdef\",\"imported_at\":1801487109000000," \
        "\"in_use\":true,\"attempts\":0,\"next_attempt\":null,\"replication\":null}"

#define FAILED                                                                        \
        "{\"name\":\"users\",\"state\":\"retrying\",\"reason\":\"no route to host\"," \
        "\"imported_fingerprint\":null,\"imported_at\":null,\"in_use\":null,"         \
        "\"attempts\":3,\"next_attempt\":1801490714500000,\"replication\":null}"

#define STATUS(health, summary, materials, clusters)                                       \
        "{\"health\":\"" health "\",\"summary\":\"" summary "\",\"materials\":[" materials \
        "],\"clusters\":[" clusters "]}"

static JsonValue *parse(const char *text)
{
        JsonValue *value = NULL;

        assert_int_equal(json_parse(&value, text, strlen(text)), 0);
        return value;
}

static char *print_names(const char *text, char *const *names, int n_names, bool color)
{
        CLEANUP(json_freep) JsonValue *status = parse(text);
        char *output = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&output, &size);

        assert_non_null(stream);
        table_print(stream, status, names, n_names, color, NOW);
        assert_int_equal(fclose(stream), 0);
        return output;
}

static char *print(const char *text)
{
        return print_names(text, NULL, 0, false);
}

static void expect_in(const char *output, const char *part)
{
        if (!strstr(output, part))
                fail_msg("\"%s\" is not in:\n%s", part, output);
}

static void expect_width(const char *output)
{
        while (*output != '\0') {
                size_t length = strcspn(output, "\n");

                if (length > 100)
                        fail_msg("%zu columns: %.*s", length, (int)length, output);
                output += length + (output[length] == '\n');
        }
}

static void test_a_good_status_is_two_tables(void **state)
{
        CLEANUP(freep)
        char *output = print(STATUS("ok", "2/2 clusters current", MATERIAL, CLUSTER));

        (void)state;
        assert_string_equal(output,
                "ok: 2/2 clusters current\n"
                "\n"
                "  MATERIAL         STATE         ON DISK      \n"
                "  default          valid         0123456789ab until 2027-02-03 (2d)\n"
                "    CN = client\n"
                "\n"
                "  CLUSTER          STATE         IMPORTED     \n"
                "  orders           current       0123456789ab   imported 1h ago, in use\n");
}

static void test_a_failed_cluster_has_reason_and_next_try(void **state)
{
        CLEANUP(freep) char *output = print(STATUS("warning", "x", MATERIAL, FAILED));

        (void)state;
        expect_in(output, "  users            retrying      ");
        expect_in(output, "\n    no route to host\n    next try in 6s, 3 failed so far\n");
}

static void test_problems_stand_in_place_of_the_reason(void **state)
{
        CLEANUP(freep)
        char *output = print(STATUS("critical", "x",
                "{\"name\":\"m\",\"state\":\"invalid\",\"reason\":\"the reason\","
                "\"problems\":[{\"text\":\"one thing\"},{\"text\":\"another\"}],"
                "\"watch\":\"poll (/x: no)\"}",
                ""));
        CLEANUP(freep)
        char *without = print(STATUS("critical", "x",
                "{\"name\":\"m\",\"state\":\"missing\",\"reason\":\"the reason\","
                "\"problems\":[],\"watch\":\"inotify\"}",
                ""));

        (void)state;
        expect_in(output, "\n    one thing\n    another\n    poll (/x: no)\n");
        assert_null(strstr(output, "the reason"));
        expect_in(without, "\n    the reason\n");
        assert_null(strstr(without, "inotify"));
}

static void test_an_error_of_replication_is_told_once(void **state)
{
        static const char format[] = "{\"health\":\"critical\",\"summary\":\"x\",\"clusters\":[{"
                                     "\"name\":\"c\",\"state\":\"current\",\"reason\":\"%s\","
                                     "\"replication\":{\"io_error\":\"TLS error\"}}]}";
        char text[512];
        CLEANUP(freep) char *apart = NULL;
        CLEANUP(freep) char *inside = NULL;

        (void)state;
        snprintf(text, sizeof(text), format, "other");
        apart = print(text);
        expect_in(apart, "    other\n    TLS error\n");
        snprintf(text, sizeof(text), format, "replication: TLS error");
        inside = print(text);
        expect_in(inside, "    replication: TLS error\n");
        assert_null(strstr(strstr(inside, "TLS error") + 1, "TLS error"));
}

static void test_no_line_is_wider_than_100_columns(void **state)
{
        static const char text[] = STATUS("critical",
                "0/1 clusters current; " WORDS_10 " " WORDS_10 " " WORDS_10,
                "{\"name\":\"" NAME_40 "\",\"state\":\"not_yet_valid\","
                "\"fingerprint\":\"0123456789abcdef\",\"certificate\":{\"subject\":\"" WORDS_10
                " " WORDS_10 " " WORDS_10 "\",\"not_after\":253402300799000000},\"problems\":[],"
                "\"reason\":\"" WORDS_10 " " WORDS_10 "\",\"watch\":\"poll (" WORDS_10 " " WORDS_10
                " " WORDS_10 ")\"}",
                "{\"name\":\"" NAME_40 "\",\"state\":\"importing\",\"imported_at\":1,"
                "\"imported_fingerprint\":\"0123456789abcdef\",\"in_use\":true,\"reason\":\"" WORDS_10
                " " WORDS_10 " " WORDS_10 "\",\"attempts\":4294967295,"
                "\"next_attempt\":4000000000000000}");
        CLEANUP(freep) char *output = print(text);

        (void)state;
        expect_width(output);
        expect_in(output, "critical: 0/1 clusters current; word word");
        expect_in(output, "until 9999-12-31 (2912");
        expect_in(output, "d ago, in use\n");
}

static void test_a_sentence_is_broken_at_the_last_word_that_fits(void **state)
{
        /* Behind four blanks, 96 characters are exactly 100 columns. */
        static const char fits[] = WORDS_10 " word word word word word word word word wordss";
        CLEANUP(freep) char *one = NULL;
        CLEANUP(freep) char *two = NULL;
        char text[512];

        (void)state;
        assert_int_equal(strlen(fits), 96);
        snprintf(text, sizeof(text), "{\"materials\":[{\"reason\":\"%s\"}]}", fits);
        one = print(text);
        expect_in(one, fits);
        expect_width(one);
        snprintf(text, sizeof(text), "{\"materials\":[{\"reason\":\"%ss\"}]}", fits);
        two = print(text);
        expect_in(two, "word word\n    wordsss\n");
}

static void test_only_the_clusters_asked_for_are_shown(void **state)
{
        static const char text[] = STATUS("ok", "x", MATERIAL, CLUSTER "," FAILED);
        char *names[] = {(char *)"users", (char *)"nobody"};
        CLEANUP(freep) char *all = print(text);
        CLEANUP(freep) char *one = print_names(text, names, 2, false);

        (void)state;
        expect_in(all, "  orders ");
        expect_in(all, "  users ");
        expect_in(one, "  users ");
        assert_null(strstr(one, "  orders "));
        expect_in(one, "  default ");
}

static void test_color_is_there_when_it_is_wanted_and_changes_no_width(void **state)
{
        CLEANUP(freep)
        char *output = print_names(STATUS("critical", "x", MATERIAL, FAILED), NULL, 0, true);
        CLEANUP(freep) char *plain = print(STATUS("critical", "x", MATERIAL, FAILED));

        (void)state;
        expect_in(output, "\033[31mcritical\033[0m: x\n");
        expect_in(output, "\033[32mvalid         \033[0m0123456789ab");
        expect_in(output, "\033[33mretrying      \033[0m");
        assert_null(strchr(plain, '\033'));
}

static void test_a_status_of_wrong_types_is_printed_without_harm(void **state)
{
        static const char *const cases[] = {"{}", "[]", "7", "{\"materials\":7,\"clusters\":{}}",
                "{\"materials\":[7,null,[]],\"clusters\":[\"x\",{}]}",
                "{\"clusters\":[{\"name\":7,\"state\":[],\"imported_at\":-1}]}"};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(freep) char *output = print(cases[i]);

                expect_in(output, "CLUSTER");
                expect_width(output);
        }
}

static void test_a_cluster_is_found_by_its_name(void **state)
{
        CLEANUP(json_freep) JsonValue *status = parse(STATUS("ok", "x", MATERIAL, CLUSTER));

        (void)state;
        assert_true(table_has_cluster(status, "orders"));
        assert_false(table_has_cluster(status, "order"));
        assert_false(table_has_cluster(status, "default"));
        assert_false(table_has_cluster(NULL, "orders"));
}

static void test_the_exit_code_is_that_of_monitoring_plugins(void **state)
{
        static const struct {
                const char *text;
                int code;
        } cases[] = {{"{\"health\":\"ok\"}", 0}, {"{\"health\":\"warning\"}", 1},
                {"{\"health\":\"critical\"}", 2}, {"{\"health\":\"splendid\"}", 2}, {"{}", 2}};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(json_freep) JsonValue *status = parse(cases[i].text);

                assert_int_equal(table_exit_code(status), cases[i].code);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_good_status_is_two_tables),
                cmocka_unit_test(test_a_failed_cluster_has_reason_and_next_try),
                cmocka_unit_test(test_problems_stand_in_place_of_the_reason),
                cmocka_unit_test(test_an_error_of_replication_is_told_once),
                cmocka_unit_test(test_no_line_is_wider_than_100_columns),
                cmocka_unit_test(test_a_sentence_is_broken_at_the_last_word_that_fits),
                cmocka_unit_test(test_only_the_clusters_asked_for_are_shown),
                cmocka_unit_test(test_color_is_there_when_it_is_wanted_and_changes_no_width),
                cmocka_unit_test(test_a_status_of_wrong_types_is_printed_without_harm),
                cmocka_unit_test(test_a_cluster_is_found_by_its_name),
                cmocka_unit_test(test_the_exit_code_is_that_of_monitoring_plugins),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
