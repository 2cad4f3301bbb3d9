#include "tests/unit/varlink/methods-fixture.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/model/interface.h"

#define STRANGER 12345 /* a user without any right */

#define WITH(parameters) ",\"parameters\":{" parameters "}"

static void test_an_unknown_method_is_refused(void **state)
{
        fixture_expect("None", "", VARLINK_ERROR_METHOD_NOT_FOUND,
                "{\"method\":\"io.binlogssl.Manager.None\"}");
        fixture_expect("Getstatus", "", VARLINK_ERROR_METHOD_NOT_FOUND,
                "{\"method\":\"io.binlogssl.Manager.Getstatus\"}");
}

static void test_every_method_refuses_an_unknown_parameter(void **state)
{
        static const char *const methods[] = {"GetStatus", "GetHistory", "Subscribe", "Import",
                "Remove", "CheckClusters", "Reload", "GetMetrics"};

        for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
                fixture_expect(methods[i], WITH("\"x\":1"), VARLINK_ERROR_INVALID_PARAMETER,
                        "{\"parameter\":\"x\"}");
        assert_int_equal(fixture.n_reloads, 0);
        assert_string_equal(fixture.imports, "");
}

static void test_every_call_is_answered_from_an_up_to_date_status(void **state)
{
        assert_int_equal(fixture_call("GetStatus", ""), 0);
        assert_int_equal(fixture.n_schedules, 1);
}

/* Expects the same right to Import, Reload, Remove and CheckClusters. */
static void expect_right(bool allowed)
{
        const char *error = allowed ? NULL : VARLINK_ERROR_PERMISSION_DENIED;

        fixture_expect("Import", "", error, allowed ? "{\"started\":[]}" : NULL);
        fixture_expect("Reload", "", error, NULL);
        fixture_expect("Remove", WITH("\"clusters\":[]"),
                allowed ? VARLINK_ERROR_INVALID_PARAMETER : error,
                allowed ? "{\"parameter\":\"clusters\"}" : NULL);
        fixture_expect("CheckClusters", ",\"more\":true", error, NULL);
        assert_string_equal(fixture.imports, allowed ? "01" : "");
        assert_int_equal(fixture.n_reloads, allowed);
        assert_int_equal(fixture.n_checks, allowed);
}

static void test_root_may_import_and_reload(void **state)
{
        expect_right(true);
}

static void test_the_user_of_the_daemon_may_import_and_reload(void **state)
{
        fixture.uid = geteuid();
        expect_right(true);
}

static void test_a_stranger_may_neither_import_nor_reload(void **state)
{
        fixture.uid = STRANGER;
        expect_right(false);
}

static void test_a_member_of_control_group_may_import_and_reload(void **state)
{
        fixture.uid = STRANGER;
        fixture.config.control_group = "dba";
        fixture.is_member = true;
        expect_right(true);
}

static void test_who_is_no_member_of_control_group_may_neither(void **state)
{
        fixture.uid = STRANGER;
        fixture.config.control_group = "dba";
        expect_right(false);
}

static void test_without_control_group_a_membership_gives_no_right(void **state)
{
        fixture.uid = STRANGER;
        fixture.is_member = true;
        expect_right(false);
}

static void test_without_credentials_there_is_no_right(void **state)
{
        fixture.uid = (uid_t)-1; /* it is not known */
        expect_right(false);
}

static void test_a_stranger_may_read(void **state)
{
        fixture.uid = STRANGER;
        assert_int_equal(fixture_call("GetStatus", ""), 0);
        assert_null(fixture.error);
        assert_int_equal(fixture_call("GetHistory", ""), 0);
        assert_null(fixture.error);
        assert_int_equal(fixture_call("GetMetrics", ""), 0);
        assert_null(fixture.error);
        assert_int_equal(fixture_call("Subscribe", ",\"more\":true"), 0);
        assert_null(fixture.error);
}

