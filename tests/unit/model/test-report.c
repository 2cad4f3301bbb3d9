#include "tests/unit/test.h"

#include "common/macro.h"
#include "daemon/model/report.h"

#define LIMIT 1000
#define YOUNG (LIMIT - 1)
#define OLD   LIMIT

static MaterialState state_at(const Report *report, uint64_t age_usec)
{
        return report_material_state(report, age_usec, LIMIT);
}

static void test_a_set_without_problems_is_valid_at_any_age(void **state)
{
        Report report = {0};

        assert_int_equal(state_at(&report, 0), MATERIAL_STATE_VALID);
        assert_int_equal(state_at(&report, OLD), MATERIAL_STATE_VALID);
}

static void test_a_set_with_a_warning_alone_is_valid(void **state)
{
        Report report = {0};

        report_add(&report, MATERIAL_KEY, RULE_KEY_PERMISSIONS, SEVERITY_WARNING, "mode 0644");
        assert_int_equal(state_at(&report, 0), MATERIAL_STATE_VALID);
}

static void test_a_set_with_an_expiry_warning_is_expiring(void **state)
{
        Report report = {.expires_within_usec = 1};

        report_add(&report, MATERIAL_CERT, RULE_EXPIRES_SOON, SEVERITY_WARNING, "in 3 days");
        assert_int_equal(state_at(&report, 0), MATERIAL_STATE_EXPIRING);
        assert_int_equal(state_at(&report, OLD), MATERIAL_STATE_EXPIRING);
}

static void add_expiry(Report *report, uint64_t end_usec, const char *text)
{
        report_add(report, MATERIAL_CA, RULE_EXPIRES_SOON, SEVERITY_WARNING, "%s", text)->end_usec =
                end_usec;
}

static void test_the_first_expiry_is_found_in_any_order(void **state)
{
        Report report = {0};

        assert_null(report_expiry(&report));
        report_add(&report, MATERIAL_KEY, RULE_KEY_PERMISSIONS, SEVERITY_WARNING, "mode 0644");
        assert_null(report_expiry(&report));
        add_expiry(&report, 3, "in 3 days");
        add_expiry(&report, 5, "in 5 days");
        assert_string_equal(report_expiry(&report)->text, "in 3 days");
        add_expiry(&report, 2, "in 2 days");
        assert_string_equal(report_expiry(&report)->text, "in 2 days");
        assert_true(report_has(&report, RULE_KEY_PERMISSIONS));
        assert_false(report_has(&report, RULE_CERT_EXPIRED));
}

static void test_an_error_is_a_change_until_the_limit_and_invalid_from_then_on(void **state)
{
        for (Rule rule = 0; rule < _RULE_MAX; rule++) {
                Report report = {0};

                (void)state;
                if (rule == RULE_CERT_EXPIRED || rule == RULE_CERT_NOT_YET_VALID ||
                        rule == RULE_FILE_MISSING)
                        continue;
                report_add(&report, MATERIAL_CERT, rule, SEVERITY_ERROR, "broken");
                assert_int_equal(state_at(&report, 0), MATERIAL_STATE_CHANGING);
                assert_int_equal(state_at(&report, YOUNG), MATERIAL_STATE_CHANGING);
                assert_int_equal(state_at(&report, OLD), MATERIAL_STATE_INVALID);
        }
}

static void test_files_that_changed_during_every_read_are_a_change_until_the_limit(void **state)
{
        Report report = {.files_changed = true};

        assert_int_equal(state_at(&report, YOUNG), MATERIAL_STATE_CHANGING);
        assert_int_equal(state_at(&report, OLD), MATERIAL_STATE_INVALID);
}

static void test_errors_of_the_clock_alone_are_named_at_once(void **state)
{
        Report expired = {0}, early = {0};

        report_add(&expired, MATERIAL_CERT, RULE_CERT_EXPIRED, SEVERITY_ERROR, "yesterday");
        report_add(&expired, MATERIAL_KEY, RULE_KEY_PERMISSIONS, SEVERITY_WARNING, "mode 0644");
        report_add(&early, MATERIAL_CERT, RULE_CERT_NOT_YET_VALID, SEVERITY_ERROR, "tomorrow");
        assert_int_equal(state_at(&expired, 0), MATERIAL_STATE_EXPIRED);
        assert_int_equal(state_at(&expired, OLD), MATERIAL_STATE_EXPIRED);
        assert_int_equal(state_at(&early, 0), MATERIAL_STATE_NOT_YET_VALID);
        assert_int_equal(state_at(&early, OLD), MATERIAL_STATE_NOT_YET_VALID);
}

static void test_errors_of_the_clock_and_others_together_are_a_change(void **state)
{
        Report report = {0};

        report_add(&report, MATERIAL_CERT, RULE_CERT_EXPIRED, SEVERITY_ERROR, "yesterday");
        report_add(&report, MATERIAL_KEY, RULE_KEY_MISMATCH, SEVERITY_ERROR, "another key");
        assert_int_equal(state_at(&report, YOUNG), MATERIAL_STATE_CHANGING);
        assert_int_equal(state_at(&report, OLD), MATERIAL_STATE_INVALID);
}

static void test_omitted_problems_may_be_other_errors_than_those_of_the_clock(void **state)
{
        Report report = {0};

        for (unsigned i = 0; i <= REPORT_PROBLEMS_MAX; i++)
                report_add(&report, MATERIAL_CERT, RULE_CERT_EXPIRED, SEVERITY_ERROR, "old");
        assert_int_equal(report.n_omitted, 1);
        assert_int_equal(state_at(&report, YOUNG), MATERIAL_STATE_CHANGING);
        assert_int_equal(state_at(&report, OLD), MATERIAL_STATE_INVALID);
}

