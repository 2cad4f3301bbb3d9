#include "tests/unit/test.h"

#include "common/macro.h"
#include "daemon/model/status.h"

#define ROW(io, sql) .known = true, .configured = true, .io_running = io, .sql_running = sql

static void test_the_health_of_a_cluster_follows_from_state_replication_and_warning(void **state)
{
        static const struct {
                ClusterState state;
                Health neither, warning, failing;
        } cases[] = {
                {CLUSTER_WAITING, HEALTH_OK, HEALTH_WARNING, HEALTH_CRITICAL},
                {CLUSTER_IMPORTING, HEALTH_OK, HEALTH_WARNING, HEALTH_CRITICAL},
                {CLUSTER_CURRENT, HEALTH_OK, HEALTH_WARNING, HEALTH_CRITICAL},
                {CLUSTER_RETRYING, HEALTH_WARNING, HEALTH_WARNING, HEALTH_CRITICAL},
                {CLUSTER_HELD, HEALTH_CRITICAL, HEALTH_CRITICAL, HEALTH_CRITICAL},
                {CLUSTER_DISABLED, HEALTH_OK, HEALTH_OK, HEALTH_OK},
        };

        Replication running = {ROW("Yes", "Yes"), .lag_known = true};
        Replication failing = {ROW("Connecting", "Yes"), .io_errno = 2026};

        assert_int_equal(ARRAY_SIZE(cases), _CLUSTER_STATE_MAX);
        for (unsigned i = 0; i < _CLUSTER_STATE_MAX; i++) {
                ClusterState one = cases[i].state;

                assert_int_equal(one, i);
                assert_int_equal(health_of_cluster(one, &running, false), cases[i].neither);
                assert_int_equal(health_of_cluster(one, &running, true), cases[i].warning);
                assert_int_equal(health_of_cluster(one, &failing, false), cases[i].failing);
                assert_int_equal(health_of_cluster(one, &failing, true), cases[i].failing);
        }
}

static void test_each_state_of_replication_has_its_health(void **state)
{
        static const struct {
                const char *what;
                Replication replication;
                Health health;
        } cases[] = {
                {"not read", {0}, HEALTH_OK},
                {"none", {.known = true}, HEALTH_OK},
                {"runs", {ROW("Yes", "Yes"), .lag_known = true}, HEALTH_OK},
                {"connects", {ROW("Connecting", "Yes")}, HEALTH_OK},
                {"lag unknown", {ROW("Yes", "Yes")}, HEALTH_WARNING},
                {"threads unknown", {ROW("", "")}, HEALTH_WARNING},
                {"stopped by a person", {ROW("No", "No")}, HEALTH_WARNING},
                {"I/O stopped by a person", {ROW("No", "Yes")}, HEALTH_WARNING},
                {"left stopped", {ROW("No", "No"), .stopped_by_us = true}, HEALTH_CRITICAL},
                {"I/O fails", {ROW("No", "Yes"), .io_errno = 1236}, HEALTH_CRITICAL},
                {"SQL fails", {ROW("Yes", "No"), .sql_errno = 1062}, HEALTH_CRITICAL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(health_of_cluster(CLUSTER_CURRENT, &cases[i].replication, false),
                        cases[i].health);
}

static void test_an_import_that_runs_may_have_stopped_replication(void **state)
{
        Replication stopped = {ROW("No", "No"), .stopped_by_us = true};

        assert_int_equal(health_of_cluster(CLUSTER_IMPORTING, &stopped, false), HEALTH_OK);
        assert_int_equal(health_of_cluster(CLUSTER_WAITING, &stopped, false), HEALTH_CRITICAL);
        assert_int_equal(health_of_cluster(CLUSTER_DISABLED, &stopped, false), HEALTH_OK);
}

static void test_a_reimport_failed_if_the_last_attempt_with_the_imported_set_did(void **state)
{
        for (ClusterState one = 0; one < _CLUSTER_STATE_MAX; one++)
                for (OutcomeKind kind = 0; kind < _OUTCOME_KIND_MAX; kind++) {
                        assert_int_equal(cluster_reimport_failed(one, kind, true),
                                one == CLUSTER_CURRENT && !outcome_is_success(kind));
                        assert_false(cluster_reimport_failed(one, kind, false));
                }
}

static void test_without_an_attempt_no_reimport_failed(void **state)
{
        assert_false(cluster_reimport_failed(CLUSTER_CURRENT, _OUTCOME_KIND_MAX, true));
}

static void test_cluster_states_are_spelled_as_documented(void **state)
{
        static const char *const names[] = {
                "waiting", "importing", "current", "retrying", "held", "disabled"};

        assert_int_equal(ARRAY_SIZE(names), _CLUSTER_STATE_MAX);
        for (ClusterState one = 0; one < _CLUSTER_STATE_MAX; one++)
                assert_string_equal(cluster_state_to_string(one), names[one]);
        assert_string_equal(cluster_state_to_string(_CLUSTER_STATE_MAX), "");
}

static void test_a_value_that_is_no_material_state_is_critical(void **state)
{
        assert_int_equal(health_of_material(_MATERIAL_STATE_MAX, true, WAVE_NONE), HEALTH_CRITICAL);
}

static void test_a_stopped_wave_is_critical(void **state)
{
        for (WaveState one = 0; one <= _WAVE_STATE_MAX; one++)
                assert_int_equal(health_of_material(MATERIAL_STATE_VALID, true, one),
                        one == WAVE_STOPPED ? HEALTH_CRITICAL : HEALTH_OK);
}

static void test_a_file_system_that_does_not_respond_is_at_least_a_warning(void **state)
{
        for (MaterialState one = 0; one <= _MATERIAL_STATE_MAX; one++) {
                Health responding = health_of_material(one, true, WAVE_NONE);

                assert_int_equal(health_of_material(one, false, WAVE_NONE),
                        responding > HEALTH_WARNING ? responding : HEALTH_WARNING);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        test_the_health_of_a_cluster_follows_from_state_replication_and_warning),
                cmocka_unit_test(test_each_state_of_replication_has_its_health),
                cmocka_unit_test(test_an_import_that_runs_may_have_stopped_replication),
                cmocka_unit_test(
                        test_a_reimport_failed_if_the_last_attempt_with_the_imported_set_did),
                cmocka_unit_test(test_without_an_attempt_no_reimport_failed),
                cmocka_unit_test(test_cluster_states_are_spelled_as_documented),
                cmocka_unit_test(test_a_value_that_is_no_material_state_is_critical),
                cmocka_unit_test(test_a_stopped_wave_is_critical),
                cmocka_unit_test(test_a_file_system_that_does_not_respond_is_at_least_a_warning),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
