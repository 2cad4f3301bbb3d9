#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "common/text.h"
#include "ctl/output/next-step.h"

static void expect_material(const MaterialInfo *material, const char *step)
{
        char text[NEXT_STEP_MAX];

        next_step_material(text, sizeof(text), material);
        assert_string_equal(text, step);
}

static void expect_cluster(const ClusterInfo *cluster, const char *step)
{
        char text[NEXT_STEP_MAX];

        next_step_cluster(text, sizeof(text), cluster);
        assert_string_equal(text, step);
}

static MaterialInfo invalid_material(void)
{
        return (MaterialInfo){.name = "default",
                .state = MATERIAL_STATE_INVALID,
                .problems = {{.rule = RULE_KEY_MISMATCH, .severity = SEVERITY_ERROR},
                        {.rule = RULE_KEY_BITS, .severity = SEVERITY_ERROR}},
                .n_problems = 1};
}

static ClusterInfo held_cluster(void)
{
        return (ClusterInfo){.name = "orders",
                .material = "default",
                .state = CLUSTER_HELD,
                .outcome = OUTCOME_AUTH,
                .reason = "denied",
                .next_step = "check user"};
}

static void test_a_material_has_the_step_of_its_problem(void **state)
{
        MaterialInfo material = invalid_material();

        for (Rule rule = 0; rule < _RULE_MAX; rule++) {
                material.problems[0].rule = rule;
                expect_material(&material, rule_next_step(rule));
        }
}

static void test_the_first_problem_counts(void **state)
{
        MaterialInfo material = invalid_material();

        material.n_problems = 2;
        expect_material(&material, rule_next_step(RULE_KEY_MISMATCH));
}

static void test_an_error_counts_more_than_a_warning_before_it(void **state)
{
        MaterialInfo material = invalid_material();

        material.n_problems = 2;
        material.problems[0].severity = SEVERITY_WARNING;
        expect_material(&material, rule_next_step(RULE_KEY_BITS));
}

static void test_a_material_without_problem_has_no_step(void **state)
{
        MaterialInfo material = invalid_material();

        material.n_problems = 0;
        expect_material(&material, "");
}

static void test_a_rule_of_a_newer_daemon_has_no_step(void **state)
{
        MaterialInfo material = invalid_material();

        material.problems[0].rule = _RULE_MAX;
        expect_material(&material, "");
}

static void test_a_material_that_is_being_written_needs_no_step(void **state)
{
        MaterialInfo material = invalid_material();

        material.state = MATERIAL_STATE_CHANGING;
        expect_material(
                &material, "nothing yet: the set is validated again when the rest is written");
}

static void test_a_failed_cluster_has_the_step_of_the_service(void **state)
{
        ClusterInfo cluster = held_cluster();

        expect_cluster(&cluster, "check user");
        cluster.state = CLUSTER_RETRYING;
        expect_cluster(&cluster, "check user");
}

static void test_a_failed_cluster_without_step_has_that_of_its_outcome(void **state)
{
        for (OutcomeKind kind = 0; kind <= _OUTCOME_KIND_MAX; kind++) {
                ClusterInfo cluster = held_cluster();

                cluster.next_step[0] = '\0';
                cluster.outcome = kind;
                assert_string_not_equal(outcome_retry_note(kind), "");
                expect_cluster(&cluster, outcome_retry_note(kind));
        }
}

static void test_a_waiting_cluster_names_its_material(void **state)
{
        ClusterInfo cluster = held_cluster();

        cluster.state = CLUSTER_WAITING;
        expect_cluster(&cluster, "check user"); /* it waits for the canary */
        cluster.next_step[0] = '\0';
        expect_cluster(&cluster, "fix material default; the import then starts by itself");
}

static void test_a_disabled_cluster_can_be_enabled(void **state)
{
        ClusterInfo cluster = held_cluster();

        cluster.state = CLUSTER_DISABLED;
        expect_cluster(&cluster, "check user"); /* of a failed removal, or of stopped replication */
        cluster.next_step[0] = '\0';
        expect_cluster(&cluster, "to import into this cluster, set enabled = yes and reload");
}

static void test_an_importing_cluster_has_the_step_of_the_failure_before(void **state)
{
        ClusterInfo cluster = held_cluster();

        cluster.state = CLUSTER_IMPORTING;
        expect_cluster(&cluster, "check user");
        cluster.next_step[0] = '\0';
        expect_cluster(&cluster, "");
        cluster.state = _CLUSTER_STATE_MAX;
        expect_cluster(&cluster, "");
}

static void test_a_current_cluster_has_the_step_of_the_service_or_none(void **state)
{
        ClusterInfo cluster = held_cluster();

        cluster.state = CLUSTER_CURRENT;
        cluster.outcome = OUTCOME_IMPORTED;
        expect_cluster(&cluster, "check user");
        cluster.next_step[0] = '\0';
        expect_cluster(&cluster, "");
}

static void test_only_a_failed_cluster_has_a_command(void **state)
{
        for (ClusterState one = 0; one <= _CLUSTER_STATE_MAX; one++) {
                ClusterInfo cluster = held_cluster();
                char text[NEXT_STEP_MAX];

                cluster.state = one;
                next_step_cluster_command(text, sizeof(text), &cluster);
                assert_string_equal(text,
                        one == CLUSTER_HELD || one == CLUSTER_RETRYING
                                ? "binlog-sslctl import --wait orders"
                                : "");
        }
}

static void test_only_a_material_that_cannot_be_imported_has_a_command(void **state)
{
        for (MaterialState one = 0; one <= _MATERIAL_STATE_MAX; one++) {
                MaterialInfo material = invalid_material();
                char text[NEXT_STEP_MAX];

                material.state = one;
                next_step_material_command(text, sizeof(text), &material);
                assert_string_equal(text,
                        one == MATERIAL_STATE_VALID || one == MATERIAL_STATE_EXPIRING
                                ? ""
                                : "binlog-sslctl explain default");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_material_has_the_step_of_its_problem),
                cmocka_unit_test(test_the_first_problem_counts),
                cmocka_unit_test(test_an_error_counts_more_than_a_warning_before_it),
                cmocka_unit_test(test_a_material_without_problem_has_no_step),
                cmocka_unit_test(test_a_rule_of_a_newer_daemon_has_no_step),
                cmocka_unit_test(test_a_material_that_is_being_written_needs_no_step),
                cmocka_unit_test(test_a_failed_cluster_has_the_step_of_the_service),
                cmocka_unit_test(test_a_failed_cluster_without_step_has_that_of_its_outcome),
                cmocka_unit_test(test_a_waiting_cluster_names_its_material),
                cmocka_unit_test(test_a_disabled_cluster_can_be_enabled),
                cmocka_unit_test(test_an_importing_cluster_has_the_step_of_the_failure_before),
                cmocka_unit_test(test_a_current_cluster_has_the_step_of_the_service_or_none),
                cmocka_unit_test(test_only_a_failed_cluster_has_a_command),
                cmocka_unit_test(test_only_a_material_that_cannot_be_imported_has_a_command),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
