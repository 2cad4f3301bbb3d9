#include "tests/unit/cluster/cluster-fixture.h"

#include "tests/unit/test.h"

static void test_a_set_that_goes_during_an_import_is_not_out_of_sync(void **state)
{
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        assert_int_not_equal(fixture.status->out_of_sync_since_usec, 0);
        fixture_put_on_disk("");
        fixture_expect(PLAN_RUNS, CLUSTER_IMPORTING);
        assert_int_equal(fixture.status->out_of_sync_since_usec, 0);
}

static void test_out_of_sync_lasts_from_the_first_difference_to_the_import(void **state)
{
        uint64_t first;

        fixture_import(OUTCOME_IMPORTED);
        (void)fixture_not_before();
        assert_int_equal(fixture.status->out_of_sync_since_usec, 0);
        fixture_put_on_disk(B);
        (void)fixture_not_before();
        first = fixture.now;
        fixture.now += USEC_PER_MIN;
        (void)fixture_not_before();
        assert_int_equal(fixture.status->out_of_sync_since_usec, first);
        fixture_import(OUTCOME_IMPORTED);
        (void)fixture_not_before();
        assert_int_equal(fixture.status->out_of_sync_since_usec, 0);
}

static uint64_t out_of_sync_at(void)
{
        uint64_t since = fixture.status->out_of_sync_since_usec;

        return since == 0 ? 0 : clock_wall_usec() - (clock_boottime_usec() - since);
}

static void test_out_of_sync_lasts_over_a_restart(void **state)
{
        uint64_t first;

        fixture_import(OUTCOME_AUTH);
        (void)fixture_not_before();
        first = out_of_sync_at();
        assert_int_equal(first, WALL + fixture.now);
        fixture.now += USEC_PER_HOUR;
        fixture_restart();
        /* A set is known again after the first inspection. */
        fixture_put_on_disk("");
        (void)fixture_not_before();
        assert_int_equal(out_of_sync_at(), 0);
        fixture_put_on_disk(A);
        (void)fixture_not_before();
        assert_int_equal(out_of_sync_at(), first);

        /* It began before this boot. */
        fixture.rebooted = 2 * fixture.now;
        fixture.now = USEC_PER_SEC;
        fixture_restart();
        fixture_put_on_disk(B);
        (void)fixture_not_before();
        assert_int_equal(out_of_sync_at(), first);
        fixture_import(OUTCOME_IMPORTED);
        assert_int_equal(out_of_sync_at(), 0);

        /* The service ends right after the import. */
        fixture_restart();
        fixture_put_on_disk(A);
        fixture.now += USEC_PER_HOUR;
        (void)fixture_not_before();
        assert_int_equal(out_of_sync_at(), clock_wall_usec());
}

static void test_out_of_sync_is_not_in_the_future(void **state)
{
        fixture_import(OUTCOME_AUTH);
        (void)fixture_not_before();
        fixture.now -= USEC_PER_HOUR;
        fixture_restart();
        (void)fixture_not_before();
        assert_int_equal(out_of_sync_at(), clock_wall_usec());
}

static void test_out_of_sync_is_that_of_an_enabled_cluster_and_its_server(void **state)
{
        fixture_import(OUTCOME_AUTH);
        (void)fixture_not_before();
        fixture.now += USEC_PER_HOUR;
        fixture.cluster_config.enabled = false;
        fixture_configure();
        (void)fixture_not_before();
        assert_int_equal(out_of_sync_at(), 0);
        fixture.cluster_config.enabled = true;
        fixture_configure();
        (void)fixture_not_before();
        assert_int_equal(out_of_sync_at(), clock_wall_usec());

        fixture.now += USEC_PER_HOUR;
        fixture.cluster_config.login.host = "db2.example";
        fixture_configure();
        (void)fixture_not_before();
        assert_int_equal(out_of_sync_at(), clock_wall_usec());
}

/* An import that is about to start, or runs, ends with a write; a canary may take hours. */
static void test_out_of_sync_is_written_if_no_import_will_do_it(void **state)
{
        static const WaveStatus wave = {.state = WAVE_IMPORTING, .canary = "billing"};

        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
        assert_int_equal(fixture.writer.n_scheduled, 0);
        fixture_import(OUTCOME_IMPORTED);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        assert_int_equal(fixture.writer.n_scheduled, 1);
        fixture.wave = &wave;
        fixture_put_on_disk(B);
        fixture_expect(PLAN_KEEP, CLUSTER_WAITING);
        assert_int_equal(fixture.writer.n_scheduled, 2);
        fixture.now += USEC_PER_SEC;
        fixture_expect(PLAN_KEEP, CLUSTER_WAITING);
        assert_int_equal(fixture.writer.n_scheduled, 2);
        /* The former set is back. */
        fixture_put_on_disk(A);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        assert_int_equal(fixture.writer.n_scheduled, 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cluster_test(test_a_set_that_goes_during_an_import_is_not_out_of_sync),
                cluster_test(test_out_of_sync_lasts_from_the_first_difference_to_the_import),
                cluster_test(test_out_of_sync_lasts_over_a_restart),
                cluster_test(test_out_of_sync_is_not_in_the_future),
                cluster_test(test_out_of_sync_is_that_of_an_enabled_cluster_and_its_server),
                cluster_test(test_out_of_sync_is_written_if_no_import_will_do_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
