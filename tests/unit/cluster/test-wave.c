#include "tests/unit/cluster/wave-fixture.h"

#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "common/text.h"

/* B is being proven, and A is on disk. */
static void begin_another(void)
{
        fixture_import();
        fixture_read_good(0);
        fixture_evaluate(WAVE_HOLDING);
        fixture_read_good(60);
        fixture_evaluate(WAVE_HOLDING);
        fixture.on_disk = A;
        fixture.record[1].imported.fingerprint[0] = '\0';
        fixture_evaluate(WAVE_IMPORTING);
}

static void test_without_a_set_or_an_enabled_cluster_there_is_no_wave(void **state)
{
        WaveStatus wave;

        fixture.on_disk = "";
        fixture_evaluate(WAVE_NONE);
        assert_false(fixture_is_held_back(0) || fixture_is_held_back(1));
        wave_evaluate(&wave, &(WaveInput){NULL, A, false, 0, HOLD});
        assert_int_equal(wave.state, WAVE_NONE);
        fixture.on_disk = B;
        assert_false(wave_holds_back(NULL, &fixture.cluster[1], B));
}

static void test_the_canary_gets_the_set_and_the_others_wait(void **state)
{
        fixture_evaluate(WAVE_IMPORTING);
        assert_string_equal(fixture.wave.canary, "orders");
        assert_string_equal(fixture.wave.reason, "");
        assert_int_equal(fixture.wave.n_waiting, 1);
        assert_false(fixture_is_held_back(0));
        assert_true(fixture_is_held_back(1));
}

static void test_the_first_set_goes_to_the_canary_first_as_well(void **state)
{
        fixture.record[0] = fixture.record[1] = RECORD_NULL;
        fixture_evaluate(WAVE_IMPORTING);
        assert_false(fixture_is_held_back(0));
        assert_true(fixture_is_held_back(1));
}

static void test_a_cluster_that_has_the_set_or_is_disabled_waits_for_nothing(void **state)
{
        text_set(fixture.record[1].imported.fingerprint, REPORT_FINGERPRINT_MAX, B);
        fixture_evaluate(WAVE_IMPORTING);
        assert_int_equal(fixture.wave.n_waiting, 0);
        assert_false(fixture_is_held_back(1));
        text_set(fixture.record[1].imported.fingerprint, REPORT_FINGERPRINT_MAX, A);
        fixture.config[1].enabled = false;
        fixture_evaluate(WAVE_IMPORTING);
        assert_int_equal(fixture.wave.n_waiting, 0);
}

static void test_a_transient_failure_delays_and_a_held_one_stops(void **state)
{
        fixture_fail(OUTCOME_UNREACHABLE, false);
        fixture_evaluate(WAVE_IMPORTING);
        assert_string_equal(fixture.wave.reason, "unreachable: no luck");
        assert_false(fixture_is_held_back(0));
        assert_true(fixture_is_held_back(1));
        fixture_fail(OUTCOME_NO_PRIVILEGE, false);
        fixture_evaluate(WAVE_STOPPED);
        assert_string_equal(fixture.wave.reason, "no_privilege: no luck");
        assert_false(fixture_is_held_back(0)); /* its own retries go on */
        assert_true(fixture_is_held_back(1));
        fixture_start_again();
        fixture_evaluate(WAVE_STOPPED);
        fixture_import();
        fixture_evaluate(WAVE_HOLDING);
}

static void test_replication_that_does_not_run_after_the_import_stops_the_wave(void **state)
{
        fixture_fail(OUTCOME_REPLICATION_FAILED, true);
        fixture.record[0].imported.restart_due = true;
        fixture_read(&fixture_broken);
        fixture_evaluate(WAVE_STOPPED);
        assert_string_equal(fixture.wave.reason, "replication_failed: no luck");
        fixture.record[0].attempt.outcome.kind = OUTCOME_IMPORTED; /* of a restart of replication */
        fixture.record[0].imported.restart_due = false;
        fixture_read_good(1);
        fixture_evaluate(WAVE_HOLDING);
}

static void test_a_failure_with_the_set_before_says_nothing(void **state)
{
        fixture_fail(OUTCOME_NO_PRIVILEGE, false);
        fixture_evaluate(WAVE_STOPPED);
        fixture.on_disk = A;
        fixture.record[0].imported.fingerprint[0] = '\0';
        fixture_evaluate(WAVE_IMPORTING);
        assert_string_equal(fixture.wave.reason, "");
}

