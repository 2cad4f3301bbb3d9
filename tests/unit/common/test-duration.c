#include "tests/unit/test.h"

#include <errno.h>

#include "common/clock.h"
#include "common/macro.h"

static void test_units_and_sums_are_read(void **state)
{
        static const struct {
                const char *text;
                uint64_t usec;
        } cases[] = {
                {"100ms", 100 * USEC_PER_MSEC},
                {"30s", 30 * USEC_PER_SEC},
                {"5min", 5 * USEC_PER_MIN},
                {" 1h 30min ", 90 * USEC_PER_MIN},
                {"30d", 30 * USEC_PER_DAY},
                {"0s", 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint64_t usec = 1;

                assert_int_equal(duration_parse(&usec, cases[i].text), 0);
                assert_int_equal(usec, cases[i].usec);
        }
}

static void test_other_text_is_refused(void **state)
{
        static const char *const cases[] = {"", "5", "-1s", "1.5h", "5 m", "5mins", "s", "5s x"};
        uint64_t usec;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(duration_parse(&usec, cases[i]), -EINVAL);
        assert_int_equal(duration_parse(&usec, "36501d"), -ERANGE);
        assert_int_equal(duration_parse(&usec, "99999999999999999999d"), -ERANGE);
}

static void test_the_two_largest_units_are_written(void **state)
{
        char buffer[DURATION_TEXT_SIZE];

        assert_string_equal(duration_format(buffer, 0), "0s");
        assert_string_equal(duration_format(buffer, 150 * USEC_PER_MSEC), "150ms");
        assert_string_equal(duration_format(buffer, 51 * USEC_PER_HOUR), "2d 3h");
        assert_string_equal(duration_format(buffer, USEC_PER_HOUR + 4 * USEC_PER_SEC), "1h");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_units_and_sums_are_read),
                cmocka_unit_test(test_other_text_is_refused),
                cmocka_unit_test(test_the_two_largest_units_are_written),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