static void test_a_set_without_a_single_file_is_missing_at_once(void **state)
{
        Report report = {0};

        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++)
                report_add(&report, file, RULE_FILE_MISSING, SEVERITY_ERROR, "no such file");
        assert_int_equal(state_at(&report, 0), MATERIAL_STATE_MISSING);
        assert_int_equal(state_at(&report, OLD), MATERIAL_STATE_MISSING);
}

static void test_a_missing_file_is_a_change_until_the_limit_and_missing_from_then_on(void **state)
{
        Report report = {0};

        report_add(&report, MATERIAL_KEY, RULE_FILE_MISSING, SEVERITY_ERROR, "no such file");
        assert_int_equal(state_at(&report, YOUNG), MATERIAL_STATE_CHANGING);
        assert_int_equal(state_at(&report, OLD), MATERIAL_STATE_MISSING);
        report_add(&report, MATERIAL_CA, RULE_PEM_EMPTY, SEVERITY_ERROR, "nothing in it");
        assert_int_equal(state_at(&report, YOUNG), MATERIAL_STATE_CHANGING);
        assert_int_equal(state_at(&report, OLD), MATERIAL_STATE_INVALID);
}

static void test_only_a_valid_or_expiring_set_may_be_imported(void **state)
{
        for (MaterialState one = 0; one <= _MATERIAL_STATE_MAX; one++)
                assert_int_equal(material_state_is_good(one),
                        one == MATERIAL_STATE_VALID || one == MATERIAL_STATE_EXPIRING);
}

static void test_states_are_spelled_as_documented(void **state)
{
        static const char *const names[] = {
                "missing", "changing", "invalid", "not_yet_valid", "valid", "expiring", "expired"};

        assert_int_equal(ARRAY_SIZE(names), _MATERIAL_STATE_MAX);
        for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
                assert_string_equal(material_state_to_string((MaterialState)i), names[i]);
        assert_string_equal(material_state_to_string(_MATERIAL_STATE_MAX), "");
}

static void check_text(Report *report, char *text, size_t size)
{
        memset(text, 'x', size);
        assert_false(report_is_valid(report));
        text[0] = '\0';
        assert_true(report_is_valid(report));
}

#define EXPECT_TEXT(member) check_text(&report, report.member, sizeof(report.member))

static void check_value(Report *report, void *member, size_t size, unsigned beyond)
{
        memcpy(member, &beyond, size);
        assert_false(report_is_valid(report));
        memset(member, 0, size);
        assert_true(report_is_valid(report));
}

#define EXPECT_VALUE(member, beyond) \
        check_value(&report, &report.member, sizeof(report.member), beyond)

static void test_a_report_with_a_value_that_its_type_lacks_is_invalid(void **state)
{
        Report report = {.n_problems = REPORT_PROBLEMS_MAX};

        assert_true(report_is_valid(&report));
        EXPECT_TEXT(certificate.subject);
        EXPECT_TEXT(certificate.issuer);
        EXPECT_TEXT(certificate.serial);
        EXPECT_TEXT(certificate.sha256);
        EXPECT_TEXT(certificate.key_type);
        EXPECT_TEXT(fingerprint);
        EXPECT_TEXT(legacy_fingerprint);
        EXPECT_TEXT(problems[REPORT_PROBLEMS_MAX - 1].text);
        EXPECT_VALUE(problems[REPORT_PROBLEMS_MAX - 1].file, _MATERIAL_FILE_MAX);
        EXPECT_VALUE(problems[REPORT_PROBLEMS_MAX - 1].rule, _RULE_MAX);
        EXPECT_VALUE(problems[REPORT_PROBLEMS_MAX - 1].severity, _SEVERITY_MAX);
        EXPECT_VALUE(files_changed, 2);
        EXPECT_VALUE(has_certificate, 2);
        EXPECT_VALUE(failed, 2);
        EXPECT_VALUE(n_problems, REPORT_PROBLEMS_MAX + 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_set_without_problems_is_valid_at_any_age),
                cmocka_unit_test(test_a_set_with_a_warning_alone_is_valid),
                cmocka_unit_test(test_a_set_with_an_expiry_warning_is_expiring),
                cmocka_unit_test(test_the_first_expiry_is_found_in_any_order),
                cmocka_unit_test(
                        test_an_error_is_a_change_until_the_limit_and_invalid_from_then_on),
                cmocka_unit_test(
                        test_files_that_changed_during_every_read_are_a_change_until_the_limit),
                cmocka_unit_test(test_errors_of_the_clock_alone_are_named_at_once),
                cmocka_unit_test(test_errors_of_the_clock_and_others_together_are_a_change),
                cmocka_unit_test(test_omitted_problems_may_be_other_errors_than_those_of_the_clock),
                cmocka_unit_test(test_a_set_without_a_single_file_is_missing_at_once),
                cmocka_unit_test(
                        test_a_missing_file_is_a_change_until_the_limit_and_missing_from_then_on),
                cmocka_unit_test(test_only_a_valid_or_expiring_set_may_be_imported),
                cmocka_unit_test(test_states_are_spelled_as_documented),
                cmocka_unit_test(test_a_report_with_a_value_that_its_type_lacks_is_invalid),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
