#include "tests/unit/cluster/wave-fixture.h"

#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "common/text.h"

static void prove(void)
{
        fixture_import();
        fixture_read_good(0);
        fixture_evaluate(WAVE_HOLDING);
        fixture_read_good(120);
        fixture_evaluate(WAVE_OPEN);
}

static void test_the_wave_opens_after_the_hold(void **state)
{
        uint64_t end;

        fixture_import();
        fixture_read_good(0);
        end = fixture.now + HOLD;
        fixture_evaluate(WAVE_HOLDING);
        assert_int_equal(fixture.wave.since_at_usec, fixture.wall);
        assert_int_equal(fixture.wave.until_usec, end);
        assert_true(fixture_is_held_back(1));
        fixture_read_good(119);
        fixture_evaluate(WAVE_HOLDING);
        assert_int_equal(fixture.wave.held_usec, 119 * USEC_PER_SEC);
        assert_int_equal(fixture.wave.until_usec, end);
        fixture_read_good(1);
        fixture_evaluate(WAVE_OPEN);
        assert_int_equal(fixture.wave.n_waiting, 0);
        assert_false(fixture_is_held_back(1));
}

static void test_time_alone_does_not_open_it(void **state)
{
        fixture_import();
        fixture_read_good(0);
        fixture_evaluate(WAVE_HOLDING);
        fixture_pass(86400);
        fixture_evaluate(WAVE_HOLDING);
        assert_int_equal(fixture.wave.held_usec, 0);
}

static void test_what_was_read_before_the_import_does_not_count(void **state)
{
        fixture_read_good(0);
        fixture_pass(86400);
        fixture_import();
        fixture_evaluate(WAVE_HOLDING);
        assert_int_equal(fixture.wave.since_at_usec, 0);
        fixture_read_good(60);
        fixture_evaluate(WAVE_HOLDING);
        assert_int_equal(fixture.wave.since_at_usec, fixture.wall);
        assert_int_equal(fixture.wave.held_usec, 0);
}

static void test_steps_of_the_wall_clock_change_nothing(void **state)
{
        static const int64_t steps[] = {-3600, 3600, -86400, 86400};

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                fixture_make(NULL);
                fixture_import();
                fixture_read_good(0);
                fixture_evaluate(WAVE_HOLDING);
                fixture.wall += (uint64_t)(steps[i] * (int64_t)USEC_PER_SEC);
                fixture_read_good(60);
                fixture_evaluate(WAVE_HOLDING);
                assert_int_equal(fixture.wave.held_usec, 60 * USEC_PER_SEC);
                fixture_read_good(60);
                fixture_evaluate(WAVE_OPEN);
        }
}

static void test_the_hold_continues_after_a_restart(void **state)
{
        fixture_import();
        fixture_read_good(0);
        fixture_evaluate(WAVE_HOLDING);
        fixture_read_good(50);
        fixture_evaluate(WAVE_HOLDING);
        fixture_start_again();
        fixture_evaluate(WAVE_HOLDING);
        assert_int_equal(fixture.wave.held_usec, 50 * USEC_PER_SEC);
        assert_int_equal(fixture.wave.until_usec, 0);
        assert_true(fixture_is_held_back(1));
        assert_false(fixture_is_held_back(0));
        fixture_read_good(60);
        fixture_evaluate(WAVE_HOLDING);
        fixture_read_good(10);
        fixture_evaluate(WAVE_OPEN);
}

static void test_the_time_of_another_boot_does_not_count(void **state)
{
        fixture_import();
        fixture_read_good(0);
        fixture_evaluate(WAVE_HOLDING);
        fixture_start_again();
        fixture.now = USEC_PER_MIN;
        fixture_read_good(0);
        fixture_evaluate(WAVE_HOLDING);
        assert_int_equal(fixture.wave.held_usec, 0);
        fixture_read_good(119);
        fixture_evaluate(WAVE_HOLDING);
        fixture_read_good(1);
        fixture_evaluate(WAVE_OPEN);
}

static void test_a_proven_set_stays_proven(void **state)
{
        prove();
        fixture_start_again();
        fixture_evaluate(WAVE_OPEN);
        fixture_pass(1);
        fixture_read(&fixture_broken);
        fixture_evaluate(WAVE_OPEN);
        fixture_fail(OUTCOME_UNREACHABLE, false); /* a forced import */
        fixture_evaluate(WAVE_OPEN);
        fixture_fail(OUTCOME_REPLICATION_FAILED, true);
        fixture_evaluate(WAVE_OPEN);
        assert_false(fixture_is_held_back(1));
}