static void test_rights_are_checked_before_parameters(void **state)
{
        fixture.uid = STRANGER;
        fixture_expect("Import", WITH("\"x\":1"), VARLINK_ERROR_PERMISSION_DENIED, NULL);
}

static void test_the_status_is_that_of_status_json(void **state)
{
        CLEANUP(freep) char *expected = NULL;
        ManagerInfo info = {.version = "1.2.3", .pid = 42};

        assert_int_equal(status_json_format(&expected, &info, &fixture.status.status), 0);
        fixture_expect("GetStatus", "", NULL, expected);
}

#define NO_HISTORY(name) "{\"name\":\"" name "\",\"older\":0,\"entries\":[]}"

static void test_a_history_is_that_of_the_named_clusters_or_all(void **state)
{
        fixture_expect("GetHistory", "", NULL,
                "{\"clusters\":[" NO_HISTORY("orders") "," NO_HISTORY("users") "]}");
        fixture_expect("GetHistory", WITH("\"clusters\":null"), NULL,
                "{\"clusters\":[" NO_HISTORY("orders") "," NO_HISTORY("users") "]}");
        fixture_expect("GetHistory", WITH("\"clusters\":[\"users\",\"users\"]"), NULL,
                "{\"clusters\":[" NO_HISTORY("users") "]}");
        fixture_expect("GetHistory", WITH("\"clusters\":[]"), NULL, "{\"clusters\":[]}");
}

static void test_a_history_is_refused_as_a_whole(void **state)
{
        fixture_expect("GetHistory", WITH("\"clusters\":[\"users\",\"nobody\"]"),
                INTERFACE_NAME ".NoSuchCluster", "{\"name\":\"nobody\"}");
        fixture_expect("GetHistory", WITH("\"clusters\":\"users\""),
                VARLINK_ERROR_INVALID_PARAMETER, "{\"parameter\":\"clusters\"}");
        fixture_expect("GetHistory", WITH("\"clusters\":[\"users\",1]"),
                VARLINK_ERROR_INVALID_PARAMETER, "{\"parameter\":\"clusters\"}");
        fixture_expect("GetHistory", WITH("\"force\":true"), VARLINK_ERROR_INVALID_PARAMETER,
                "{\"parameter\":\"force\"}");
}

static void test_metrics_are_answered_as_text(void **state)
{
        fixture_expect("GetMetrics", "", NULL, "{\"text\":\"up 1\\n\"}");
        fixture.metrics_error = -ENOMEM;
        assert_int_equal(fixture_call("GetMetrics", ""), -ENOMEM);
}

static void test_a_trial_of_a_reload_is_answered_at_once(void **state)
{
        fixture_expect("Reload", ",\"parameters\":{\"dry_run\":true}", NULL, NULL);
        fixture.trial_error = -EINVAL;
        fixture_expect("Reload", ",\"parameters\":{\"dry_run\":true}",
                "io.binlogssl.Manager.InvalidConfiguration",
                "{\"file\":\"/etc/a.conf\",\"line\":7,\"text\":\"unknown key\"}");
        assert_int_equal(fixture.n_trials, 2);
        assert_int_equal(fixture.n_reloads, 0);
        fixture_expect("Reload", ",\"parameters\":{\"dry_run\":1}",
                "org.varlink.service.InvalidParameter", "{\"parameter\":\"dry_run\"}");
        fixture_expect("Reload", ",\"parameters\":{\"dry_run\":false}", NULL, NULL);
        assert_int_equal(fixture.n_reloads, 1);
}

