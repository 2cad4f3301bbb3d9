#include "tests/unit/test.h"

#include <limits.h>

#include "common/macro.h"
#include "daemon/model/backoff.h"

static void test_before_the_first_failure_there_is_no_delay(void **state)
{
        assert_int_equal(backoff_usec(0, 100, 1000, 7), 0);
}

static void test_the_delay_doubles_from_the_minimum_to_the_maximum(void **state)
{
        static const uint64_t expected[] = {100, 200, 400, 800, 1000, 1000, 1000};

        for (unsigned i = 0; i < ARRAY_SIZE(expected); i++)
                assert_int_equal(backoff_usec(i + 1, 100, 1000, 0), expected[i]);
        assert_int_equal(backoff_usec(UINT_MAX, 100, 1000, 0), 1000);
        assert_int_equal(backoff_usec(5, 100, 1600, 0), 1600);
}

static void test_jitter_shortens_the_delay_by_at_most_half(void **state)
{
        uint64_t least = UINT64_MAX, most = 0;

        for (uint32_t random = 0; random < 1000; random++) {
                uint64_t delay = backoff_usec(4, 100, 1000, random);

                least = delay < least ? delay : least;
                most = delay > most ? delay : most;
        }
        assert_int_equal(most, 800);
        assert_int_equal(least, 401);
        for (unsigned failures = 1; failures < 20; failures++) {
                uint64_t delay = backoff_usec(failures, 100, 1000, UINT32_MAX);

                assert_in_range(delay, 50, 1000);
        }
}

static void test_two_random_numbers_give_two_delays(void **state)
{
        assert_int_not_equal(backoff_usec(3, 1000, 100000, 1), backoff_usec(3, 1000, 100000, 2));
}

static void test_the_widest_limits_do_not_overflow(void **state)
{
        assert_true(backoff_usec(UINT_MAX, 1, UINT64_MAX, 0) == UINT64_MAX);
        assert_true(backoff_usec(64, 1, UINT64_MAX, 0) == UINT64_C(1) << 63);
        assert_true(backoff_usec(2, UINT64_MAX, UINT64_MAX, 0) == UINT64_MAX);
        assert_true(backoff_usec(2, UINT64_MAX / 2 + 1, UINT64_MAX, 0) == UINT64_MAX);
}

static void test_the_smallest_limits_do_not_hang(void **state)
{
        assert_int_equal(backoff_usec(1, 1, 1, UINT32_MAX), 1);
        assert_int_equal(backoff_usec(9, 0, 0, UINT32_MAX), 0);
        assert_int_equal(backoff_usec(UINT_MAX, 0, 1000, UINT32_MAX), 0);
}

static void test_a_minimum_above_the_maximum_is_the_maximum(void **state)
{
        assert_int_equal(backoff_usec(1, 5000, 1000, 0), 1000);
        assert_int_equal(backoff_usec(9, 5000, 1000, 0), 1000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_before_the_first_failure_there_is_no_delay),
                cmocka_unit_test(test_the_delay_doubles_from_the_minimum_to_the_maximum),
                cmocka_unit_test(test_jitter_shortens_the_delay_by_at_most_half),
                cmocka_unit_test(test_two_random_numbers_give_two_delays),
                cmocka_unit_test(test_the_widest_limits_do_not_overflow),
                cmocka_unit_test(test_the_smallest_limits_do_not_hang),
                cmocka_unit_test(test_a_minimum_above_the_maximum_is_the_maximum),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
