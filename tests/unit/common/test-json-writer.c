#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/json-reader.h"
#include "common/json-writer.h"
#include "common/macro.h"

typedef void (*write_fn)(JsonWriter *writer);

static void expect_written(write_fn fn, const char *expected)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        CLEANUP(freep) char *text = NULL;

        fn(writer);
        assert_int_equal(json_writer_finish(writer, &text), 0);
        assert_string_equal(text, expected);
}

static void expect_refused(write_fn fn)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        CLEANUP(freep) char *text = NULL;

        fn(writer);
        if (json_writer_finish(writer, &text) != -EINVAL)
                fail_msg("was written: %s", text ? text : "(nothing)");
        assert_null(text);
}

static void write_all_types(JsonWriter *writer)
{
        json_open_object(writer);
        json_key(writer, "text");
        json_string(writer, "a\"\\\n\x01\xc3\xa9");
        json_key(writer, "none");
        json_string(writer, NULL);
        json_key(writer, "numbers");
        json_open_array(writer);
        json_integer(writer, INT64_MAX);
        json_integer(writer, INT64_MIN);
        json_close_array(writer);
        json_key(writer, "yes");
        json_boolean(writer, true);
        json_key(writer, "no");
        json_boolean(writer, false);
        json_key(writer, "null");
        json_null(writer);
        json_key(writer, "raw");
        json_raw(writer, "{\"a\":[]}", 8);
        json_close_object(writer);
}

static void test_every_type_is_written(void **state)
{
        expect_written(write_all_types,
                "{\"text\":\"a\\\"\\\\\\n\\u0001\xc3\xa9\",\"none\":null,"
                "\"numbers\":[9223372036854775807,-9223372036854775808],"
                "\"yes\":true,\"no\":false,\"null\":null,\"raw\":{\"a\":[]}}");
}

static void write_every_escape(JsonWriter *writer)
{
        json_string(writer, "\b\t\n\v\f\r\x1f /\x7f");
}

static void test_control_characters_are_escaped(void **state)
{
        expect_written(write_every_escape, "\"\\b\\t\\n\\u000B\\f\\r\\u001F /\x7f\"");
}

static void write_levels(JsonWriter *writer)
{
        json_open_array(writer);
        json_open_array(writer);
        json_close_array(writer);
        json_open_object(writer);
        json_close_object(writer);
        json_integer(writer, 0);
        json_open_object(writer);
        json_put_integer(writer, "a", -10);
        json_put_null(writer, "b");
        json_put_strings(writer, "c", (char *const[]){(char *)"d", (char *)"e"}, 2);
        json_put_strings(writer, "f", NULL, 0);
        json_close_object(writer);
        json_null(writer);
        json_close_array(writer);
}

static void test_commas_are_between_members_and_elements_alone(void **state)
{
        expect_written(
                write_levels, "[[],{},0,{\"a\":-10,\"b\":null,\"c\":[\"d\",\"e\"],\"f\":[]},null]");
}

static void test_a_long_document_is_whole(void **state)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        CLEANUP(freep) char *text = NULL;
        char control[1001];

        memset(control, 1, sizeof(control) - 1);
        control[sizeof(control) - 1] = '\0';
        json_open_array(writer);
        for (int i = 0; i < 100; i++)
                json_string(writer, control);
        json_close_array(writer);
        assert_int_equal(json_writer_finish(writer, &text), 0);
        assert_int_equal(strlen(text), 2 + 100 * (6000 + 2) + 99);
}

static void test_a_document_is_finished_once(void **state)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        CLEANUP(freep) char *text = NULL;
        char *again = NULL;

        json_null(writer);
        assert_int_equal(json_writer_finish(writer, &text), 0);
        assert_int_equal(json_writer_finish(writer, &again), -EINVAL);
        assert_null(again);
}

static void write_raw_part(JsonWriter *writer)
{
        json_raw(writer, "[1]]]]", 3);
}

static void test_a_raw_document_is_copied_up_to_its_size(void **state)
{
        expect_written(write_raw_part, "[1]");
}

static void test_a_written_document_can_be_read(void **state)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        CLEANUP(json_freep) JsonValue *value = NULL;
        CLEANUP(freep) char *text = NULL;
        int64_t integer = 0;

        write_all_types(writer);
        assert_int_equal(json_writer_finish(writer, &text), 0);
        assert_int_equal(json_parse(&value, text, strlen(text)), 0);
        assert_string_equal(json_get_string(json_member(value, "text")), "a\"\\\n\x01\xc3\xa9");
        assert_true(json_get_integer(&integer, json_element(json_member(value, "numbers"), 1)));
        assert_true(integer == INT64_MIN);
}

static void write_nothing(JsonWriter *writer)
{
}

static void write_open_object(JsonWriter *writer)
{
        json_open_object(writer);
}