static void test_a_reload_is_answered_when_it_is_done(void **state)
{
        ConfigProblem problem;

        config_problem_set(&problem, "/etc/a.conf", 7, "unknown key \"x\"");
        fixture_expect("Reload", "", NULL, NULL);
        assert_int_equal(fixture.n_reloads, 1);
        assert_true(fixture.postponed);
        methods_answer_reload(NULL, -EINVAL, &problem);
        assert_int_equal(fixture.later_result, 0);
        assert_string_equal(fixture.error, INTERFACE_NAME ".InvalidConfiguration");
        assert_string_equal(fixture.answer,
                "{\"file\":\"/etc/a.conf\",\"line\":7,\"text\":\"unknown key \\\"x\\\"\"}");
        methods_answer_reload(NULL, 0, &problem);
        assert_int_equal(fixture.later_result, 0);
        assert_null(fixture.error);
        assert_null(fixture.answer);
        methods_answer_reload(NULL, -ENOMEM, &problem);
        assert_int_equal(fixture.later_result, -ENOMEM);
}

static void test_a_subscription_needs_more(void **state)
{
        fixture_expect("Subscribe", "", VARLINK_ERROR_EXPECTED_MORE, NULL);
        assert_false(fixture.streaming);
}

static void test_a_oneway_call_that_only_reads_does_nothing(void **state)
{
        static const char *const methods[] = {
                "GetStatus", "GetHistory", "Subscribe", "GetMetrics", "CheckClusters"};

        fixture.metrics_error = -ENOMEM;
        for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
                fixture_expect(methods[i], ",\"more\":true,\"oneway\":true", NULL, NULL);
        assert_false(fixture.streaming);
        assert_int_equal(fixture.n_checks, 0);
        fixture_expect("Reload", ",\"oneway\":true", NULL, NULL);
        assert_int_equal(fixture.n_reloads, 1);
}

static void expect_event(unsigned i, const char *begin, const char *name)
{
        assert_true(i < fixture.n_events);
        assert_memory_equal(fixture.events[i], begin, strlen(begin));
        assert_true(!name || strstr(fixture.events[i], name));
}

/* Expects the next answer of the subscription to begin with that text, NULL: none yet, and to be
 * the last one or not. */
static void expect_next(const char *begin, int expected)
{
        CLEANUP(freep) char *text = NULL;

        assert_int_equal(fixture_next(&text), expected);
        if (!text || !begin)
                assert_ptr_equal(text, begin);
        else
                assert_memory_equal(text, begin, strlen(begin));
}

#define STATE_MATERIAL "{\"event\":\"state\",\"material\":{\"name\":\"default\""
#define STATE_CLUSTER  "{\"event\":\"state\",\"material\":null,\"cluster\":{\"name\":"
#define READY          "{\"event\":\"ready\",\"material\":null,\"cluster\":null}"

static void test_a_subscription_begins_with_the_state_and_ready(void **state)
{
        assert_int_equal(fixture_call("Subscribe", ",\"more\":true"), 0);
        assert_true(fixture.streaming);
        expect_next(STATE_MATERIAL, 1);
        expect_next(STATE_CLUSTER "\"orders\"", 1);
        expect_next(STATE_CLUSTER "\"users\"", 1);
        expect_next(READY, 0);
}

static void test_each_state_is_made_when_it_is_sent(void **state)
{
        CLEANUP(freep) char *text = NULL;

        assert_int_equal(fixture_call("Subscribe", ",\"more\":true"), 0);
        expect_next(STATE_MATERIAL, 1);
        fixture.status.cluster[0].state = CLUSTER_IMPORTING;
        assert_int_equal(fixture_next(&text), 1);
        assert_non_null(strstr(text, "\"state\":\"importing\""));
}

static void test_a_reload_begins_the_state_again(void **state)
{
        assert_int_equal(fixture_call("Subscribe", ",\"more\":true"), 0);
        expect_next(STATE_MATERIAL, 1);
        expect_next(STATE_CLUSTER "\"orders\"", 1);
        fixture.info.generation++;
        fixture.status.status.n_clusters = 1;
        expect_next(STATE_MATERIAL, 1);
        expect_next(STATE_CLUSTER "\"orders\"", 1);
        expect_next(READY, 0);
}

