#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/macro.h"
#include "common/varlink.h"

static void test_a_call_is_read(void **state)
{
        static const char text[] = "{\"method\":\"io.binlogssl.Manager.GetStatus\",\"more\":true,"
                                   "\"parameters\":{\"a\":1},\"unknown\":[]}";
        VarlinkCall call = VARLINK_CALL_NULL;

        assert_int_equal(varlink_call_parse(&call, text, strlen(text)), 0);
        assert_string_equal(call.interface, "io.binlogssl.Manager");
        assert_string_equal(call.method, "GetStatus");
        assert_true(call.more);
        assert_false(call.oneway);
        assert_int_equal(json_size(call.parameters), 1);
        varlink_call_done(&call);
}

static void test_text_that_is_not_a_call_is_refused(void **state)
{
        static const char *const cases[] = {
                "",
                "{",
                "[]",
                "{}",
                "{\"method\":1}",
                "{\"method\":\"GetStatus\"}",
                "{\"method\":\"io.Manager.getStatus\"}",
                "{\"method\":\".a.B\"}",
                "{\"method\":\"a..b.C\"}",
                "{\"method\":\"a.b-.C\"}",
                "{\"method\":\"a.b.C\",\"parameters\":[]}",
                "{\"method\":\"a.b.C\",\"oneway\":1}",
                "{\"method\":\"a.b.C\",\"method\":\"a.b.C\"}",
                "{\"method\":\"a.b.C\"} {}",
                "{\"method\":\"a.b.C\",\"parameters\":{\"x\":\"\xff\"}}",
        };
        VarlinkCall call = VARLINK_CALL_NULL;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(varlink_call_parse(&call, cases[i], strlen(cases[i])), -EBADMSG);
}

static void test_deep_nesting_is_refused_before_it_is_parsed(void **state)
{
        char text[20001];
        VarlinkCall call = VARLINK_CALL_NULL;

        memset(text, '[', 10000);
        memset(text + 10000, ']', 10000);
        assert_int_equal(varlink_call_parse(&call, text, 20000), -EBADMSG);
}

static void test_a_formatted_message_can_be_parsed(void **state)
{
        CLEANUP(freep) char *text = NULL;
        VarlinkReply reply = VARLINK_REPLY_NULL;
        size_t size;

        assert_int_equal(varlink_reply_format(
                                 &text, &size, "{\"method\":\"x\"}", "a.b.MethodNotFound", false),
                0);
        assert_int_equal(text[size - 1], '\0');
        assert_int_equal(varlink_reply_parse(&reply, text, size - 1), 0);
        assert_string_equal(reply.error, "a.b.MethodNotFound");
        assert_false(reply.continues);
        varlink_reply_done(&reply);
}

static void test_a_pair_becomes_an_object(void **state)
{
        CLEANUP(freep) char *text = NULL;

        assert_int_equal(varlink_pair_format(&text, "name", "a \"value\""), 0);
        assert_string_equal(text, "{\"name\":\"a \\\"value\\\"\"}");
}

static void test_a_parameter_that_is_not_allowed_is_found(void **state)
{
        static const char text[] = "{\"method\":\"a.b.C\",\"parameters\":{\"x\":1,\"y\":2}}";
        static const char *const both[] = {"y", "x", NULL}, *const one[] = {"x", NULL};
        CLEANUP(varlink_call_done) VarlinkCall call = VARLINK_CALL_NULL;

        assert_int_equal(varlink_call_parse(&call, text, strlen(text)), 0);
        assert_null(varlink_unknown_parameter(&call, both));
        assert_string_equal(varlink_unknown_parameter(&call, one), "y");
        assert_string_equal(varlink_unknown_parameter(&call, one + 1), "x");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_call_is_read),
                cmocka_unit_test(test_text_that_is_not_a_call_is_refused),
                cmocka_unit_test(test_deep_nesting_is_refused_before_it_is_parsed),
                cmocka_unit_test(test_a_formatted_message_can_be_parsed),
                cmocka_unit_test(test_a_pair_becomes_an_object),
                cmocka_unit_test(test_a_parameter_that_is_not_allowed_is_found),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
