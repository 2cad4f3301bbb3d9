#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "common/text.h"
#include "ctl/output/rule-verdict.h"

static void add(Problem *ret, MaterialFile file, Rule rule, Severity severity, const char *text)
{
        *ret = (Problem){.file = file, .rule = rule, .severity = severity};
        text_set(ret->text, sizeof(ret->text), text);
}

/* The inspection of a set with one problem; all other rules pass unless the test says otherwise. */
static Inspection with_problem(Problem *problem, MaterialFile file, Rule rule, Severity severity)
{
        add(problem, file, rule, severity, "violated");
        return (Inspection){.evaluated = true, .problems = problem, .n_problems = 1};
}

static bool is_in(Rule rule, const Rule *rules)
{
        for (; *rules != _RULE_MAX; rules++)
                if (*rules == rule)
                        return true;
        return false;
}

/* The rule is broken, the rules of the list, which ends with _RULE_MAX, are not judged, and all
 * others pass. */
static void expect_not_judged(const Inspection *inspection, Rule broken, const Rule *not_judged)
{
        for (Rule rule = 0; rule < _RULE_MAX; rule++) {
                RuleVerdict expected = rule == broken ? RULE_VERDICT_BROKEN
                        : is_in(rule, not_judged)     ? RULE_VERDICT_NOT_JUDGED
                                                      : RULE_VERDICT_PASSED;
                RuleVerdict verdict = rule_verdict_of(inspection, rule);

                if (verdict != expected)
                        fail_msg("%s with %s broken: %s, not %s", rule_to_string(rule),
                                rule_to_string(broken), rule_verdict_to_string(verdict),
                                rule_verdict_to_string(expected));
        }
}

#define CONTENT_OF_CA                                                                           \
        RULE_PEM_IGNORED, RULE_KEY_BITS, RULE_CERT_IS_CA, RULE_CERT_USAGE, RULE_CERT_SIGNATURE, \
                RULE_CHAIN_BROKEN, RULE_CA_NOT_A_CA, RULE_CA_EXPIRED, RULE_CA_CONSTRAINT,       \
                RULE_SAME_COMMON_NAME
#define CONTENT_OF_CERT                                                                          \
        RULE_PEM_IGNORED, RULE_KEY_BITS, RULE_KEY_MISMATCH, RULE_KEY_DAMAGED, RULE_CERT_EXPIRED, \
                RULE_CERT_NOT_YET_VALID, RULE_CERT_IS_CA, RULE_CERT_USAGE, RULE_CERT_SIGNATURE,  \
                RULE_CHAIN_BROKEN, RULE_CA_EXPIRED, RULE_CA_CONSTRAINT, RULE_SAME_COMMON_NAME,   \
                RULE_EXPIRES_SOON
#define CONTENT_OF_KEY RULE_KEY_TYPE, RULE_KEY_BITS, RULE_KEY_MISMATCH, RULE_KEY_DAMAGED

static void test_without_problems_every_rule_passes(void **state)
{
        const Inspection inspection = {.evaluated = true};
        static const Rule none[] = {_RULE_MAX};

        expect_not_judged(&inspection, _RULE_MAX, none);
}

static void test_without_an_evaluation_no_rule_is_judged(void **state)
{
        const Inspection inspection = {.evaluated = false};

        for (Rule rule = 0; rule < _RULE_MAX; rule++)
                assert_int_equal(rule_verdict_of(&inspection, rule), RULE_VERDICT_NOT_JUDGED);
}

static void test_a_key_that_cannot_be_reached_leaves_everything_of_it_open(void **state)
{
        Problem problem;
        const Inspection inspection =
                with_problem(&problem, MATERIAL_KEY, RULE_FILE_UNREADABLE, SEVERITY_ERROR);
        static const Rule rules[] = {RULE_FILE_MISSING, RULE_FILE_KIND, RULE_FILE_SIZE,
                RULE_PEM_MALFORMED, RULE_PEM_EMPTY, RULE_KEY_ENCRYPTED, RULE_KEY_PERMISSIONS,
                CONTENT_OF_KEY, _RULE_MAX};

        expect_not_judged(&inspection, RULE_FILE_UNREADABLE, rules);
}

