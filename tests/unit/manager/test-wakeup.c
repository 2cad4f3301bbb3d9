#include "tests/unit/test.h"

#include "common/clock.h"
#include "daemon/manager/wakeup.h"

static sd_event *event;
static Wakeup *wakeup;
static unsigned n_calls, n_requests_in_call;

static void on_wakeup(void *userdata)
{
        assert_ptr_equal(userdata, &n_calls);
        n_calls++;
        if (n_requests_in_call > 0) {
                n_requests_in_call--;
                wakeup_request(wakeup);
        }
}

static void run_pending(void)
{
        int r;

        do {
                r = sd_event_run(event, 0);
                assert_true(r >= 0);
        } while (r > 0);
}

/* The first call has been made. */
static int make(void **state)
{
        n_calls = n_requests_in_call = 0;
        if (sd_event_new(&event) < 0 || wakeup_new(&wakeup, event, on_wakeup, &n_calls) < 0)
                return -1;
        assert_int_equal(n_calls, 0);
        run_pending();
        assert_int_equal(n_calls, 1);
        return 0;
}

static int done(void **state)
{
        wakeup = wakeup_free(wakeup);
        event = sd_event_unref(event);
        return 0;
}

static void test_many_requests_make_one_call(void **state)
{
        for (int i = 0; i < 5; i++)
                wakeup_request(wakeup);
        assert_int_equal(n_calls, 1);
        run_pending();
        assert_int_equal(n_calls, 2);
        run_pending();
        assert_int_equal(n_calls, 2);
}

static int on_other_event(sd_event_source *source, void *userdata)
{
        assert_int_equal(n_calls, 1);
        wakeup_request(wakeup);
        return 0;
}

static void test_the_call_comes_after_the_events_that_are_pending(void **state)
{
        sd_event_source *one, *other;

        wakeup_request(wakeup);
        assert_int_equal(sd_event_add_defer(event, &one, on_other_event, NULL), 0);
        assert_int_equal(sd_event_add_defer(event, &other, on_other_event, NULL), 0);
        run_pending();
        assert_int_equal(n_calls, 2);
        sd_event_source_unref(one);
        sd_event_source_unref(other);
}

static void test_a_request_during_the_call_makes_one_more(void **state)
{
        n_requests_in_call = 1;
        wakeup_request(wakeup);
        run_pending();
        assert_int_equal(n_calls, 3);
}

static void test_a_time_that_has_come_makes_one_call(void **state)
{
        wakeup_request_at(wakeup, clock_boottime_usec() - 1);
        run_pending();
        assert_int_equal(n_calls, 2);
        run_pending();
        assert_int_equal(n_calls, 2);
}

static void test_a_time_that_has_not_come_makes_none(void **state)
{
        wakeup_request_at(wakeup, clock_boottime_usec() + USEC_PER_HOUR);
        run_pending();
        assert_int_equal(n_calls, 1);
}

static void test_the_last_time_counts(void **state)
{
        wakeup_request_at(wakeup, clock_boottime_usec() - 1);
        wakeup_request_at(wakeup, USEC_NEVER);
        run_pending();
        assert_int_equal(n_calls, 1);
}

static void test_a_requested_call_can_be_made_at_once(void **state)
{
        wakeup_run_requested(wakeup);
        assert_int_equal(n_calls, 1);
        wakeup_request(wakeup);
        wakeup_run_requested(wakeup);
        assert_int_equal(n_calls, 2);
        wakeup_run_requested(wakeup);
        assert_int_equal(n_calls, 2);
}

#define wakeup_test(test) cmocka_unit_test_setup_teardown(test, make, done)

int main(void)
{
        const struct CMUnitTest tests[] = {
                wakeup_test(test_many_requests_make_one_call),
                wakeup_test(test_the_call_comes_after_the_events_that_are_pending),
                wakeup_test(test_a_request_during_the_call_makes_one_more),
                wakeup_test(test_a_time_that_has_come_makes_one_call),
                wakeup_test(test_a_time_that_has_not_come_makes_none),
                wakeup_test(test_the_last_time_counts),
                wakeup_test(test_a_requested_call_can_be_made_at_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
