#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/macro.h"
#include "ctl/client/status-info.h"

static int put_material(StatusInfo *info, const char *name, const char *state_name,
        const char *fingerprint, bool changed)
{
        CLEANUP(json_freep) JsonValue *value = NULL;
        char text[256];
        int n = snprintf(text, sizeof(text),
                "{\"name\":\"%s\",\"state\":\"%s\",\"fingerprint\":\"%s\"}", name, state_name,
                fingerprint);

        assert_int_equal(json_parse(&value, text, (size_t)n), 0);
        return status_info_put_material(info, value, changed);
}

static int put_cluster(StatusInfo *info, const char *name, const char *state_name,
        const char *material, bool changed)
{
        CLEANUP(json_freep) JsonValue *value = NULL;
        char text[256];
        int n = snprintf(text, sizeof(text),
                "{\"name\":\"%s\",\"state\":\"%s\",\"material\":\"%s\"}", name, state_name,
                material);

        assert_int_equal(json_parse(&value, text, (size_t)n), 0);
        return status_info_put_cluster(info, value, changed);
}

/* One material and one cluster, as part of the present state. */
static StatusInfo make_info(void)
{
        StatusInfo info = STATUS_INFO_NULL;

        assert_int_equal(put_material(&info, "default", "valid", "aaaa", false), 0);
        assert_int_equal(put_cluster(&info, "orders", "current", "default", false), 0);
        return info;
}

static void test_the_present_state_is_no_change(void **state)
{
        CLEANUP(status_info_done) StatusInfo info = make_info();

        assert_false(info.materials[0].changed);
        assert_false(info.clusters[0].changed);
}

static void test_the_same_name_replaces_the_value(void **state)
{
        CLEANUP(status_info_done) StatusInfo info = make_info();

        assert_int_equal(put_material(&info, "default", "expired", "aaaa", false), 0);
        assert_int_equal(put_cluster(&info, "orders", "held", "default", false), 0);
        assert_int_equal(info.n_materials, 1);
        assert_int_equal(info.materials[0].state, MATERIAL_STATE_EXPIRED);
        assert_non_null(strstr(info.materials[0].json, "expired"));
        assert_int_equal(info.n_clusters, 1);
        assert_int_equal(info.clusters[0].state, CLUSTER_HELD);
        assert_non_null(strstr(info.clusters[0].json, "held"));
}

static void test_another_name_is_added(void **state)
{
        CLEANUP(status_info_done) StatusInfo info = make_info();

        assert_int_equal(put_material(&info, "second", "valid", "aaaa", false), 0);
        assert_int_equal(put_cluster(&info, "users", "current", "default", false), 0);
        assert_int_equal(info.n_materials, 2);
        assert_string_equal(status_info_material(&info, "second")->name, "second");
        assert_int_equal(info.n_clusters, 2);
        assert_string_equal(status_info_cluster(&info, "users")->name, "users");
        assert_null(status_info_material(&info, "users"));
        assert_null(status_info_cluster(&info, "second"));
}

static void test_a_refused_value_changes_nothing(void **state)
{
        CLEANUP(status_info_done) StatusInfo info = make_info();

        assert_int_equal(put_material(&info, "default", "", "aaaa", true), -EBADMSG);
        assert_int_equal(put_material(&info, "", "valid", "aaaa", true), -EBADMSG);
        assert_int_equal(put_cluster(&info, "orders", "", "default", true), -EBADMSG);
        assert_int_equal(put_cluster(&info, "", "held", "default", true), -EBADMSG);
        assert_int_equal(info.n_materials, 1);
        assert_string_equal(info.materials[0].state_text, "valid");
        assert_int_equal(info.n_clusters, 1);
        assert_string_equal(info.clusters[0].state_text, "current");
}

