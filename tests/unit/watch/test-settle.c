/*
 * A call may be late on a busy machine, but never early, so only the lower limits are tight.
 */

#include "tests/unit/test.h"

#include <stdbool.h>

#include "common/clock.h"
#include "daemon/watch/settle.h"

#define QUIET     (20 * USEC_PER_MSEC)
#define MAX_DELAY (80 * USEC_PER_MSEC)
#define LATE      (20 * USEC_PER_SEC)

typedef struct Burst {
        sd_event *event;
        Settle *settle;
        unsigned n_calls;
        uint64_t first_usec, last_usec; /* changes */
        uint64_t called_usec;
        bool trigger_again;
} Burst;

static void trigger(Burst *burst)
{
        /* Before the call, so that the measured time is never shorter than the real one. */
        burst->last_usec = clock_boottime_usec();
        if (burst->first_usec == 0)
                burst->first_usec = burst->last_usec;
        settle_trigger(burst->settle);
}

static void on_settled(void *userdata)
{
        Burst *burst = userdata;

        burst->n_calls++;
        burst->called_usec = clock_boottime_usec();
        if (burst->trigger_again) {
                burst->trigger_again = false;
                burst->first_usec = 0;
                trigger(burst);
        }
}

static void burst_start(Burst *burst, uint64_t quiet_usec, uint64_t max_delay_usec)
{
        *burst = (Burst){0};
        assert_int_equal(sd_event_new(&burst->event), 0);
        assert_int_equal(settle_new(&burst->settle, burst->event, quiet_usec, max_delay_usec,
                                 on_settled, burst),
                0);
}

static void burst_done(Burst *burst)
{
        settle_free(burst->settle);
        sd_event_unref(burst->event);
}

static void run_for(Burst *burst, uint64_t usec)
{
        uint64_t end = clock_boottime_usec() + usec;

        for (uint64_t now = clock_boottime_usec(); now < end; now = clock_boottime_usec())
                assert_true(sd_event_run(burst->event, end - now) >= 0);
}

static void run_until(Burst *burst, unsigned n_calls)
{
        uint64_t end = clock_boottime_usec() + LATE;

        while (burst->n_calls < n_calls && clock_boottime_usec() < end)
                assert_true(sd_event_run(burst->event, LATE) >= 0);
        assert_int_equal(burst->n_calls, n_calls);
}

static void test_without_a_change_nothing_is_called(void **state)
{
        Burst burst;

        burst_start(&burst, QUIET / 10, QUIET);
        run_for(&burst, 2 * QUIET);
        assert_int_equal(burst.n_calls, 0);
        burst_done(&burst);
}

static void test_one_change_is_one_call_after_the_quiet_time(void **state)
{
        Burst burst;

        burst_start(&burst, QUIET, MAX_DELAY);
        trigger(&burst);
        assert_int_equal(burst.n_calls, 0);
        run_until(&burst, 1);
        assert_true(burst.called_usec - burst.last_usec >= QUIET);
        run_for(&burst, 2 * QUIET);
        assert_int_equal(burst.n_calls, 1);
        burst_done(&burst);
}

static void test_a_burst_is_one_call_after_its_last_change(void **state)
{
        Burst burst;

        burst_start(&burst, QUIET, 1000 * MAX_DELAY);
        for (unsigned i = 0; i < 100; i++)
                trigger(&burst);
        run_until(&burst, 1);
        assert_true(burst.called_usec - burst.last_usec >= QUIET);
        run_for(&burst, 2 * QUIET);
        assert_int_equal(burst.n_calls, 1);
        burst_done(&burst);
}

static void test_each_change_restarts_the_quiet_time(void **state)
{
        Burst burst;

        burst_start(&burst, QUIET, LATE);
        trigger(&burst);
        run_for(&burst, QUIET / 2);
        if (burst.n_calls == 0) { /* else the machine was suspended for the quiet time */
                trigger(&burst);
                run_until(&burst, 1);
                assert_true(burst.called_usec - burst.last_usec >= QUIET);
        }
        burst_done(&burst);
}

static void test_continuous_changes_cause_a_call_at_the_limit(void **state)
{
        Burst burst;
        uint64_t end;

        burst_start(&burst, LATE, MAX_DELAY);
        end = clock_boottime_usec() + LATE / 2;
        while (burst.n_calls == 0 && clock_boottime_usec() < end) {
                trigger(&burst);
                assert_true(sd_event_run(burst.event, USEC_PER_MSEC) >= 0);
        }
        assert_int_equal(burst.n_calls, 1);
        assert_true(burst.called_usec - burst.first_usec >= MAX_DELAY);
        burst_done(&burst);
}

static void test_a_quiet_time_over_the_limit_ends_at_the_limit(void **state)
{
        Burst burst;

        burst_start(&burst, LATE, MAX_DELAY);
        trigger(&burst);
        run_until(&burst, 1);
        assert_true(burst.called_usec - burst.first_usec >= MAX_DELAY);
        assert_true(burst.called_usec - burst.first_usec < LATE);
        burst_done(&burst);
}

static void test_a_later_burst_has_its_own_limit(void **state)
{
        Burst burst;

        burst_start(&burst, QUIET, MAX_DELAY);
        trigger(&burst);
        run_until(&burst, 1);
        run_for(&burst, MAX_DELAY); /* over, if it were counted from the first burst */
        trigger(&burst);
        run_until(&burst, 2);
        assert_true(burst.called_usec - burst.last_usec >= QUIET);
        burst_done(&burst);
}

static void test_a_change_during_the_call_causes_another_call(void **state)
{
        Burst burst;

        burst_start(&burst, QUIET, MAX_DELAY);
        burst.trigger_again = true;
        trigger(&burst);
        run_until(&burst, 2);
        assert_true(burst.called_usec - burst.last_usec >= QUIET);
        burst_done(&burst);
}

static void test_after_free_nothing_is_called(void **state)
{
        Burst burst;

        burst_start(&burst, QUIET / 10, QUIET);
        trigger(&burst);
        burst.settle = settle_free(burst.settle);
        assert_null(burst.settle);
        run_for(&burst, 2 * QUIET);
        assert_int_equal(burst.n_calls, 0);
        burst_done(&burst);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_without_a_change_nothing_is_called),
                cmocka_unit_test(test_one_change_is_one_call_after_the_quiet_time),
                cmocka_unit_test(test_a_burst_is_one_call_after_its_last_change),
                cmocka_unit_test(test_each_change_restarts_the_quiet_time),
                cmocka_unit_test(test_continuous_changes_cause_a_call_at_the_limit),
                cmocka_unit_test(test_a_quiet_time_over_the_limit_ends_at_the_limit),
                cmocka_unit_test(test_a_later_burst_has_its_own_limit),
                cmocka_unit_test(test_a_change_during_the_call_causes_another_call),
                cmocka_unit_test(test_after_free_nothing_is_called),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