static void test_a_missing_key_leaves_kind_and_content_open(void **state)
{
        Problem problem;
        const Inspection inspection =
                with_problem(&problem, MATERIAL_KEY, RULE_FILE_MISSING, SEVERITY_ERROR);
        static const Rule rules[] = {RULE_FILE_UNREADABLE, RULE_FILE_KIND, RULE_FILE_SIZE,
                RULE_PEM_MALFORMED, RULE_PEM_EMPTY, RULE_KEY_ENCRYPTED, RULE_KEY_PERMISSIONS,
                CONTENT_OF_KEY, _RULE_MAX};

        expect_not_judged(&inspection, RULE_FILE_MISSING, rules);
}

static void test_a_key_of_another_kind_leaves_its_content_open(void **state)
{
        Problem problem;
        const Inspection inspection =
                with_problem(&problem, MATERIAL_KEY, RULE_FILE_KIND, SEVERITY_ERROR);
        static const Rule rules[] = {RULE_FILE_UNREADABLE, RULE_FILE_SIZE, RULE_PEM_MALFORMED,
                RULE_PEM_EMPTY, RULE_KEY_ENCRYPTED, RULE_KEY_PERMISSIONS, CONTENT_OF_KEY,
                _RULE_MAX};

        expect_not_judged(&inspection, RULE_FILE_KIND, rules);
}

static void test_a_key_that_is_too_large_has_known_permissions(void **state)
{
        Problem problem;
        const Inspection inspection =
                with_problem(&problem, MATERIAL_KEY, RULE_FILE_SIZE, SEVERITY_ERROR);
        static const Rule rules[] = {
                RULE_PEM_MALFORMED, RULE_PEM_EMPTY, RULE_KEY_ENCRYPTED, CONTENT_OF_KEY, _RULE_MAX};

        expect_not_judged(&inspection, RULE_FILE_SIZE, rules);
}

static void test_a_key_that_is_no_pem_or_encrypted_leaves_the_key_itself_open(void **state)
{
        static const Rule broken[] = {RULE_PEM_MALFORMED, RULE_PEM_EMPTY, RULE_KEY_ENCRYPTED};
        static const Rule rules[] = {CONTENT_OF_KEY, _RULE_MAX};

        for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
                Problem problem;
                const Inspection inspection =
                        with_problem(&problem, MATERIAL_KEY, broken[i], SEVERITY_ERROR);

                expect_not_judged(&inspection, broken[i], rules);
        }
}

static void test_a_rule_about_the_content_leaves_no_other_open(void **state)
{
        static const Rule none[] = {_RULE_MAX};

        for (Rule rule = RULE_KEY_TYPE; rule < _RULE_MAX; rule++) {
                Problem problem;
                const Inspection inspection =
                        with_problem(&problem, MATERIAL_CERT, rule, SEVERITY_ERROR);

                expect_not_judged(&inspection, rule, none);
        }
}

static void test_a_certificate_without_blocks_leaves_the_rules_about_it_open(void **state)
{
        Problem problem;
        const Inspection inspection =
                with_problem(&problem, MATERIAL_CERT, RULE_PEM_EMPTY, SEVERITY_ERROR);
        static const Rule rules[] = {CONTENT_OF_CERT, _RULE_MAX};

        expect_not_judged(&inspection, RULE_PEM_EMPTY, rules);
}

static void test_a_ca_without_blocks_leaves_the_rules_about_it_open(void **state)
{
        Problem problem;
        const Inspection inspection =
                with_problem(&problem, MATERIAL_CA, RULE_PEM_EMPTY, SEVERITY_ERROR);
        static const Rule rules[] = {CONTENT_OF_CA, _RULE_MAX};

        expect_not_judged(&inspection, RULE_PEM_EMPTY, rules);
}

static void test_an_error_counts_more_than_a_warning_of_the_same_rule(void **state)
{
        Problem problems[2];
        Inspection inspection = {.evaluated = true, .problems = problems, .n_problems = 1};

        add(&problems[0], MATERIAL_CERT, RULE_CA_EXPIRED, SEVERITY_WARNING, "first");
        add(&problems[1], MATERIAL_CERT, RULE_CA_EXPIRED, SEVERITY_ERROR, "second");
        assert_int_equal(rule_verdict_of(&inspection, RULE_CA_EXPIRED), RULE_VERDICT_WARNING);
        inspection.n_problems = 2;
        assert_int_equal(rule_verdict_of(&inspection, RULE_CA_EXPIRED), RULE_VERDICT_BROKEN);
}

