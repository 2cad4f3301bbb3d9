#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "ctl/client/import-tracker.h"

#define REQUESTED 1000

/* Two tracked clusters: the import of "orders" has ended with success, that of "users" runs. */
typedef struct Fixture {
        ClusterInfo clusters[2];
        StatusInfo info;
        ImportTracker tracker;
} Fixture;

static void fixture_done(Fixture *fixture)
{
        import_tracker_done(&fixture->tracker);
}

static void fixture_make(Fixture *fixture)
{
        *fixture = (Fixture){
                .clusters =
                        {
                                {.name = "orders",
                                        .state = CLUSTER_CURRENT,
                                        .outcome = OUTCOME_IMPORTED,
                                        .last_attempt_usec = REQUESTED + 1},
                                {.name = "users",
                                        .state = CLUSTER_IMPORTING,
                                        .outcome = OUTCOME_IMPORTED,
                                        .last_attempt_usec = REQUESTED - 1},
                        },
                .info = {.clusters = fixture->clusters, .n_clusters = 2},
                .tracker.requested_usec = REQUESTED,
        };
        assert_int_equal(import_tracker_add(&fixture->tracker, "orders"), 0);
        assert_int_equal(import_tracker_add(&fixture->tracker, "users"), 0);
}

static size_t update(Fixture *fixture)
{
        return import_tracker_update(&fixture->tracker, &fixture->info);
}

static size_t imported(Fixture *fixture)
{
        (void)update(fixture);
        return import_tracker_count_imported(&fixture->tracker, &fixture->info);
}

static void test_an_import_is_open_until_the_first_update(void **state)
{
        CLEANUP(fixture_done) Fixture fixture;

        fixture_make(&fixture);
        assert_string_equal(import_tracker_first_open(&fixture.tracker), "orders");
        assert_int_equal(import_tracker_count_imported(&fixture.tracker, &fixture.info), 0);
}

static void test_the_running_import_is_open_and_the_ended_one_is_not(void **state)
{
        CLEANUP(fixture_done) Fixture fixture;

        fixture_make(&fixture);
        assert_int_equal(update(&fixture), 1);
        assert_int_equal(fixture.tracker.n_open, 1);
        assert_true(fixture.tracker.ended[0]);
        assert_false(fixture.tracker.ended[1]);
        assert_string_equal(import_tracker_first_open(&fixture.tracker), "users");
        assert_int_equal(imported(&fixture), 1);
}

static void test_an_attempt_before_the_request_is_not_its_end(void **state)
{
        CLEANUP(fixture_done) Fixture fixture;

        fixture_make(&fixture);
        fixture.clusters[0].last_attempt_usec = REQUESTED - 1;
        assert_int_equal(update(&fixture), 2);
        fixture.clusters[0].last_attempt_usec = REQUESTED;
        assert_int_equal(update(&fixture), 1);
}

static void test_every_state_but_importing_is_an_end(void **state)
{
        for (ClusterState one = 0; one <= _CLUSTER_STATE_MAX; one++) {
                CLEANUP(fixture_done) Fixture fixture;

                fixture_make(&fixture);
                fixture.clusters[0].state = one;
                assert_int_equal(update(&fixture), one == CLUSTER_IMPORTING ? 2 : 1);
        }
}

static void test_a_cluster_that_was_removed_has_ended_without_success(void **state)
{
        CLEANUP(fixture_done) Fixture fixture;

        fixture_make(&fixture);
        fixture.info.n_clusters = 1;
        assert_int_equal(update(&fixture), 0);
        assert_string_equal(import_tracker_first_open(&fixture.tracker), "");
        assert_int_equal(imported(&fixture), 1);
}

static void test_after_a_restart_the_time_of_the_attempt_does_not_count(void **state)
{
        for (ClusterState one = 0; one <= _CLUSTER_STATE_MAX; one++) {
                CLEANUP(fixture_done) Fixture fixture;

                fixture_make(&fixture);
                fixture.tracker.restarted = true;
                fixture.clusters[0].last_attempt_usec = REQUESTED - 1;
                fixture.clusters[0].state = one;
                assert_int_equal(update(&fixture),
                        one == CLUSTER_IMPORTING || one == CLUSTER_WAITING ? 2 : 1);
        }
}

static void test_an_ended_import_can_run_again(void **state)
{
        CLEANUP(fixture_done) Fixture fixture;

        fixture_make(&fixture);
        assert_int_equal(update(&fixture), 1);
        fixture.clusters[0].state = CLUSTER_IMPORTING;
        assert_int_equal(update(&fixture), 2);
        assert_int_equal(imported(&fixture), 0);
}

static void test_only_a_current_cluster_without_failed_import_is_imported(void **state)
{
        for (ClusterState one = 0; one <= _CLUSTER_STATE_MAX; one++) {
                CLEANUP(fixture_done) Fixture fixture;

                fixture_make(&fixture);
                fixture.clusters[0].state = one;
                assert_int_equal(imported(&fixture), one == CLUSTER_CURRENT ? 1 : 0);
        }
}

static void test_a_forced_import_that_failed_is_not_imported(void **state)
{
        CLEANUP(fixture_done) Fixture fixture;

        fixture_make(&fixture);
        fixture.clusters[0].outcome = OUTCOME_AUTH;
        assert_int_equal(imported(&fixture), 1);
        strcpy(fixture.clusters[0].reason, "denied");
        assert_int_equal(imported(&fixture), 0);
}

static void test_names_are_found_whole(void **state)
{
        CLEANUP(fixture_done) Fixture fixture;

        fixture_make(&fixture);
        assert_true(import_tracker_has(&fixture.tracker, "orders"));
        assert_true(import_tracker_has(&fixture.tracker, "users"));
        assert_false(import_tracker_has(&fixture.tracker, "order"));
        assert_false(import_tracker_has(&fixture.tracker, "orders2"));
        assert_false(import_tracker_has(&fixture.tracker, ""));
}

static void test_an_empty_tracker_has_nothing_open(void **state)
{
        ImportTracker tracker = {0};
        StatusInfo info = STATUS_INFO_NULL;

        assert_int_equal(import_tracker_update(&tracker, &info), 0);
        assert_string_equal(import_tracker_first_open(&tracker), "");
        assert_int_equal(import_tracker_count_imported(&tracker, &info), 0);
        assert_false(import_tracker_has(&tracker, "orders"));
        import_tracker_done(&tracker);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_an_import_is_open_until_the_first_update),
                cmocka_unit_test(test_the_running_import_is_open_and_the_ended_one_is_not),
                cmocka_unit_test(test_an_attempt_before_the_request_is_not_its_end),
                cmocka_unit_test(test_every_state_but_importing_is_an_end),
                cmocka_unit_test(test_a_cluster_that_was_removed_has_ended_without_success),
                cmocka_unit_test(test_after_a_restart_the_time_of_the_attempt_does_not_count),
                cmocka_unit_test(test_an_ended_import_can_run_again),
                cmocka_unit_test(test_only_a_current_cluster_without_failed_import_is_imported),
                cmocka_unit_test(test_a_forced_import_that_failed_is_not_imported),
                cmocka_unit_test(test_names_are_found_whole),
                cmocka_unit_test(test_an_empty_tracker_has_nothing_open),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