static void test_what_another_cluster_has_proven_is_proven(void **state)
{
        fixture.record[1].proof.proven = true;
        text_set(fixture.record[1].proof.fingerprint, REPORT_FINGERPRINT_MAX, B);
        fixture_evaluate(WAVE_OPEN);
        fixture.on_disk = A;
        fixture.record[1].imported.fingerprint[0] = '\0';
        fixture_evaluate(WAVE_HOLDING);
}

static void test_another_set_is_not_proven(void **state)
{
        prove();
        fixture.on_disk = A;
        fixture_evaluate(WAVE_IMPORTING);
        fixture_import();
        fixture_evaluate(WAVE_HOLDING);
        assert_int_equal(fixture.wave.since_at_usec, 0);
}

static void test_a_fault_in_the_hold_stops_the_wave(void **state)
{
        static const struct {
                Replication replication;
                const char *reason;
        } faults[] = {
                {{.known = true,
                         .configured = true,
                         .io_running = "Connecting",
                         .io_errno = 2026,
                         .io_error = "refused",
                         .sql_running = "Yes"},
                        "replication I/O thread Connecting (error 2026): refused"},
                {{.known = true,
                         .configured = true,
                         .io_running = "Yes",
                         .sql_running = "No",
                         .sql_errno = 1062,
                         .sql_error = "duplicate"},
                        "replication SQL thread No (error 1062): duplicate"},
                {{.known = true, .configured = true, .io_running = "No", .sql_running = "No"},
                        "replication is stopped"},
                {{.known = true, .configured = true, .io_running = "No", .sql_running = "Yes"},
                        "the I/O thread of replication is stopped"},
                {{.known = true, .configured = true, .io_running = "Yes", .sql_running = "No"},
                        "the SQL thread of replication is stopped"},
                {{.known = true,
                         .configured = true,
                         .io_running = "Yes",
                         .sql_running = "Yes",
                         .tls = TRISTATE_NO},
                        "replication runs without TLS"},
                {{.known = true}, "replication is not configured"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
                fixture_make(NULL);
                fixture_import();
                fixture_read_good(0);
                fixture_evaluate(WAVE_HOLDING);
                fixture_pass(15);
                fixture_read(&faults[i].replication);
                fixture_evaluate(WAVE_STOPPED);
                assert_string_equal(fixture.wave.reason, faults[i].reason);
                assert_int_equal(fixture.wave.n_waiting, 1);
                assert_true(fixture_is_held_back(1));
                fixture_read_good(86400);
                fixture_evaluate(WAVE_STOPPED);
                fixture_start_again();
                fixture_evaluate(WAVE_STOPPED);
                assert_string_equal(fixture.wave.reason, faults[i].reason);
        }
}

static void test_before_the_hold_nothing_is_proven_and_nothing_has_failed(void **state)
{
        Replication none = {.known = true};

        fixture_import();
        fixture_evaluate(WAVE_HOLDING);
        assert_string_equal(fixture.wave.reason, "");
        fixture_read(&none);
        fixture_evaluate(WAVE_HOLDING);
        assert_string_equal(fixture.wave.reason, "replication is not configured");
        fixture_pass(1);
        fixture_read(&fixture_broken);
        fixture_evaluate(WAVE_HOLDING);
        assert_non_null(strstr(fixture.wave.reason, "certificate refused"));
        assert_true(fixture_is_held_back(1));
        fixture_read_good(86400);
        fixture_evaluate(WAVE_HOLDING);
        assert_string_equal(fixture.wave.reason, "");
        assert_int_equal(fixture.wave.held_usec, 0);
}

static void test_a_thread_that_connects_is_neither_good_nor_a_fault(void **state)
{
        Replication connecting = fixture_good;

        text_set(connecting.io_running, sizeof(connecting.io_running), "Connecting");
        fixture_import();
        fixture_read_good(0);
        fixture_evaluate(WAVE_HOLDING);
        fixture_pass(100);
        fixture_read(&connecting);
        fixture_evaluate(WAVE_HOLDING);
        assert_int_equal(fixture.wave.held_usec, 0);
        assert_string_equal(fixture.wave.reason, "the I/O thread of replication is Connecting");
        fixture_read_good(20);
        fixture_evaluate(WAVE_HOLDING);
        assert_int_equal(fixture.wave.held_usec, 20 * USEC_PER_SEC);
        assert_string_equal(fixture.wave.reason, "");
}

static void test_a_check_that_fails_delays_the_hold(void **state)
{
        fixture_import();
        fixture_read_good(0);
        fixture_evaluate(WAVE_HOLDING);
        fixture.cluster[0].check.failure = (KeptOutcome){.known = true, .text = "no route"};
        fixture_pass(600);
        fixture_evaluate(WAVE_HOLDING);
        assert_string_equal(fixture.wave.reason, "the check failed: no route");
        assert_int_equal(fixture.wave.held_usec, 0);
}

static void test_a_stop_for_an_import_is_no_fault(void **state)
{
        fixture_import();
        fixture_read_good(0);
        fixture_evaluate(WAVE_HOLDING);
        fixture.record[0].stop.at_usec = fixture.wall;
        replication_set_stopped(&fixture.replication[0], fixture.wall);
        fixture.cluster[0].read_usec = 0;
        fixture_evaluate(WAVE_HOLDING);
        fixture.cluster[0].read_usec = fixture.now + 1; /* of a start that failed */
        fixture_evaluate(WAVE_HOLDING);
        assert_non_null(strstr(fixture.wave.reason, "was stopped for an import"));
}

static void test_another_import_begins_the_hold_anew(void **state)
{
        fixture_import();
        fixture_read_good(0);
        fixture_evaluate(WAVE_HOLDING);
        fixture_read_good(100);
        fixture_evaluate(WAVE_HOLDING);
        fixture_import();
        fixture_evaluate(WAVE_HOLDING);
        assert_int_equal(fixture.wave.since_at_usec, 0);
        fixture_read_good(1);
        fixture_evaluate(WAVE_HOLDING);
        fixture_pass(1);
        fixture_read(&fixture_broken);
        fixture_evaluate(WAVE_STOPPED);
        fixture_import(); /* by itself, to mend it */
        fixture_read_good(1);
        fixture_evaluate(WAVE_STOPPED);
}

static void test_ignored_replication_proves_with_the_import(void **state)
{
        fixture.config[0].replication = REPLICATION_IGNORE;
        fixture_evaluate(WAVE_IMPORTING);
        fixture_import();
        fixture_evaluate(WAVE_OPEN);
        fixture_start_again();
        fixture_evaluate(WAVE_OPEN);
}

static uint64_t check_delay(uint64_t hold_usec, uint64_t held_usec)
{
        fixture_import();
        fixture.record[0].proof = (RecordProof){.fingerprint = B, .since_usec = 1};
        fixture.record[0].proof.held_usec = held_usec;
        wave_evaluate(&fixture.wave, &(WaveInput){&fixture.cluster[0], B, false, 1, hold_usec});
        return fixture.wave.check_delay_usec;
}

static void test_the_canary_is_checked_eight_times_and_at_the_end(void **state)
{
        assert_int_equal(check_delay(USEC_PER_MIN, 0), USEC_PER_MIN / 8);
        assert_int_equal(check_delay(USEC_PER_DAY, 0), 15 * USEC_PER_SEC);
        assert_int_equal(check_delay(2 * USEC_PER_SEC, 0), USEC_PER_SEC);
        assert_int_equal(check_delay(USEC_PER_MIN, 57 * USEC_PER_SEC), 3 * USEC_PER_SEC);
        assert_int_equal(check_delay(USEC_PER_MIN, USEC_PER_MIN - 1), USEC_PER_SEC);
        fixture_evaluate(WAVE_HOLDING);
        fixture.record[0].proof.proven = true;
        fixture_evaluate(WAVE_OPEN);
        assert_int_equal(fixture.wave.check_delay_usec, 0);
}

static void test_a_hold_of_no_time_needs_one_good_reading(void **state)
{
        WaveInput input = {.canary = &fixture.cluster[0], .fingerprint = B};
        char fault[OUTCOME_TEXT_MAX];

        fixture_import();
        fixture.record[0].proof = wave_prove(fault, &input);
        assert_false(fixture.record[0].proof.proven);
        fixture_read_good(1);
        fixture.record[0].proof = wave_prove(fault, &input);
        assert_true(fixture.record[0].proof.proven);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                wave_test(test_the_wave_opens_after_the_hold),
                wave_test(test_time_alone_does_not_open_it),
                wave_test(test_what_was_read_before_the_import_does_not_count),
                wave_test(test_steps_of_the_wall_clock_change_nothing),
                wave_test(test_the_hold_continues_after_a_restart),
                wave_test(test_the_time_of_another_boot_does_not_count),
                wave_test(test_a_proven_set_stays_proven),
                wave_test(test_what_another_cluster_has_proven_is_proven),
                wave_test(test_another_set_is_not_proven),
                wave_test(test_a_fault_in_the_hold_stops_the_wave),
                wave_test(test_before_the_hold_nothing_is_proven_and_nothing_has_failed),
                wave_test(test_a_thread_that_connects_is_neither_good_nor_a_fault),
                wave_test(test_a_check_that_fails_delays_the_hold),
                wave_test(test_a_stop_for_an_import_is_no_fault),
                wave_test(test_another_import_begins_the_hold_anew),
                wave_test(test_ignored_replication_proves_with_the_import),
                wave_test(test_the_canary_is_checked_eight_times_and_at_the_end),
                wave_test(test_a_hold_of_no_time_needs_one_good_reading),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
