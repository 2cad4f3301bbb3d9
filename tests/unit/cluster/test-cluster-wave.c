#include "tests/unit/cluster/cluster-fixture.h"

#include "tests/unit/test.h"

#include <string.h>

#include "common/text.h"

static WaveStatus wave;

static int make(void **state)
{
        wave = (WaveStatus){.state = WAVE_IMPORTING, .canary = "another"};
        return fixture_make(state);
}

#define wave_test(test) cmocka_unit_test_setup_teardown(test, make, fixture_done)

/* From now on the set on disk has this wave. */
static void begin_wave(void)
{
        fixture.wave = &wave;
}

static void import_a_and_put_b_on_disk(void)
{
        fixture_import(OUTCOME_IMPORTED);
        fixture_put_on_disk(B);
        begin_wave();
}

static void test_a_cluster_waits_with_the_set_that_it_has(void **state)
{
        import_a_and_put_b_on_disk();
        fixture_expect(PLAN_KEEP, CLUSTER_WAITING);
        assert_int_not_equal(fixture.status->out_of_sync_since_usec, 0);
        assert_string_equal(fixture.status->record->imported.fingerprint, A);
        wave.state = WAVE_STOPPED;
        fixture_expect(PLAN_KEEP, CLUSTER_WAITING);
        wave.state = WAVE_OPEN;
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

static void test_a_cluster_that_waits_is_still_checked(void **state)
{
        Outcome outcome = {.kind = OUTCOME_ALREADY_CURRENT,
                .replication = {.known = true, .configured = true, .io_running = "Yes"}};

        import_a_and_put_b_on_disk();
        fixture.now += 2 * CHECK_INTERVAL;
        fixture_expect(PLAN_CHECK, CLUSTER_WAITING);
        assert_true(fixture.status->check.due);
        assert_int_equal(cluster_start(fixture.cluster, PLAN_CHECK, fixture.set), 0);
        fixture_end(&fixture.check, &outcome);
        fixture_expect(PLAN_KEEP, CLUSTER_WAITING);
        assert_true(fixture.status->replication->known);
}

static void test_a_forced_import_of_the_set_on_disk_waits_too(void **state)
{
        import_a_and_put_b_on_disk();
        fixture_expect(PLAN_KEEP, CLUSTER_WAITING);
        cluster_retry_now(fixture.cluster, true);
        fixture_expect(PLAN_CHECK, CLUSTER_WAITING);
        fixture_put_on_disk(A);
        begin_wave();
        fixture_expect(PLAN_CHECK, CLUSTER_CURRENT);
        cluster_retry_now(fixture.cluster, true);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
}

static void test_the_canary_does_not_wait_unless_it_is_queued(void **state)
{
        import_a_and_put_b_on_disk();
        text_set(wave.canary, sizeof(wave.canary), "orders");
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
        wave.queued = true;
        fixture_expect(PLAN_KEEP, CLUSTER_WAITING);
}

static void test_an_import_by_hand_goes_on_after_a_failure_and_a_restart(void **state)
{
        import_a_and_put_b_on_disk();
        fixture_expect(PLAN_KEEP, CLUSTER_WAITING);
        cluster_release(fixture.cluster);
        assert_string_equal(fixture.status->record->by_hand, B);
        assert_int_not_equal(fixture.writer.n_scheduled, 0);
        fixture_import(OUTCOME_UNREACHABLE);
        fixture_expect(PLAN_DELAY, CLUSTER_RETRYING);
        fixture_restart();
        fixture_import(OUTCOME_IMPORTED);
        fixture_put_on_disk(A);
        begin_wave();
        fixture_expect(PLAN_KEEP, CLUSTER_WAITING);
}

static void test_an_import_by_hand_lifts_a_fault_of_that_set_alone(void **state)
{
        RecordProof proof = {.fingerprint = A, .since_usec = 7, .failed = true};

        fixture_import(OUTCOME_IMPORTED);
        cluster_set_proof(fixture.cluster, &proof, "stopped");
        fixture_put_on_disk(B);
        fixture_expect(PLAN_IMPORT, CLUSTER_IMPORTING);
        cluster_release(fixture.cluster);
        assert_string_equal(record_proof_fault(fixture.status->record), "stopped");
        fixture_put_on_disk(A);
        fixture_expect(PLAN_KEEP, CLUSTER_CURRENT);
        cluster_release(fixture.cluster);
        assert_string_equal(record_proof_fault(fixture.status->record), "");
        assert_int_equal(fixture.status->record->proof.since_usec, 0);
        proof.failed = false;
        cluster_set_proof(fixture.cluster, &proof, "");
        cluster_release(fixture.cluster);
        assert_int_equal(fixture.status->record->proof.since_usec, 7); /* the hold goes on */
}

static void test_without_a_set_or_disabled_nothing_is_let_in(void **state)
{
        fixture_put_on_disk("");
        fixture_expect(PLAN_WAIT, CLUSTER_WAITING);
        cluster_release(fixture.cluster);
        fixture_put_on_disk(A);
        fixture.cluster_config.enabled = false;
        fixture_configure();
        fixture_expect(PLAN_NOTHING, CLUSTER_DISABLED);
        cluster_release(fixture.cluster);
        assert_string_equal(fixture.status->record->by_hand, "");
}

static void test_a_proof_is_written_when_it_changes(void **state)
{
        RecordProof proof = {.fingerprint = A, .held_usec = 7};
        unsigned before = fixture.writer.n_scheduled;

        cluster_set_proof(fixture.cluster, &proof, "");
        assert_int_equal(fixture.writer.n_scheduled, before + 1);
        cluster_set_proof(fixture.cluster, &proof, "");
        assert_int_equal(fixture.writer.n_scheduled, before + 1);
        assert_true(record_proof_equal(&fixture.status->record->proof, &proof));
}

static void test_the_canary_is_checked_at_the_times_of_its_wave(void **state)
{
        fixture_import(OUTCOME_IMPORTED);
        begin_wave();
        wave = (WaveStatus){.state = WAVE_HOLDING, .canary = "orders", .check_delay_usec = 5};
        assert_int_equal(fixture_not_before(), fixture.now + 5);
        fixture.now += 5;
        assert_int_equal(fixture_start(PLAN_CHECK), 0);
        fixture.now += 3;
        fixture_end(&fixture.check, &(Outcome){.kind = OUTCOME_ALREADY_CURRENT});
        assert_int_equal(fixture_not_before(), fixture.now + 5);
        text_set(wave.canary, sizeof(wave.canary), "another");
        assert_int_equal(fixture_not_before(), fixture.now + CHECK_INTERVAL - CHECK_INTERVAL / 10);
        text_set(wave.canary, sizeof(wave.canary), "orders");
        wave.check_delay_usec = 2 * CHECK_INTERVAL;
        assert_int_equal(fixture_not_before(), fixture.now + CHECK_INTERVAL - CHECK_INTERVAL / 10);
}

static void test_with_once_the_canary_has_one_check(void **state)
{
        fixture.config.once = true;
        fixture_configure();
        fixture_import(OUTCOME_IMPORTED);
        begin_wave();
        wave = (WaveStatus){.state = WAVE_HOLDING, .canary = "orders", .check_delay_usec = 5};
        assert_int_equal(fixture_not_before(), USEC_NEVER);
}

static void test_a_reading_belongs_to_the_import_before_it(void **state)
{
        Outcome read = {.kind = OUTCOME_ALREADY_CURRENT, .replication.known = true};

        fixture_import(OUTCOME_IMPORTED);
        assert_int_equal(fixture.status->read_usec, 0);
        fixture_check(&read);
        assert_int_equal(fixture.status->read_usec, fixture.now);
        fixture_put_on_disk(B);
        fixture_import(OUTCOME_IMPORTED);
        assert_int_equal(fixture.status->read_usec, 0);
        assert_true(fixture.status->replication->known);
        fixture_put_on_disk(A);
        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import,
                &(Outcome){.kind = OUTCOME_IMPORTED,
                        .effect.committed = true,
                        .replication.known = true});
        assert_int_equal(fixture.status->read_usec, fixture.now);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                wave_test(test_a_cluster_waits_with_the_set_that_it_has),
                wave_test(test_a_cluster_that_waits_is_still_checked),
                wave_test(test_a_forced_import_of_the_set_on_disk_waits_too),
                wave_test(test_the_canary_does_not_wait_unless_it_is_queued),
                wave_test(test_an_import_by_hand_goes_on_after_a_failure_and_a_restart),
                wave_test(test_an_import_by_hand_lifts_a_fault_of_that_set_alone),
                wave_test(test_without_a_set_or_disabled_nothing_is_let_in),
                wave_test(test_a_proof_is_written_when_it_changes),
                wave_test(test_the_canary_is_checked_at_the_times_of_its_wave),
                wave_test(test_with_once_the_canary_has_one_check),
                wave_test(test_a_reading_belongs_to_the_import_before_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