static void test_a_problem_is_shown_though_the_rule_could_not_be_judged_whole(void **state)
{
        Problem problems[2];
        const Inspection inspection = {.evaluated = true, .problems = problems, .n_problems = 2};

        add(&problems[0], MATERIAL_KEY, RULE_FILE_MISSING, SEVERITY_ERROR, "gone");
        add(&problems[1], MATERIAL_CERT, RULE_PEM_EMPTY, SEVERITY_ERROR, "nothing in it");
        assert_int_equal(rule_verdict_of(&inspection, RULE_PEM_EMPTY), RULE_VERDICT_BROKEN);
}

static void test_a_rule_of_a_newer_daemon_leaves_the_others_alone(void **state)
{
        Problem problem;
        const Inspection inspection =
                with_problem(&problem, MATERIAL_KEY, _RULE_MAX, SEVERITY_ERROR);
        static const Rule none[] = {_RULE_MAX};

        expect_not_judged(&inspection, _RULE_MAX, none);
}

static void test_a_rule_that_is_switched_off_is_off(void **state)
{
        MaterialConfig config = {.chain = POLICY_IGNORE};
        const Inspection inspection = {.evaluated = true, .config = &config};

        assert_int_equal(rule_verdict_of(&inspection, RULE_CHAIN_BROKEN), RULE_VERDICT_OFF);
        assert_int_equal(rule_verdict_of(&inspection, RULE_KEY_PERMISSIONS), RULE_VERDICT_PASSED);
        config = (MaterialConfig){.key_permissions = POLICY_IGNORE};
        assert_int_equal(rule_verdict_of(&inspection, RULE_CHAIN_BROKEN), RULE_VERDICT_PASSED);
        assert_int_equal(rule_verdict_of(&inspection, RULE_KEY_PERMISSIONS), RULE_VERDICT_OFF);
}

static void test_a_rule_that_is_switched_off_stays_off_when_nothing_was_evaluated(void **state)
{
        const MaterialConfig config = {.chain = POLICY_IGNORE};
        const Inspection inspection = {.evaluated = false, .config = &config};

        assert_int_equal(rule_verdict_of(&inspection, RULE_CHAIN_BROKEN), RULE_VERDICT_OFF);
}

static void test_verdicts_are_spelled_as_promised(void **state)
{
        static const char *const names[] = {"broken", "warning", "passed", "off", "not_judged"};

        assert_int_equal(ARRAY_SIZE(names), _RULE_VERDICT_MAX);
        for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
                assert_string_equal(rule_verdict_to_string((RuleVerdict)i), names[i]);
        assert_string_equal(rule_verdict_to_string(_RULE_VERDICT_MAX), "");
}

static void test_the_json_has_every_rule_with_its_problems(void **state)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        CLEANUP(freep) char *text = NULL;
        CLEANUP(json_freep) JsonValue *array = NULL;
        Problem problem;
        const Inspection inspection =
                with_problem(&problem, MATERIAL_KEY, RULE_KEY_MISMATCH, SEVERITY_ERROR);

        rule_verdict_write(writer, &inspection);
        assert_int_equal(json_writer_finish(writer, &text), 0);
        assert_int_equal(json_parse(&array, text, strlen(text)), 0);
        assert_int_equal(json_size(array), _RULE_MAX);
        for (Rule rule = 0; rule < _RULE_MAX; rule++) {
                const JsonValue *element = json_element(array, rule);
                const JsonValue *problems = json_member(element, "problems");
                bool broken = rule == RULE_KEY_MISMATCH;

                assert_string_equal(
                        json_get_string(json_member(element, "rule")), rule_to_string(rule));
                assert_string_equal(json_get_string(json_member(element, "verdict")),
                        broken ? "broken" : "passed");
                assert_true(json_is_array(problems));
                assert_int_equal(json_size(problems), broken);
                if (!broken)
                        continue;
                assert_string_equal(
                        json_get_string(json_member(json_element(problems, 0), "file")), "key");
                assert_string_equal(json_get_string(json_member(json_element(problems, 0), "text")),
                        "violated");
        }
}

