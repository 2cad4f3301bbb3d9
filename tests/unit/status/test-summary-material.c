#include "tests/unit/test.h"

#include <string.h>

#include "common/clock.h"
#include "daemon/status/summary-material.h"
#include "tests/unit/status-fixture.h"

static StatusFixture fixture;

static int make(void **state)
{
        status_fixture_make(&fixture);
        return 0;
}

#define summary_test(test) cmocka_unit_test_setup(test, make)

static const char *material_reason(void)
{
        static char buffer[SUMMARY_TEXT_MAX];

        summary_material_reason(buffer, sizeof(buffer), &fixture.material);
        return buffer;
}

static void test_each_state_of_the_material_has_its_health(void **state)
{
        static const Health expected[_MATERIAL_STATE_MAX] = {
                [MATERIAL_STATE_MISSING] = HEALTH_CRITICAL,
                [MATERIAL_STATE_CHANGING] = HEALTH_OK,
                [MATERIAL_STATE_INVALID] = HEALTH_CRITICAL,
                [MATERIAL_STATE_NOT_YET_VALID] = HEALTH_WARNING,
                [MATERIAL_STATE_VALID] = HEALTH_OK,
                [MATERIAL_STATE_EXPIRING] = HEALTH_WARNING,
                [MATERIAL_STATE_EXPIRED] = HEALTH_CRITICAL,
        };

        for (MaterialState one = 0; one < _MATERIAL_STATE_MAX; one++) {
                fixture.material.state = one;
                assert_int_equal(summary_material_health(&fixture.material), expected[one]);
        }
        fixture.material.state = MATERIAL_STATE_VALID;
        fixture.material.inspected = false; /* then the state has no meaning */
        assert_int_equal(summary_material_health(&fixture.material), HEALTH_WARNING);
}

static void test_the_reason_of_a_material_is_the_nearest_cause(void **state)
{
        fixture.material.state = MATERIAL_STATE_EXPIRING;
        report_add(&fixture.report, MATERIAL_KEY, RULE_KEY_PERMISSIONS, SEVERITY_WARNING, "w");
        report_add(&fixture.report, MATERIAL_CERT, RULE_EXPIRES_SOON, SEVERITY_WARNING,
                "expires in 3 days");
        assert_string_equal(material_reason(), "expires in 3 days");
        fixture.report.files_changed = true;
        assert_string_equal(material_reason(), "the files change while they are read");
        strcpy(fixture.material.error, "the inspection took too long");
        assert_string_equal(material_reason(), "the inspection took too long");
}

static void expect_next(const char *expected)
{
        assert_string_equal(summary_material_next_step(&fixture.material), expected);
}

static void test_the_next_step_of_a_material_is_that_of_the_nearest_cause(void **state)
{
        expect_next("");
        report_add(&fixture.report, MATERIAL_KEY, RULE_KEY_PERMISSIONS, SEVERITY_WARNING, "w");
        expect_next(rule_next_step(RULE_KEY_PERMISSIONS));
        report_add(&fixture.report, MATERIAL_KEY, RULE_KEY_MISMATCH, SEVERITY_ERROR, "e");
        expect_next(rule_next_step(RULE_KEY_MISMATCH));
        fixture.material.state = MATERIAL_STATE_CHANGING;
        expect_next("nothing yet: the set is validated again when the rest is written");
        fixture.report.problems[1].rule = RULE_KEY_TYPE; /* what is written still does not end it */
        expect_next(rule_next_step(RULE_KEY_TYPE));
        fixture.report.n_problems = 0;
        fixture.report.files_changed = true;
        expect_next("nothing yet: the set is validated again when the rest is written");
        strcpy(fixture.material.error, "the inspection took too long");
        expect_next("");
        fixture.material.not_responding_since_at_usec = 1;
        assert_non_null(strstr(summary_material_next_step(&fixture.material), "mount"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                summary_test(test_each_state_of_the_material_has_its_health),
                summary_test(test_the_reason_of_a_material_is_the_nearest_cause),
                summary_test(test_the_next_step_of_a_material_is_that_of_the_nearest_cause),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