static void write_open_array_inside(JsonWriter *writer)
{
        json_open_array(writer);
        json_open_array(writer);
        json_close_array(writer);
}

static void write_close_only(JsonWriter *writer)
{
        json_close_object(writer);
}

static void write_close_twice(JsonWriter *writer)
{
        json_open_array(writer);
        json_close_array(writer);
        json_close_array(writer);
        json_open_array(writer);
}

static void write_close_of_other_kind(JsonWriter *writer)
{
        json_open_array(writer);
        json_close_object(writer);
}

static void write_key_without_value(JsonWriter *writer)
{
        json_open_object(writer);
        json_key(writer, "key");
        json_close_object(writer);
}

static void write_value_without_key(JsonWriter *writer)
{
        json_open_object(writer);
        json_integer(writer, 1);
        json_close_object(writer);
}

static void write_null_as_key(JsonWriter *writer)
{
        json_open_object(writer);
        json_key(writer, NULL);
        json_integer(writer, 1);
        json_close_object(writer);
}

static void write_two_values(JsonWriter *writer)
{
        json_integer(writer, 1);
        json_integer(writer, 2);
}

static void write_too_deep(JsonWriter *writer)
{
        for (int i = 0; i < 1000; i++)
                json_open_array(writer);
        for (int i = 0; i < 1000; i++)
                json_close_array(writer);
}

static void test_an_unbalanced_document_is_refused(void **state)
{
        expect_refused(write_nothing);
        expect_refused(write_open_object);
        expect_refused(write_open_array_inside);
        expect_refused(write_close_only);
        expect_refused(write_close_twice);
        expect_refused(write_close_of_other_kind);
        expect_refused(write_key_without_value);
        expect_refused(write_value_without_key);
        expect_refused(write_null_as_key);
        expect_refused(write_two_values);
        expect_refused(write_too_deep);
}

static void write_stray_byte(JsonWriter *writer)
{
        json_string(writer, "a\xff");
}

static void write_overlong_form(JsonWriter *writer)
{
        json_string(writer, "\xc0\xaf");
}

static void write_surrogate(JsonWriter *writer)
{
        json_string(writer, "\xed\xa0\x80");
}

static void write_cut_sequence(JsonWriter *writer)
{
        json_string(writer, "a\xe2\x82");
}

static void write_bad_key(JsonWriter *writer)
{
        json_open_object(writer);
        json_key(writer, "\xf4\x90\x80\x80");
        json_null(writer);
        json_close_object(writer);
}

/* Valid calls after the failure must not clear it. */
static void write_failure_then_good(JsonWriter *writer)
{
        json_open_array(writer);
        json_string(writer, "\xff");
        json_string(writer, "good");
        json_close_array(writer);
}

static void test_a_string_that_is_not_utf8_is_refused(void **state)
{
        expect_refused(write_stray_byte);
        expect_refused(write_overlong_form);
        expect_refused(write_surrogate);
        expect_refused(write_cut_sequence);
        expect_refused(write_bad_key);
        expect_refused(write_failure_then_good);
}

static void test_freeing_nothing_is_allowed(void **state)
{
        assert_null(json_writer_free(NULL));
}

static void write_everything(JsonWriter *writer)
{
        json_open_object(writer);
        json_put_string(writer, "string", "x");
        json_put_integer(writer, "integer", 1);
        json_put_boolean(writer, "boolean", true);
        json_put_null(writer, "null");
        json_key(writer, "array");
        json_open_array(writer);
        json_raw(writer, "[]", 2);
        json_close_array(writer);
        json_close_object(writer);
}

static void test_a_writer_that_could_not_be_allocated_is_reported_at_the_end(void **state)
{
        char *text = NULL;

        expect_written(write_everything,
                "{\"string\":\"x\",\"integer\":1,\"boolean\":true,\"null\":null,\"array\":[[]]}");
        write_everything(NULL);
        assert_int_equal(json_writer_finish(NULL, &text), -ENOMEM);
        assert_null(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_writer_that_could_not_be_allocated_is_reported_at_the_end),
                cmocka_unit_test(test_every_type_is_written),
                cmocka_unit_test(test_a_raw_document_is_copied_up_to_its_size),
                cmocka_unit_test(test_control_characters_are_escaped),
                cmocka_unit_test(test_commas_are_between_members_and_elements_alone),
                cmocka_unit_test(test_a_long_document_is_whole),
                cmocka_unit_test(test_a_document_is_finished_once),
                cmocka_unit_test(test_a_written_document_can_be_read),
                cmocka_unit_test(test_an_unbalanced_document_is_refused),
                cmocka_unit_test(test_a_string_that_is_not_utf8_is_refused),
                cmocka_unit_test(test_freeing_nothing_is_allowed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