/* What is printed, as a heap string. */
static char *print(const Inspection *inspection)
{
        char *text = NULL;
        size_t size;
        Terminal terminal = {.columns = TERMINAL_COLUMNS_MAX};

        terminal.stream = open_memstream(&text, &size);
        assert_non_null(terminal.stream);
        rule_verdict_print(&terminal, inspection);
        assert_int_equal(fclose(terminal.stream), 0);
        return text;
}

static void test_problems_are_printed_with_one_next_step_before_the_other_rules(void **state)
{
        const MaterialConfig config = {.chain = POLICY_IGNORE};
        Problem problems[3];
        const Inspection inspection = {
                .evaluated = true, .problems = problems, .n_problems = 3, .config = &config};
        CLEANUP(freep) char *text = NULL;
        const char *next;

        add(&problems[0], MATERIAL_KEY, RULE_KEY_PERMISSIONS, SEVERITY_WARNING, "mode 0644");
        add(&problems[1], MATERIAL_CA, RULE_PEM_EMPTY, SEVERITY_ERROR, "ca: nothing");
        add(&problems[2], MATERIAL_CERT, RULE_PEM_EMPTY, SEVERITY_ERROR, "cert: nothing");
        text = print(&inspection);
        assert_memory_equal(text, "  broken      pem-empty\n", strlen("  broken      pem-empty\n"));
        assert_non_null(strstr(text, "why:  ca: nothing\n"));
        assert_non_null(strstr(text, "why:  cert: nothing\n"));
        next = strstr(text, "next: it must be PEM");
        assert_non_null(next);
        assert_null(strstr(next + 1, "next: it must be PEM"));
        assert_true(strstr(text, "\n  warning     key-permissions\n") > strstr(text, "pem-empty"));
        assert_non_null(strstr(text, "\n  passed      file-missing, "));
        assert_non_null(strstr(text, "\n  off         chain-broken\n"));
        assert_non_null(strstr(text, "\n  not judged  pem-ignored, key-bits, key-mismatch, "));
}

static void test_a_rule_of_a_newer_daemon_is_printed_without_next_step(void **state)
{
        Problem problem;
        const Inspection inspection =
                with_problem(&problem, MATERIAL_KEY, _RULE_MAX, SEVERITY_ERROR);
        CLEANUP(freep) char *text = print(&inspection);

        assert_non_null(strstr(text, "  broken      a newer rule\n"));
        assert_non_null(strstr(text, "why:  violated\n"));
        assert_null(strstr(text, "next: "));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_without_problems_every_rule_passes),
                cmocka_unit_test(test_without_an_evaluation_no_rule_is_judged),
                cmocka_unit_test(test_a_key_that_cannot_be_reached_leaves_everything_of_it_open),
                cmocka_unit_test(test_a_missing_key_leaves_kind_and_content_open),
                cmocka_unit_test(test_a_key_of_another_kind_leaves_its_content_open),
                cmocka_unit_test(test_a_key_that_is_too_large_has_known_permissions),
                cmocka_unit_test(test_a_key_that_is_no_pem_or_encrypted_leaves_the_key_itself_open),
                cmocka_unit_test(test_a_rule_about_the_content_leaves_no_other_open),
                cmocka_unit_test(test_a_certificate_without_blocks_leaves_the_rules_about_it_open),
                cmocka_unit_test(test_a_ca_without_blocks_leaves_the_rules_about_it_open),
                cmocka_unit_test(test_an_error_counts_more_than_a_warning_of_the_same_rule),
                cmocka_unit_test(test_a_problem_is_shown_though_the_rule_could_not_be_judged_whole),
                cmocka_unit_test(test_a_rule_of_a_newer_daemon_leaves_the_others_alone),
                cmocka_unit_test(test_a_rule_that_is_switched_off_is_off),
                cmocka_unit_test(
                        test_a_rule_that_is_switched_off_stays_off_when_nothing_was_evaluated),
                cmocka_unit_test(test_verdicts_are_spelled_as_promised),
                cmocka_unit_test(test_the_json_has_every_rule_with_its_problems),
                cmocka_unit_test(
                        test_problems_are_printed_with_one_next_step_before_the_other_rules),
                cmocka_unit_test(test_a_rule_of_a_newer_daemon_is_printed_without_next_step),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
