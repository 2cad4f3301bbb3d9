#include "tests/unit/test.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"

static uint64_t read_clock(clockid_t id)
{
        struct timespec now;

        assert_int_equal(clock_gettime(id, &now), 0);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void test_each_function_reads_its_clock(void **state)
{
        uint64_t before = read_clock(CLOCK_BOOTTIME), now = clock_boottime_usec();

        assert_in_range(now, before, read_clock(CLOCK_BOOTTIME));
        /* The wall clock may step meanwhile, so one second of difference is allowed. */
        before = read_clock(CLOCK_REALTIME);
        assert_in_range(clock_wall_usec(), before - USEC_PER_SEC,
                read_clock(CLOCK_REALTIME) + USEC_PER_SEC);
}

static void test_a_boot_time_has_a_wall_time(void **state)
{
        uint64_t before = read_clock(CLOCK_REALTIME), now = clock_boottime_usec();

        assert_in_range(clock_wall_at_usec(now + USEC_PER_HOUR),
                before + USEC_PER_HOUR - USEC_PER_SEC,
                read_clock(CLOCK_REALTIME) + USEC_PER_HOUR + USEC_PER_SEC);
}

static void test_boottime_never_goes_back(void **state)
{
        uint64_t last = clock_boottime_usec();

        for (unsigned i = 0; i < 1000; i++) {
                uint64_t now = clock_boottime_usec();

                assert_true(now >= last);
                last = now;
        }
}

static void test_the_time_left_for_poll_is_between_zero_and_int_max(void **state)
{
        uint64_t now = clock_boottime_usec();

        assert_int_equal(clock_left_usec(now - 1), 0);
        assert_int_equal(clock_poll_timeout(now - 1), 0);
        assert_in_range(clock_poll_timeout(now + USEC_PER_HOUR + 1), 1, 3600 * 1000 + 1);
        assert_int_equal(clock_poll_timeout(USEC_NEVER), INT_MAX);
}

static void test_times_are_written_in_utc_in_every_time_zone(void **state)
{
        static const uint64_t usec = UINT64_C(1801490709) * USEC_PER_SEC + 999999;
        char buffer[CLOCK_TEXT_SIZE];

        assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
        tzset();
        assert_ptr_equal(clock_format_date(buffer, usec), buffer);
        assert_string_equal(buffer, "2027-02-01");
        assert_ptr_equal(clock_format_time(buffer, usec), buffer);
        assert_string_equal(buffer, "2027-02-01 14:05:09Z");
        assert_int_equal(unsetenv("TZ"), 0);
        tzset();
}

static void test_the_first_and_the_last_time_fit_the_buffer(void **state)
{
        char buffer[CLOCK_TEXT_SIZE + 1];

        buffer[CLOCK_TEXT_SIZE] = '#';
        assert_string_equal(clock_format_time(buffer, 0), "1970-01-01 00:00:00Z");
        assert_string_equal(clock_format_time(buffer, CLOCK_BEFORE_1970), "1970-01-01 or earlier");
        assert_string_equal(clock_format_date(buffer, CLOCK_BEFORE_1970), "1970-01-01 or earlier");
        assert_string_equal(clock_format_date(buffer, USEC_PER_DAY - 1), "1970-01-01");
        assert_string_equal(clock_format_date(buffer, USEC_PER_DAY), "1970-01-02");
        assert_string_equal(clock_format_time(buffer, UINT64_MAX), "586524-01-19 08:01:49Z");
        assert_int_equal(buffer[CLOCK_TEXT_SIZE], '#');
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_function_reads_its_clock),
                cmocka_unit_test(test_a_boot_time_has_a_wall_time),
                cmocka_unit_test(test_boottime_never_goes_back),
                cmocka_unit_test(test_the_time_left_for_poll_is_between_zero_and_int_max),
                cmocka_unit_test(test_times_are_written_in_utc_in_every_time_zone),
                cmocka_unit_test(test_the_first_and_the_last_time_fit_the_buffer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
