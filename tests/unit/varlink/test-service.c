#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "daemon/model/interface.h"
#include "daemon/varlink/service.h"

#define DESCRIBE(parameters)                                           \
        "{\"method\":\"org.varlink.service.GetInterfaceDescription\"," \
        "\"parameters\":" parameters "}"
#define INFO(parameters) \
        "{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":" parameters "}"

/* `expected_error` NULL: a success. `expected` NULL: not compared. */
static void expect(const char *text, const char *expected_error, const char *expected)
{
        CLEANUP(varlink_call_done) VarlinkCall call = VARLINK_CALL_NULL;
        CLEANUP(freep) char *answer = NULL;
        const char *error = NULL;

        assert_int_equal(varlink_call_parse(&call, text, strlen(text)), 0);
        assert_int_equal(service_answer(&call, "1.2.3", &answer, &error), 0);
        if (expected_error)
                assert_string_equal(error, expected_error);
        else
                assert_null(error);
        assert_non_null(answer);
        if (expected)
                assert_string_equal(answer, expected);
}

static void test_the_information_names_version_and_interfaces(void **state)
{
        static const char answer[] =
                "{\"vendor\":\"binlog-ssld\",\"product\":\"binlog-ssld\",\"version\":\"1.2.3\","
                "\"url\":\"man:io.binlogssl.Manager(7)\",\"interfaces\":[\"org.varlink.service\","
                "\"io.binlogssl.Manager\"]}";

        expect("{\"method\":\"org.varlink.service.GetInfo\"}", NULL, answer);
        expect(INFO("{}"), NULL, answer);
        expect(INFO("null"), NULL, answer);
}

static void test_both_interfaces_have_a_description(void **state)
{
        expect(DESCRIBE("{\"interface\":\"" INTERFACE_NAME "\"}"), NULL, NULL);
        expect(DESCRIBE("{\"interface\":\"" INTERFACE_SERVICE_NAME "\"}"), NULL, NULL);
}

static void test_an_unknown_interface_is_refused(void **state)
{
        expect("{\"method\":\"a.b.GetInfo\"}", VARLINK_ERROR_INTERFACE_NOT_FOUND,
                "{\"interface\":\"a.b\"}");
        expect(DESCRIBE("{\"interface\":\"a.b\"}"), VARLINK_ERROR_INTERFACE_NOT_FOUND,
                "{\"interface\":\"a.b\"}");
}

static void test_an_unknown_method_is_refused(void **state)
{
        expect("{\"method\":\"org.varlink.service.None\"}", VARLINK_ERROR_METHOD_NOT_FOUND,
                "{\"method\":\"org.varlink.service.None\"}");
        /* The names of methods are case-sensitive. */
        expect("{\"method\":\"org.varlink.service.Getinfo\"}", VARLINK_ERROR_METHOD_NOT_FOUND,
                NULL);
}

static void test_a_wrong_parameter_is_named(void **state)
{
        static const struct {
                const char *call, *parameter;
        } cases[] = {
                {INFO("{\"x\":1}"), "{\"parameter\":\"x\"}"},
                {DESCRIBE("null"), "{\"parameter\":\"interface\"}"},
                {DESCRIBE("{}"), "{\"parameter\":\"interface\"}"},
                {DESCRIBE("{\"interface\":7}"), "{\"parameter\":\"interface\"}"},
                {DESCRIBE("{\"interface\":null}"), "{\"parameter\":\"interface\"}"},
                {DESCRIBE("{\"interface\":\"io.binlogssl.Manager\",\"x\":1}"),
                        "{\"parameter\":\"x\"}"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                expect(cases[i].call, VARLINK_ERROR_INVALID_PARAMETER, cases[i].parameter);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_information_names_version_and_interfaces),
                cmocka_unit_test(test_both_interfaces_have_a_description),
                cmocka_unit_test(test_an_unknown_interface_is_refused),
                cmocka_unit_test(test_an_unknown_method_is_refused),
                cmocka_unit_test(test_a_wrong_parameter_is_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
