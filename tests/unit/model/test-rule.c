#include "tests/unit/test.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "common/macro.h"
#include "daemon/model/rule.h"

static void test_every_rule_has_a_name_and_a_next_step_of_one_line(void **state)
{
        for (Rule rule = 0; rule < _RULE_MAX; rule++) {
                const char *name = rule_to_string(rule), *next_step = rule_next_step(rule);

                assert_non_null(name);
                assert_non_null(next_step);
                assert_string_not_equal(name, "");
                assert_string_not_equal(next_step, "");
                assert_null(strchr(next_step, '\n'));
                for (const char *byte = name; *byte; byte++)
                        assert_true(islower((unsigned char)*byte) || *byte == '-');
        }
}

static void test_every_name_is_unique_and_read_back(void **state)
{
        for (Rule rule = 0; rule < _RULE_MAX; rule++) {
                Rule back = _RULE_MAX;

                assert_int_equal(rule_from_string(&back, rule_to_string(rule)), 0);
                assert_int_equal(back, rule); /* the first rule of that name */
        }
}

static void test_a_name_of_no_rule_is_refused(void **state)
{
        static const char *const names[] = {"", "key", "Key-bits", "key-bits ", "key_bits"};
        Rule rule = RULE_KEY_BITS;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                assert_int_equal(rule_from_string(&rule, names[i]), -EINVAL);
        assert_int_equal(rule, RULE_KEY_BITS);
}

static void test_every_rule_needs_a_stage_of_at_least_one_file(void **state)
{
        for (Rule rule = 0; rule < _RULE_MAX; rule++) {
                unsigned n_files = 0;

                for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++) {
                        n_files += rule_needs(rule, file, FILE_STAGE_NOTHING);
                        assert_false(rule_needs(rule, file, FILE_STAGE_PARSED));
                }
                assert_true(n_files > 0);
        }
}

/* A violation proves that the stage was reached. */
static void test_a_violation_ends_the_reading_no_earlier_than_its_rule_needs(void **state)
{
        for (Rule rule = 0; rule < _RULE_MAX; rule++)
                for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++)
                        if (rule != RULE_FILE_UNREADABLE)
                                assert_false(rule_needs(rule, file, rule_ends_at(rule)));
        /* A directory of the path may be the reason, so not even the name is known to exist. */
        assert_int_equal(rule_ends_at(RULE_FILE_UNREADABLE), FILE_STAGE_NOTHING);
        assert_true(rule_needs(RULE_FILE_MISSING, MATERIAL_KEY, FILE_STAGE_NOTHING));
}

static void test_a_rule_of_two_files_needs_both_and_not_the_third(void **state)
{
        assert_true(rule_needs(RULE_KEY_MISMATCH, MATERIAL_CERT, FILE_STAGE_BLOCKS));
        assert_true(rule_needs(RULE_KEY_MISMATCH, MATERIAL_KEY, FILE_STAGE_BLOCKS));
        assert_false(rule_needs(RULE_KEY_MISMATCH, MATERIAL_CA, FILE_STAGE_NOTHING));
        assert_true(rule_needs(RULE_KEY_PERMISSIONS, MATERIAL_KEY, FILE_STAGE_OPEN));
        assert_false(rule_needs(RULE_KEY_PERMISSIONS, MATERIAL_KEY, FILE_STAGE_SIZE));
}

static void test_a_value_that_is_no_rule_is_empty(void **state)
{
        assert_string_equal(rule_to_string(_RULE_MAX), "");
        assert_string_equal(rule_next_step(_RULE_MAX), "");
        assert_false(rule_needs(_RULE_MAX, MATERIAL_KEY, FILE_STAGE_NOTHING));
        assert_false(rule_needs(RULE_KEY_BITS, _MATERIAL_FILE_MAX, FILE_STAGE_NOTHING));
        assert_int_equal(rule_ends_at(_RULE_MAX), FILE_STAGE_PARSED);
}

static void test_severities_are_spelled_as_documented(void **state)
{
        assert_string_equal(severity_to_string(SEVERITY_WARNING), "warning");
        assert_string_equal(severity_to_string(SEVERITY_ERROR), "error");
        assert_string_equal(severity_to_string(_SEVERITY_MAX), "");
}

static void test_only_what_a_half_written_set_violates_can_pass(void **state)
{
        assert_true(rule_can_pass(RULE_FILE_MISSING));
        assert_true(rule_can_pass(RULE_PEM_MALFORMED));
        assert_true(rule_can_pass(RULE_KEY_MISMATCH));
        assert_true(rule_can_pass(RULE_CHAIN_BROKEN));
        assert_false(rule_can_pass(RULE_FILE_UNREADABLE));
        assert_false(rule_can_pass(RULE_KEY_TYPE));
        assert_false(rule_can_pass(RULE_CERT_EXPIRED));
        assert_false(rule_can_pass(_RULE_MAX));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_rule_has_a_name_and_a_next_step_of_one_line),
                cmocka_unit_test(test_every_name_is_unique_and_read_back),
                cmocka_unit_test(test_a_name_of_no_rule_is_refused),
                cmocka_unit_test(test_every_rule_needs_a_stage_of_at_least_one_file),
                cmocka_unit_test(test_a_violation_ends_the_reading_no_earlier_than_its_rule_needs),
                cmocka_unit_test(test_a_rule_of_two_files_needs_both_and_not_the_third),
                cmocka_unit_test(test_a_value_that_is_no_rule_is_empty),
                cmocka_unit_test(test_severities_are_spelled_as_documented),
                cmocka_unit_test(test_only_what_a_half_written_set_violates_can_pass),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