static void test_removing_removes_the_one_with_that_name(void **state)
{
        CLEANUP(status_info_done) StatusInfo info = make_info();

        assert_int_equal(put_material(&info, "second", "valid", "aaaa", false), 0);
        assert_int_equal(put_cluster(&info, "users", "current", "default", false), 0);
        status_info_remove_material(&info, "default");
        status_info_remove_cluster(&info, "orders");
        assert_int_equal(info.n_materials, 1);
        assert_null(status_info_material(&info, "default"));
        assert_non_null(status_info_material(&info, "second"));
        assert_int_equal(info.n_clusters, 1);
        assert_null(status_info_cluster(&info, "orders"));
        assert_non_null(status_info_cluster(&info, "users"));
}

static void test_removing_an_unknown_name_changes_nothing(void **state)
{
        CLEANUP(status_info_done) StatusInfo info = make_info();

        status_info_remove_material(&info, "orders");
        status_info_remove_cluster(&info, "default");
        assert_int_equal(info.n_materials, 1);
        assert_int_equal(info.n_clusters, 1);
}

static void test_an_event_with_another_state_or_set_changes_a_material(void **state)
{
        static const struct {
                const char *state, *fingerprint;
                bool event, changed;
        } cases[] = {
                {"valid", "aaaa", true, false},
                {"expired", "aaaa", true, true},
                {"valid", "bbbb", true, true},
                {"expired", "aaaa", false, false},
                {"valid", "bbbb", false, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(status_info_done) StatusInfo info = make_info();

                assert_int_equal(put_material(&info, "default", cases[i].state,
                                         cases[i].fingerprint, cases[i].event),
                        0);
                assert_int_equal(info.materials[0].changed, cases[i].changed);
        }
}

static void test_an_event_with_another_state_changes_a_cluster(void **state)
{
        static const struct {
                const char *state, *material;
                bool event, changed;
        } cases[] = {
                {"current", "default", true, false},
                {"held", "default", true, true},
                {"current", "second", true, false},
                {"held", "default", false, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(status_info_done) StatusInfo info = make_info();

                assert_int_equal(put_cluster(&info, "orders", cases[i].state, cases[i].material,
                                         cases[i].event),
                        0);
                assert_int_equal(info.clusters[0].changed, cases[i].changed);
        }
}

static void test_an_event_that_adds_is_a_change(void **state)
{
        CLEANUP(status_info_done) StatusInfo info = make_info();

        assert_int_equal(put_material(&info, "second", "valid", "aaaa", true), 0);
        assert_int_equal(put_cluster(&info, "users", "current", "default", true), 0);
        assert_true(status_info_material(&info, "second")->changed);
        assert_true(status_info_cluster(&info, "users")->changed);
}

static void test_a_later_event_keeps_a_change(void **state)
{
        CLEANUP(status_info_done) StatusInfo info = make_info();

        assert_int_equal(put_material(&info, "default", "expired", "aaaa", true), 0);
        assert_int_equal(put_cluster(&info, "orders", "held", "default", true), 0);
        assert_int_equal(put_material(&info, "default", "expired", "aaaa", true), 0);
        assert_int_equal(put_cluster(&info, "orders", "held", "default", true), 0);
        assert_true(info.materials[0].changed);
        assert_true(info.clusters[0].changed);
}

static void test_another_set_on_disk_ends_the_changes_of_its_clusters(void **state)
{
        CLEANUP(status_info_done) StatusInfo info = make_info();

        assert_int_equal(put_cluster(&info, "orders", "held", "default", true), 0);
        assert_int_equal(put_cluster(&info, "logs", "held", "second", true), 0);
        assert_int_equal(put_material(&info, "default", "expiring", "aaaa", true), 0);
        assert_true(status_info_cluster(&info, "orders")->changed);
        assert_int_equal(put_material(&info, "default", "expiring", "bbbb", true), 0);
        assert_false(status_info_cluster(&info, "orders")->changed);
        assert_true(status_info_cluster(&info, "logs")->changed);
}

static Health health_of(Health material_health, ClusterState state, Health cluster_health)
{
        MaterialInfo material = {.name = "default", .health = material_health};
        const ClusterInfo cluster = {
                .material = "default", .state = state, .health = cluster_health};
        const StatusInfo info = {.materials = &material, .n_materials = 1};

        return status_info_health(&info, &cluster);
}

static void test_the_health_of_a_cluster_is_the_worse_of_its_own_and_its_material_s(void **state)
{
        for (Health material = 0; material <= _HEALTH_MAX; material++)
                for (Health cluster = 0; cluster <= _HEALTH_MAX; cluster++) {
                        Health worse = material > cluster ? material : cluster;

                        assert_int_equal(health_of(material, CLUSTER_CURRENT, cluster), worse);
                        assert_int_equal(health_of(material, CLUSTER_DISABLED, cluster), cluster);
                }
}

static void test_a_cluster_without_its_material_has_its_own_health(void **state)
{
        const ClusterInfo cluster = {.material = "none", .health = HEALTH_WARNING};

        assert_int_equal(status_info_health(&STATUS_INFO_NULL, &cluster), HEALTH_WARNING);
}

static void test_health_and_next_step_are_read(void **state)
{
        CLEANUP(status_info_done) StatusInfo info = make_info();
        CLEANUP(json_freep) JsonValue *value = NULL;
        const char text[] = "{\"name\":\"orders\",\"state\":\"held\",\"health\":\"critical\","
                            "\"next_step\":\"GRANT it\"}";

        assert_int_equal(info.clusters[0].health, _HEALTH_MAX);
        assert_int_equal(info.materials[0].health, _HEALTH_MAX);
        assert_int_equal(json_parse(&value, text, sizeof(text) - 1), 0);
        assert_int_equal(status_info_put_cluster(&info, value, true), 0);
        assert_int_equal(info.clusters[0].health, HEALTH_CRITICAL);
        assert_string_equal(info.clusters[0].next_step, "GRANT it");
        assert_int_equal(status_info_put_material(&info, value, true), 0);
        assert_int_equal(info.materials[1].health, HEALTH_CRITICAL);
        assert_string_equal(info.materials[1].next_step, "GRANT it");
}

static void test_a_forced_import_failed_only_with_current_state_failure_and_reason(void **state)
{
        const ClusterInfo failed = {
                .state = CLUSTER_CURRENT, .outcome = OUTCOME_AUTH, .reason = "denied"};
        ClusterInfo changed = failed;

        assert_true(status_info_import_failed(&changed));
        changed.state = CLUSTER_HELD;
        assert_false(status_info_import_failed(&changed));
        changed = failed;
        changed.outcome = OUTCOME_IMPORTED;
        assert_false(status_info_import_failed(&changed));
        changed = failed;
        changed.outcome = _OUTCOME_KIND_MAX;
        assert_false(status_info_import_failed(&changed));
        changed = failed;
        changed.reason[0] = '\0';
        assert_false(status_info_import_failed(&changed));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_present_state_is_no_change),
                cmocka_unit_test(test_the_same_name_replaces_the_value),
                cmocka_unit_test(test_another_name_is_added),
                cmocka_unit_test(test_a_refused_value_changes_nothing),
                cmocka_unit_test(test_removing_removes_the_one_with_that_name),
                cmocka_unit_test(test_removing_an_unknown_name_changes_nothing),
                cmocka_unit_test(test_an_event_with_another_state_or_set_changes_a_material),
                cmocka_unit_test(test_an_event_with_another_state_changes_a_cluster),
                cmocka_unit_test(test_an_event_that_adds_is_a_change),
                cmocka_unit_test(test_a_later_event_keeps_a_change),
                cmocka_unit_test(test_another_set_on_disk_ends_the_changes_of_its_clusters),
                cmocka_unit_test(
                        test_the_health_of_a_cluster_is_the_worse_of_its_own_and_its_material_s),
                cmocka_unit_test(test_a_cluster_without_its_material_has_its_own_health),
                cmocka_unit_test(test_health_and_next_step_are_read),
                cmocka_unit_test(
                        test_a_forced_import_failed_only_with_current_state_failure_and_reason),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
