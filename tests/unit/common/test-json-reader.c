#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json-reader.h"
#include "common/macro.h"

/* Returns the result of json_parse() and frees the tree. */
static int verdict_of_bytes(const char *text, size_t size)
{
        CLEANUP(json_freep) JsonValue *value = NULL;
        int r = json_parse(&value, text, size);

        assert_true(r == 0 ? value != NULL : value == NULL);
        return r;
}

static int verdict(const char *text)
{
        return verdict_of_bytes(text, strlen(text));
}

static JsonValue *parse(const char *text)
{
        JsonValue *value = NULL;

        assert_int_equal(json_parse(&value, text, strlen(text)), 0);
        return value;
}

static void expect_refused(const char *const *cases, size_t n_cases)
{
        for (size_t i = 0; i < n_cases; i++)
                if (verdict(cases[i]) != -EBADMSG)
                        fail_msg("was not refused: %s", cases[i]);
}

static void test_every_type_is_read(void **state)
{
        CLEANUP(json_freep)
        JsonValue *value = parse(
                " {\"s\":\"a\\\"\\u00e9\",\"i\":-7,\"t\":true,\"f\":false,\"n\":null,\"a\":[1,2],"
                "\"o\":{}}\n");
        int64_t integer = 0;
        bool boolean = true;

        assert_true(json_is_object(value));
        assert_int_equal(json_size(value), 7);
        assert_string_equal(json_key_at(value, 5), "a");
        assert_string_equal(json_get_string(json_member(value, "s")), "a\"\xc3\xa9");
        assert_true(json_get_integer(&integer, json_member(value, "i")));
        assert_int_equal(integer, -7);
        assert_true(json_get_boolean(&boolean, json_member(value, "f")));
        assert_false(boolean);
        assert_true(json_get_boolean(&boolean, json_member(value, "t")));
        assert_true(boolean);
        assert_true(json_is_null(json_member(value, "n")));
        assert_true(json_is_array(json_member(value, "a")));
        assert_int_equal(json_size(json_member(value, "a")), 2);
        assert_true(json_get_integer(&integer, json_element(json_member(value, "a"), 1)));
        assert_int_equal(integer, 2);
}

static void test_every_reader_rejects_null_and_other_types(void **state)
{
        CLEANUP(json_freep) JsonValue *array = parse("[\"s\"]");
        CLEANUP(json_freep) JsonValue *object = parse("{\"k\":1}");
        const JsonValue *string = json_element(array, 0), *number = json_member(object, "k");
        int64_t integer = 5;
        bool boolean = true;

        assert_false(json_is_object(NULL) || json_is_object(array) || json_is_object(string));
        assert_false(json_is_array(NULL) || json_is_array(object) || json_is_array(string));
        assert_false(json_is_null(NULL) || json_is_null(array));
        assert_null(json_get_string(NULL));
        assert_null(json_get_string(number));
        assert_false(json_get_integer(&integer, NULL) || json_get_integer(&integer, string));
        assert_false(json_get_boolean(&boolean, NULL) || json_get_boolean(&boolean, number));
        assert_int_equal(integer, 5);
        assert_true(boolean);
        assert_null(json_member(NULL, "k"));
        assert_null(json_member(array, "k"));
        assert_null(json_member(object, "other"));
        assert_int_equal(json_size(NULL), 0);
        assert_int_equal(json_size(string), 0);
        assert_null(json_element(NULL, 0));
        assert_null(json_element(object, 0));
        assert_null(json_element(array, 1));
        assert_null(json_key_at(NULL, 0));
        assert_null(json_key_at(array, 0));
        assert_null(json_key_at(object, 1));
        assert_null(json_free(NULL));
}

