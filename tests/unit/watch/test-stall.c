/*
 * A look may be late on a busy machine, but never early, so only the lower limits are tight.
 */

#include "tests/unit/test.h"

#include <sys/wait.h>

#include <unistd.h>

#include "common/clock.h"
#include "daemon/watch/stall.h"

#define GRACE (10 * USEC_PER_MSEC)
#define LIMIT (30 * USEC_PER_MSEC)
#define LATE  (20 * USEC_PER_SEC)

typedef struct Looks {
        unsigned n, count_at; /* a call returns before the look of that number */
        StallEvent last;
        Progress *progress;
} Looks;

static sd_event *event;
static Stall *stall;
static Looks looks;

static void on_look(StallEvent look, void *userdata)
{
        Looks *ret = userdata;

        ret->last = look;
        ret->n++;
        if (ret->count_at == ret->n + 1)
                progress_count(ret->progress);
}

static int make(void **state)
{
        looks = (Looks){0};
        if (sd_event_new(&event) < 0 || progress_new(&looks.progress) < 0)
                return -1;
        return stall_new(&stall, event, GRACE, LIMIT, on_look, &looks);
}

static int done(void **state)
{
        stall = stall_free(stall);
        looks.progress = progress_free(looks.progress);
        event = sd_event_unref(event);
        return 0;
}

#define stall_test(test) cmocka_unit_test_setup_teardown(test, make, done)

static void run_until_look(unsigned n)
{
        uint64_t limit = clock_boottime_usec() + LATE;

        while (looks.n < n && clock_boottime_usec() < limit)
                assert_true(sd_event_run(event, LATE) >= 0);
        assert_int_equal(looks.n, n);
}

static void test_the_first_look_comes_after_the_grace_and_judges_nothing(void **state)
{
        uint64_t begin = clock_boottime_usec();

        stall_expect(stall, looks.progress, begin);
        assert_int_equal(stall_deadline_usec(stall), begin + GRACE);
        run_until_look(1);
        assert_true(clock_boottime_usec() >= begin + GRACE);
        assert_int_equal(looks.last, STALL_OVERDUE);
}

static void test_each_further_limit_without_progress_is_reported(void **state)
{
        uint64_t begin = clock_boottime_usec();

        stall_expect(stall, looks.progress, begin);
        for (unsigned n = 2; n <= 4; n++) {
                run_until_look(n);
                assert_true(clock_boottime_usec() >= begin + GRACE + (n - 1) * LIMIT);
                assert_int_equal(looks.last, STALL_NO_PROGRESS);
        }
}

static void test_what_was_counted_before_the_first_look_is_no_progress(void **state)
{
        stall_expect(stall, looks.progress, clock_boottime_usec());
        progress_count(looks.progress);
        run_until_look(2);
        assert_int_equal(looks.last, STALL_NO_PROGRESS);
}

static void test_a_call_that_returned_between_two_looks_is_progress(void **state)
{
        stall_expect(stall, looks.progress, clock_boottime_usec());
        looks.count_at = 3;
        run_until_look(2);
        assert_int_equal(looks.last, STALL_NO_PROGRESS);
        run_until_look(3);
        assert_int_equal(looks.last, STALL_PROGRESS);
        run_until_look(4);
        assert_int_equal(looks.last, STALL_NO_PROGRESS);
}

static void test_an_answer_in_time_is_not_looked_for(void **state)
{
        stall_expect(stall, looks.progress, clock_boottime_usec());
        run_until_look(2);
        stall_expect(stall, looks.progress, clock_boottime_usec());
        run_until_look(3);
        assert_int_equal(looks.last, STALL_OVERDUE);
}

static void test_nothing_is_looked_for_after_a_stop(void **state)
{
        stall_expect(stall, looks.progress, clock_boottime_usec());
        stall_stop(stall);
        assert_int_equal(stall_deadline_usec(stall), USEC_NEVER);
        assert_int_equal(sd_event_run(event, GRACE + LIMIT), 0);
        assert_int_equal(looks.n, 0);
}

static void test_the_count_of_a_child_is_seen_by_its_parent(void **state)
{
        pid_t child = fork();

        if (child == 0) {
                progress_count(looks.progress);
                progress_count(looks.progress);
                progress_finish(looks.progress);
                _exit(0);
        }
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(progress_read(looks.progress), 2);
        assert_true(progress_is_finished(looks.progress));
        progress_count(NULL);
        progress_finish(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                stall_test(test_the_first_look_comes_after_the_grace_and_judges_nothing),
                stall_test(test_each_further_limit_without_progress_is_reported),
                stall_test(test_what_was_counted_before_the_first_look_is_no_progress),
                stall_test(test_a_call_that_returned_between_two_looks_is_progress),
                stall_test(test_an_answer_in_time_is_not_looked_for),
                stall_test(test_nothing_is_looked_for_after_a_stop),
                stall_test(test_the_count_of_a_child_is_seen_by_its_parent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