static void test_a_new_set_waits_until_the_set_before_is_proven(void **state)
{
        begin_another();
        assert_true(fixture.wave.queued);
        assert_true(fixture_is_held_back(0));
        assert_true(fixture_is_held_back(1));
        assert_int_equal(fixture.wave.n_waiting, 2);
        assert_string_equal(fixture.wave.reason, "set bbbbbbbbbbbb is still being proven");
        assert_int_equal(fixture.wave.until_usec, fixture.now + USEC_PER_MIN);
        fixture_read_good(59);
        fixture_evaluate(WAVE_IMPORTING);
        assert_true(fixture_is_held_back(0));
        fixture_read_good(1);
        fixture_evaluate(WAVE_IMPORTING);
        assert_false(fixture.wave.queued);
        assert_false(fixture_is_held_back(0));
        assert_true(fixture_is_held_back(1));
}

static void test_a_new_set_goes_at_once_after_a_fault(void **state)
{
        begin_another();
        fixture_pass(1);
        fixture_read(&fixture_broken);
        fixture_evaluate(WAVE_IMPORTING);
        assert_false(fixture.wave.queued);
        assert_false(fixture_is_held_back(0));
        fixture_import();
        fixture_evaluate(WAVE_HOLDING);
        assert_string_equal(fixture.wave.reason, "");
}

static void test_a_new_set_waits_for_no_proof_that_cannot_end(void **state)
{
        begin_another();
        fixture.cluster[0].check.failure = (KeptOutcome){.known = true, .text = "no route"};
        fixture_evaluate(WAVE_IMPORTING);
        assert_false(fixture.wave.queued);
        fixture.cluster[0].check.failure = KEPT_OUTCOME_NULL;
        fixture.record[0].stop.at_usec = fixture.wall;
        fixture_evaluate(WAVE_IMPORTING);
        assert_false(fixture.wave.queued);
        fixture.record[0].stop.at_usec = 0;
        fixture.config[0].replication = REPLICATION_IGNORE;
        fixture_evaluate(WAVE_IMPORTING);
        assert_false(fixture.wave.queued);
}

static void test_a_new_set_waits_for_no_proof_that_has_not_begun(void **state)
{
        fixture_import();
        fixture_evaluate(WAVE_HOLDING);
        fixture.on_disk = A;
        fixture_evaluate(WAVE_IMPORTING);
        assert_false(fixture.wave.queued);
}

/* Another cluster has become the canary, and has proven nothing by itself. */
static void test_a_set_that_is_on_disk_no_more_begins_no_proof(void **state)
{
        fixture_read_good(1);
        fixture_evaluate(WAVE_IMPORTING);
        assert_false(fixture.wave.queued);
        assert_string_equal(fixture.record[0].proof.fingerprint, "");
        fixture.record[0].proof = (RecordProof){.fingerprint = A};
        fixture_read_good(1);
        fixture_evaluate(WAVE_IMPORTING);
        assert_int_equal(fixture.record[0].proof.since_usec, 0);
}

static void test_a_set_that_is_proven_begins_no_proof(void **state)
{
        fixture_import();
        fixture.record[1].proof = (RecordProof){.fingerprint = B, .proven = true};
        fixture_read_good(1);
        fixture_evaluate(WAVE_OPEN);
        assert_int_equal(fixture.record[0].proof.since_usec, 0);
}

static void test_what_is_imported_by_hand_does_not_wait(void **state)
{
        fixture_evaluate(WAVE_IMPORTING);
        text_set(fixture.record[1].by_hand, REPORT_FINGERPRINT_MAX, B);
        fixture_start_again();
        fixture_evaluate(WAVE_IMPORTING);
        assert_false(fixture_is_held_back(1));
        assert_int_equal(fixture.wave.n_waiting, 0);
        begin_another();
        assert_true(fixture_is_held_back(1)); /* it was another set */
        text_set(fixture.record[0].by_hand, REPORT_FINGERPRINT_MAX, A);
        fixture_evaluate(WAVE_IMPORTING);
        assert_false(fixture_is_held_back(0));
        assert_int_equal(fixture.wave.n_waiting, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                wave_test(test_without_a_set_or_an_enabled_cluster_there_is_no_wave),
                wave_test(test_the_canary_gets_the_set_and_the_others_wait),
                wave_test(test_the_first_set_goes_to_the_canary_first_as_well),
                wave_test(test_a_cluster_that_has_the_set_or_is_disabled_waits_for_nothing),
                wave_test(test_a_transient_failure_delays_and_a_held_one_stops),
                wave_test(test_replication_that_does_not_run_after_the_import_stops_the_wave),
                wave_test(test_a_failure_with_the_set_before_says_nothing),
                wave_test(test_a_new_set_waits_until_the_set_before_is_proven),
                wave_test(test_a_new_set_goes_at_once_after_a_fault),
                wave_test(test_a_new_set_waits_for_no_proof_that_cannot_end),
                wave_test(test_a_new_set_waits_for_no_proof_that_has_not_begun),
                wave_test(test_a_set_that_is_on_disk_no_more_begins_no_proof),
                wave_test(test_a_set_that_is_proven_begins_no_proof),
                wave_test(test_what_is_imported_by_hand_does_not_wait),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