static void test_only_whole_numbers_of_64_bits_are_integers(void **state)
{
        static const char *const others[] = {"[1.5]", "[1.0]", "[1e2]"};
        static const char *const refused[] = {"[9223372036854775808]", "[-9223372036854775809]",
                "[1e400]", "[-1e400]", "[99999999999999999999999999]"};
        CLEANUP(json_freep)
        JsonValue *value = parse("[9223372036854775807,-9223372036854775808,0,-0]");
        int64_t integer = 5;

        assert_true(json_get_integer(&integer, json_element(value, 0)));
        assert_true(integer == INT64_MAX);
        assert_true(json_get_integer(&integer, json_element(value, 1)));
        assert_true(integer == INT64_MIN);
        assert_true(json_get_integer(&integer, json_element(value, 2)));
        assert_int_equal(integer, 0);
        assert_true(json_get_integer(&integer, json_element(value, 3)));
        integer = 5;
        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                CLEANUP(json_freep) JsonValue *other = parse(others[i]);

                if (json_get_integer(&integer, json_element(other, 0)))
                        fail_msg("%s was taken for an integer", others[i]);
                assert_int_equal(integer, 5);
        }
        expect_refused(refused, ARRAY_SIZE(refused));
}

/* `depth` nested brackets, alternately of both kinds. */
static void nest(char *text, int depth)
{
        size_t used = 0;

        for (int i = 0; i < depth; i++)
                used += (size_t)sprintf(text + used, "%s",
                        i % 2 == 0               ? "["
                                : i + 1 == depth ? "{"
                                                 : "{\"k\":");
        for (int i = depth; i-- > 0;)
                text[used++] = i % 2 == 0 ? ']' : '}';
        text[used] = '\0';
}

static void test_32_levels_are_read_and_33_are_refused(void **state)
{
        char text[512];

        nest(text, JSON_DEPTH_MAX);
        assert_int_equal(verdict(text), 0);
        nest(text, JSON_DEPTH_MAX + 1);
        assert_int_equal(verdict(text), -EBADMSG);
}

static void test_brackets_in_a_string_are_not_levels(void **state)
{
        char text[128] = "[\"\\\"";

        memset(text + 4, '[', 64);
        strcpy(text + 68, "\\\\\"]");
        assert_int_equal(verdict(text), 0);
}

static void test_a_comment_is_refused_and_hides_no_levels(void **state)
{
        static const char *const cases[] = {"/**/{}", "{}/**/", "[1,//\n2]", "[1/*,2*/]"};
        char text[128] = "/*\"*/";

        expect_refused(cases, ARRAY_SIZE(cases));
        memset(text + 5, '[', 40);
        memset(text + 45, ']', 40);
        strcpy(text + 85, "/*\"*/");
        assert_int_equal(verdict(text), -EBADMSG);
}

static char *object_of(unsigned n_keys)
{
        char *text = malloc(n_keys * 16 + 3);
        size_t used = 1;

        assert_non_null(text);
        text[0] = '{';
        for (unsigned i = 0; i < n_keys; i++)
                used += (size_t)sprintf(text + used, "%s\"k%u\":0", i > 0 ? "," : "", i);
        strcpy(text + used, "}");
        return text;
}

static void test_256_keys_are_read_and_257_are_refused(void **state)
{
        CLEANUP(freep) char *most = object_of(JSON_KEYS_MAX);
        CLEANUP(freep) char *more = object_of(JSON_KEYS_MAX + 1);
        CLEANUP(freep) char *inside = NULL;

        assert_int_equal(verdict(most), 0);
        assert_int_equal(verdict(more), -EBADMSG);
        assert_true(asprintf(&inside, "[[%s]]", more) > 0);
        assert_int_equal(verdict(inside), -EBADMSG);
}

static void test_a_duplicate_key_is_refused_at_any_depth(void **state)
{
        static const char *const cases[] = {"{\"a\":1,\"a\":1}", "{\"a\":1,\"b\":2,\"a\":3}",
                "{\"a\":1,\"\\u0061\":1}", "[0,[{\"a\":1,\"a\":1}]]",
                "{\"x\":{\"y\":[{\"\":1,\"\":1}]}}"};

        expect_refused(cases, ARRAY_SIZE(cases));
        assert_int_equal(verdict("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"), 0);
}