static void test_what_is_published_meanwhile_comes_before_the_next_state(void **state)
{
        unsigned before;

        assert_int_equal(fixture_call("Subscribe", ",\"more\":true"), 0);
        expect_next(STATE_MATERIAL, 1);
        before = fixture.n_schedules;
        fixture.is_behind = true; /* by schedule() */
        expect_next(NULL, 1);
        assert_int_equal(fixture.n_schedules, before + 1);
        fixture.is_behind = false;
        expect_next(STATE_CLUSTER "\"orders\"", 1);
}

static void test_an_import_without_names_is_for_all_clusters(void **state)
{
        static const char *const members[] = {"", ",\"parameters\":null", WITH(""),
                WITH("\"clusters\":null,\"force\":null"), WITH("\"force\":false")};

        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
                fixture.imports[0] = '\0';
                fixture_expect("Import", members[i], NULL, "{\"started\":[]}");
                assert_string_equal(fixture.imports, "01");
        }
}

static void test_the_answer_to_an_import_names_what_imports(void **state)
{
        fixture_expect(
                "Import", WITH("\"force\":true"), NULL, "{\"started\":[\"orders\",\"users\"]}");
        assert_string_equal(fixture.imports, "0!1!");
}

static void test_an_import_with_names_is_for_these_clusters(void **state)
{
        fixture_expect("Import", WITH("\"clusters\":[\"users\"],\"force\":true"), NULL,
                "{\"started\":[\"users\"]}");
        assert_string_equal(fixture.imports, "1!+");
}

static void test_names_in_any_order_and_twice_are_each_one_cluster(void **state)
{
        fixture_expect("Import",
                WITH("\"clusters\":[\"users\",\"orders\",\"users\"],\"force\":true"), NULL,
                "{\"started\":[\"orders\",\"users\"]}");
        assert_string_equal(fixture.imports, "0!+1!+");
}

static void test_of_several_unknown_names_the_first_is_named(void **state)
{
        fixture_expect("Import", WITH("\"clusters\":[\"zero\",\"orders\",\"logs\"]"),
                INTERFACE_NAME ".NoSuchCluster", "{\"name\":\"zero\"}");
        assert_string_equal(fixture.imports, "");
}

static void test_an_import_of_no_cluster_starts_nothing(void **state)
{
        fixture_expect("Import", WITH("\"clusters\":[]"), NULL, "{\"started\":[]}");
        assert_string_equal(fixture.imports, "");
}

