#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "daemon/mysql/password-json.h"

#define NOT_JSON "not JSON, or has a key twice or too many levels"

static const char *read_bytes(Secret *ret, const char *text, size_t size)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;

        assert_int_equal(secret_append(&secret, text, size), 0);
        return password_json_read(ret, &secret, "password");
}

static void expect_password(const char *text, const char *password)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        const char *problem = read_bytes(&secret, text, strlen(text));

        if (problem)
                fail_msg("%s: it is %s", text, problem);
        assert_string_equal(secret.data, password);
        assert_int_equal(secret.size, strlen(password));
}

static void expect_problem_of_bytes(const char *text, size_t size, const char *expected)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        const char *problem = read_bytes(&secret, text, size);

        if (!problem)
                fail_msg("%s: not refused", text);
        assert_string_equal(problem, expected);
        assert_null(secret.data);
}

static void expect_problem(const char *const *texts, size_t n, const char *expected)
{
        for (size_t i = 0; i < n; i++)
                expect_problem_of_bytes(texts[i], strlen(texts[i]), expected);
}

static void test_the_member_is_the_password(void **state)
{
        expect_password("{\"username\":\"u\",\"password\":\"hunter2\"}", "hunter2");
        expect_password(
                " {\r\n\t\"password\" : \" two words \",\n \"port\":3306 }\n", " two words ");
        expect_password(
                "{\"a\":[{\"password\":1},[]],\"b\":{\"password\":{}},\"c\":null,\"d\":true,"
                "\"password\":\"x\",\"e\":1.5}",
                "x");
}

static void test_escapes_are_decoded(void **state)
{
        expect_password("{\"pass\\u0077ord\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t");
        expect_password("{\"password\":\"\\u0001\\u00e9\\u20AC\"}", "\x01\xc3\xa9\xe2\x82\xac");
        expect_password("{\"password\":\"a\\ud83d\\ude00\\\\ud83d\"}", "a\xf0\x9f\x98\x80\\ud83d");
        expect_password("{\"password\":\"\xc3\xa9\"}", "\xc3\xa9");
}

static void test_text_that_is_not_json_is_refused(void **state)
{
        static const char *const texts[] = {"", " \n", "hunter2", "{", "{\"password\":\"hunter2",
                "{\"password\":\"hunter2\"", "{\"password\":\"hunter2\",}",
                "{password:\"hunter2\"}", "{'password':'hunter2'}", "{\"password\":\"hunter2\"}x",
                "{\"password\":\"hunter2\"}{}", "{\"password\":\"hunter2\"}]",
                "/**/{\"password\":\"hunter2\"}", "{\"password\":\"hun\nter2\"}",
                "{\"password\":\"hunter\\2\"}", "{\"password\":\"\\u12\"}",
                "{\"password\":\"\xff\"}", "{\"password\":\"\xc0\xaf\"}",
                "\xef\xbb\xbf{\"password\":\"hunter2\"}"};

        expect_problem(texts, ARRAY_SIZE(texts), NOT_JSON);
        expect_problem_of_bytes("{\"password\":\"hun\0ter2\"}", 23, NOT_JSON);
        expect_problem_of_bytes("{\"password\":\"hunter2\"}\0", 23, NOT_JSON);
}

static void test_an_escape_that_is_no_character_is_refused(void **state)
{
        static const char *const texts[] = {"{\"password\":\"hun\\u0000ter2\"}",
                "{\"password\":\"\\ud83d\"}", "{\"password\":\"\\ude00\"}",
                "{\"password\":\"\\ud83d\\u0041\"}"};

        expect_problem(texts, ARRAY_SIZE(texts), NOT_JSON);
}

static void test_another_value_than_an_object_is_refused(void **state)
{
        static const char *const texts[] = {
                "\"hunter2\"", "null", "12", "true", "[]", "[{\"password\":\"hunter2\"}]"};

        expect_problem(texts, ARRAY_SIZE(texts), "JSON, but not an object");
}

static void test_an_object_without_the_member_is_refused(void **state)
{
        static const char *const texts[] = {"{}", "{\"Password\":\"hunter2\"}",
                "{\"password \":\"hunter2\"}", "{\"passwor\":\"hunter2\"}",
                "{\"a\":{\"password\":\"hunter2\"}}", "{\"a\":[\"password\",\"hunter2\"]}",
                "{\"a\":\"password\"}"};

        expect_problem(texts, ARRAY_SIZE(texts), "a JSON object without password-field");
}

static void test_a_member_of_another_type_is_refused(void **state)
{
        static const char *const texts[] = {"{\"password\":12}", "{\"password\":null}",
                "{\"password\":false}", "{\"password\":[\"hunter2\"]}", "{\"password\":[]}",
                "{\"password\":{\"password\":\"hunter2\"}}", "{\"password\":1.5e3}"};

        expect_problem(
                texts, ARRAY_SIZE(texts), "a JSON object in which password-field is not a string");
}

static void test_an_empty_member_is_refused(void **state)
{
        static const char *const texts[] = {"{\"password\":\"\"}"};

        expect_problem(texts, 1, "a JSON object in which password-field is empty");
}

static void test_a_member_that_occurs_twice_is_refused(void **state)
{
        static const char *const texts[] = {"{\"password\":\"hunter2\",\"password\":\"hunter2\"}",
                "{\"password\":\"a\",\"b\":[{}],\"pass\\u0077ord\":1}"};

        expect_problem(texts, ARRAY_SIZE(texts), NOT_JSON);
}

static void test_the_text_itself_can_be_replaced(void **state)
{
        static const char text[] = "{\"password\":\"hunter2\"}";
        CLEANUP(secret_done) Secret secret = SECRET_NULL;

        assert_int_equal(secret_append(&secret, text, sizeof(text) - 1), 0);
        assert_null(password_json_read(&secret, &secret, "password"));
        assert_string_equal(secret.data, "hunter2");
        assert_string_equal(password_json_read(&secret, &secret, "password"), NOT_JSON);
        assert_string_equal(secret.data, "hunter2");
}

static void test_a_text_of_many_levels_is_refused(void **state)
{
        const size_t depth = 30000;
        CLEANUP(freep) char *text = malloc(2 * depth + 64);
        size_t used;

        assert_non_null(text);
        used = (size_t)sprintf(text, "{\"a\":");
        memset(text + used, '[', depth);
        memset(text + used + depth, ']', depth);
        used += 2 * depth;
        used += (size_t)sprintf(text + used, ",\"password\":\"hunter2\"}");
        expect_problem_of_bytes(text, used, NOT_JSON);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_member_is_the_password),
                cmocka_unit_test(test_escapes_are_decoded),
                cmocka_unit_test(test_text_that_is_not_json_is_refused),
                cmocka_unit_test(test_an_escape_that_is_no_character_is_refused),
                cmocka_unit_test(test_another_value_than_an_object_is_refused),
                cmocka_unit_test(test_an_object_without_the_member_is_refused),
                cmocka_unit_test(test_a_member_of_another_type_is_refused),
                cmocka_unit_test(test_an_empty_member_is_refused),
                cmocka_unit_test(test_a_member_that_occurs_twice_is_refused),
                cmocka_unit_test(test_the_text_itself_can_be_replaced),
                cmocka_unit_test(test_a_text_of_many_levels_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