static void test_text_that_is_not_utf8_is_refused(void **state)
{
        static const char *const cases[] = {"[\"\xff\"]", "[\"\x80\"]", "[\"\xc3\"]",
                "[\"\xe2\x82\"]", "[\"\xc0\xaf\"]", "[\"\xe0\x80\xaf\"]", "[\"\xf0\x80\x80\xaf\"]",
                "[\"\xed\xa0\x80\"]", "[\"\xf4\x90\x80\x80\"]", "{\"\xc0\xaf\":1}", "[\"\\udc00\"]",
                "[\"\\ud800\"]", "[\"\\uD83Dx\"]", "[\"\\ud83d\\n\"]",
                "[\"\\ud83d\\ud83d\\ude00\"]", "[\"\\ud83d\\u0041\"]",
                "[\"\\ud83d\\ude00\\ude00\"]", "{\"\\udfff\":1}"};

        expect_refused(cases, ARRAY_SIZE(cases));
        assert_int_equal(verdict("[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]"), 0);
        assert_int_equal(verdict("[\"\\ud83d\\ude00\"]"), 0);
        assert_int_equal(verdict("[\"\\\\ud83d \\uD7ff\\uE000 \\ud83d\\ude00\\udbff\\udfff\"]"), 0);
}

static void test_nothing_may_follow_the_value(void **state)
{
        static const char *const cases[] = {
                "{}x", "{} {}", "[1] 2", "{},", "1 2", "\"a\" \"b\"", "{}]"};

        expect_refused(cases, ARRAY_SIZE(cases));
        assert_int_equal(verdict("{} \t\r\n"), 0);
        assert_int_equal(verdict_of_bytes("{}\0", 3), -EBADMSG);
        assert_int_equal(verdict_of_bytes("{}x", 2), 0);
}

static void test_a_nul_in_a_string_is_refused(void **state)
{
        static const char *const cases[] = {"[\"a\\u0000b\"]", "[\"\\\\\\u0000\"]"};

        expect_refused(cases, ARRAY_SIZE(cases));
        assert_int_equal(verdict_of_bytes("[\"a\0b\"]", 7), -EBADMSG);
        assert_int_equal(verdict("[\"\\\\u0000\"]"), 0);
}

static void test_every_truncated_document_is_refused(void **state)
{
        static const char text[] = "{\"a\":[1,true,\"x\\n\"],\"b\":{\"c\":null}}";

        assert_int_equal(verdict(text), 0);
        for (size_t size = 0; size < strlen(text); size++)
                assert_int_equal(verdict_of_bytes(text, size), -EBADMSG);
}

static void test_text_that_is_not_json_is_refused(void **state)
{
        static const char *const cases[] = {"", " ", "nul", "True", "'a'", "{a:1}", "{\"a\"}",
                "{\"a\":}", "[1,]", "{\"a\":1,}", "[01]", "[+1]", "[.5]", "[1.]", "[0x1]", "[NaN]",
                "[\"\n\"]", "[\"\\x\"]", "[\"\\u12\"]", "]", "[}", "{]"};

        expect_refused(cases, ARRAY_SIZE(cases));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_type_is_read),
                cmocka_unit_test(test_every_reader_rejects_null_and_other_types),
                cmocka_unit_test(test_only_whole_numbers_of_64_bits_are_integers),
                cmocka_unit_test(test_32_levels_are_read_and_33_are_refused),
                cmocka_unit_test(test_brackets_in_a_string_are_not_levels),
                cmocka_unit_test(test_a_comment_is_refused_and_hides_no_levels),
                cmocka_unit_test(test_256_keys_are_read_and_257_are_refused),
                cmocka_unit_test(test_a_duplicate_key_is_refused_at_any_depth),
                cmocka_unit_test(test_text_that_is_not_utf8_is_refused),
                cmocka_unit_test(test_nothing_may_follow_the_value),
                cmocka_unit_test(test_a_nul_in_a_string_is_refused),
                cmocka_unit_test(test_every_truncated_document_is_refused),
                cmocka_unit_test(test_text_that_is_not_json_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