static void test_a_parameter_of_a_wrong_type_is_named(void **state)
{
        static const struct {
                const char *members, *parameter;
        } cases[] = {
                {WITH("\"clusters\":\"orders\""), "{\"parameter\":\"clusters\"}"},
                {WITH("\"clusters\":{}"), "{\"parameter\":\"clusters\"}"},
                {WITH("\"clusters\":[\"orders\",7]"), "{\"parameter\":\"clusters\"}"},
                {WITH("\"clusters\":[null]"), "{\"parameter\":\"clusters\"}"},
                {WITH("\"force\":1"), "{\"parameter\":\"force\"}"},
                {WITH("\"force\":\"yes\""), "{\"parameter\":\"force\"}"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                fixture_expect("Import", cases[i].members, VARLINK_ERROR_INVALID_PARAMETER,
                        cases[i].parameter);
        assert_string_equal(fixture.imports, "");
}

static void test_an_unknown_cluster_refuses_the_whole_import(void **state)
{
        fixture_expect("Import", WITH("\"clusters\":[\"orders\",\"logs\"]"),
                INTERFACE_NAME ".NoSuchCluster", "{\"name\":\"logs\"}");
        assert_string_equal(fixture.imports, "");
}

static void expect_not_ready(const char *members)
{
        assert_int_equal(fixture_call("Import", members), 0);
        assert_string_equal(fixture.error, INTERFACE_NAME ".MaterialNotReady");
        assert_non_null(strstr(fixture.answer, "\"name\":\"default\",\"state\":\"missing\""));
        assert_string_equal(fixture.imports, "");
}

static void test_a_material_that_is_not_ready_refuses_the_whole_import(void **state)
{
        fixture.status.material.state = MATERIAL_STATE_MISSING;
        expect_not_ready("");
        expect_not_ready(WITH("\"clusters\":[\"users\"]"));
}

/* "users" gets a material of its own that is missing. */
static void add_missing_material(void)
{
        static MaterialConfig config;
        static MaterialStatus missing;
        static const MaterialStatus *materials[2];

        config = (MaterialConfig){.name = "default", .directory = "/etc/material"};
        missing = fixture.status.material;
        missing.config = &config;
        missing.state = MATERIAL_STATE_MISSING;
        materials[0] = &fixture.status.material;
        materials[1] = &missing;
        fixture.status.status.materials = materials;
        fixture.status.status.n_materials = 2;
        fixture.status.cluster_config[1].material = 1;
}

static void test_without_names_one_ready_material_is_enough(void **state)
{
        add_missing_material();
        fixture_expect("Import", "", NULL, "{\"started\":[]}");
}

static void test_with_names_each_material_must_be_ready(void **state)
{
        add_missing_material();
        expect_not_ready(WITH("\"clusters\":[\"orders\",\"users\"]"));
}

static void test_the_material_of_a_disabled_cluster_need_not_be_ready(void **state)
{
        add_missing_material();
        fixture.status.cluster_config[1].enabled = false;
        fixture_expect(
                "Import", WITH("\"clusters\":[\"orders\",\"users\"]"), NULL, "{\"started\":[]}");
}

static void disable(bool orders, bool users)
{
        fixture.status.cluster_config[0].enabled = !orders;
        fixture.status.cluster_config[1].enabled = !users;
}

static void test_a_removal_is_for_the_named_clusters(void **state)
{
        disable(true, true);
        fixture_expect("Remove", WITH("\"clusters\":[\"users\"]"), NULL, NULL);
        assert_string_equal(fixture.removals, "1");
        assert_int_equal(fixture.n_schedules, 2); /* before and after */
        fixture_expect("Remove", WITH("\"clusters\":[\"users\",\"orders\",\"users\"]"), NULL, NULL);
        assert_string_equal(fixture.removals, "101");
}

static void test_a_removal_needs_names(void **state)
{
        static const char *const parameters[] = {"", WITH("\"clusters\":null"),
                WITH("\"clusters\":[]"), WITH("\"clusters\":\"orders\""),
                WITH("\"clusters\":[\"orders\",1]")};

        disable(true, true);
        for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
                fixture_expect("Remove", parameters[i], VARLINK_ERROR_INVALID_PARAMETER,
                        "{\"parameter\":\"clusters\"}");
        assert_string_equal(fixture.removals, "");
}

static void test_one_cluster_refuses_the_whole_removal(void **state)
{
        static const char both[] = WITH("\"clusters\":[\"orders\",\"users\"]");

        disable(true, true);
        fixture_expect("Remove", WITH("\"clusters\":[\"orders\",\"none\"]"),
                INTERFACE_NAME ".NoSuchCluster", "{\"name\":\"none\"}");
        disable(true, false);
        fixture_expect("Remove", both, INTERFACE_NAME ".ClusterEnabled", "{\"name\":\"users\"}");
        disable(true, true);
        fixture.is_busy[1] = true;
        fixture_expect("Remove", both, INTERFACE_NAME ".ClusterBusy", "{\"name\":\"users\"}");
        assert_string_equal(fixture.removals, "");
        fixture_expect("Remove", WITH("\"clusters\":[\"orders\"]"), NULL, NULL);
        assert_string_equal(fixture.removals, "0");
}

static void test_an_event_has_the_object_that_changed(void **state)
{
        methods_publish(NULL, "changed", &fixture.status.material, NULL, NULL);
        methods_publish(
                NULL, "changed", NULL, &fixture.status.cluster[0], &fixture.status.material);
        methods_publish(NULL, "reloaded", NULL, NULL, NULL);
        assert_int_equal(fixture.n_events, 3);
        expect_event(0, "{\"event\":\"changed\",\"material\":{\"name\":\"default\"",
                ",\"cluster\":null}");
        expect_event(1, "{\"event\":\"changed\",\"material\":null,\"cluster\":{\"name\":\"orders\"",
                NULL);
        assert_string_equal(
                fixture.events[2], "{\"event\":\"reloaded\",\"material\":null,\"cluster\":null}");
}

static void test_an_event_of_a_removed_cluster_needs_no_material(void **state)
{
        fixture.status.cluster_config[2].material = 1000;
        methods_publish(NULL, "removed", NULL, &fixture.status.cluster[2], NULL);
        expect_event(
                0, "{\"event\":\"removed\",\"material\":null,\"cluster\":{\"name\":\"logs\"", NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                methods_test(test_an_unknown_method_is_refused),
                methods_test(test_every_method_refuses_an_unknown_parameter),
                methods_test(test_every_call_is_answered_from_an_up_to_date_status),
                methods_test(test_root_may_import_and_reload),
                methods_test(test_the_user_of_the_daemon_may_import_and_reload),
                methods_test(test_a_stranger_may_neither_import_nor_reload),
                methods_test(test_a_member_of_control_group_may_import_and_reload),
                methods_test(test_who_is_no_member_of_control_group_may_neither),
                methods_test(test_without_control_group_a_membership_gives_no_right),
                methods_test(test_without_credentials_there_is_no_right),
                methods_test(test_a_stranger_may_read),
                methods_test(test_rights_are_checked_before_parameters),
                methods_test(test_the_status_is_that_of_status_json),
                methods_test(test_a_history_is_that_of_the_named_clusters_or_all),
                methods_test(test_a_history_is_refused_as_a_whole),
                methods_test(test_metrics_are_answered_as_text),
                methods_test(test_a_trial_of_a_reload_is_answered_at_once),
                methods_test(test_a_reload_is_answered_when_it_is_done),
                methods_test(test_a_subscription_needs_more),
                methods_test(test_a_oneway_call_that_only_reads_does_nothing),
                methods_test(test_a_subscription_begins_with_the_state_and_ready),
                methods_test(test_each_state_is_made_when_it_is_sent),
                methods_test(test_a_reload_begins_the_state_again),
                methods_test(test_what_is_published_meanwhile_comes_before_the_next_state),
                methods_test(test_an_import_without_names_is_for_all_clusters),
                methods_test(test_the_answer_to_an_import_names_what_imports),
                methods_test(test_an_import_with_names_is_for_these_clusters),
                methods_test(test_names_in_any_order_and_twice_are_each_one_cluster),
                methods_test(test_of_several_unknown_names_the_first_is_named),
                methods_test(test_an_import_of_no_cluster_starts_nothing),
                methods_test(test_a_parameter_of_a_wrong_type_is_named),
                methods_test(test_an_unknown_cluster_refuses_the_whole_import),
                methods_test(test_a_material_that_is_not_ready_refuses_the_whole_import),
                methods_test(test_without_names_one_ready_material_is_enough),
                methods_test(test_with_names_each_material_must_be_ready),
                methods_test(test_the_material_of_a_disabled_cluster_need_not_be_ready),
                methods_test(test_a_removal_is_for_the_named_clusters),
                methods_test(test_a_removal_needs_names),
                methods_test(test_one_cluster_refuses_the_whole_removal),
                methods_test(test_an_event_has_the_object_that_changed),
                methods_test(test_an_event_of_a_removed_cluster_needs_no_material),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
