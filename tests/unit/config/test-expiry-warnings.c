#include "tests/unit/test.h"

#include "common/clock.h"
#include "common/macro.h"
#include "daemon/config/expiry-warnings.h"

#define BEGIN (1000 * USEC_PER_DAY)

static const MaterialConfig defaults = {
        .expiry_warning_usec = {30 * USEC_PER_DAY, 7 * USEC_PER_DAY, USEC_PER_DAY}};

static const struct {
        uint64_t validity;
        uint64_t lengths[3]; /* the same length twice is one warning */
        unsigned n;
} lives[] = {
        {USEC_PER_HOUR, {20 * USEC_PER_MIN}, 1},
        {USEC_PER_DAY, {8 * USEC_PER_HOUR}, 1},
        {9 * USEC_PER_DAY, {3 * USEC_PER_DAY, USEC_PER_DAY}, 2},
        {90 * USEC_PER_DAY, {30 * USEC_PER_DAY, 7 * USEC_PER_DAY, USEC_PER_DAY}, 3},
        {3650 * USEC_PER_DAY, {30 * USEC_PER_DAY, 7 * USEC_PER_DAY, USEC_PER_DAY}, 3},
};

static ExpiryWarning evaluate(size_t life, uint64_t now)
{
        return expiry_warnings_evaluate(&defaults, BEGIN, BEGIN + lives[life].validity, now);
}

static void test_a_renewed_certificate_of_any_life_has_no_warning(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
                uint64_t end = BEGIN + lives[i].validity, first = end - lives[i].lengths[0];

                for (uint64_t now = BEGIN; now < first; now += lives[i].validity / 100) {
                        ExpiryWarning warning = evaluate(i, now);

                        assert_int_equal(warning.within_usec, 0);
                        assert_int_equal(warning.next_usec, first);
                }
                assert_int_equal(expiry_warnings_begin_usec(&defaults, BEGIN, end), first);
        }
}

static void test_each_warning_begins_to_the_microsecond(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(lives); i++)
                for (unsigned k = 0; k < lives[i].n; k++) {
                        uint64_t end = BEGIN + lives[i].validity;
                        uint64_t begin = end - lives[i].lengths[k];
                        ExpiryWarning before = evaluate(i, begin - 1), after = evaluate(i, begin);

                        assert_int_equal(before.next_usec, begin);
                        assert_int_equal(before.within_usec, k > 0 ? lives[i].lengths[k - 1] : 0);
                        assert_int_equal(after.within_usec, lives[i].lengths[k]);
                        assert_int_equal(after.next_usec,
                                k + 1 < lives[i].n ? end - lives[i].lengths[k + 1] : 0);
                }
}

static void test_a_warning_shorter_than_a_third_is_as_configured(void **state)
{
        MaterialConfig config = {.expiry_warning_usec = {4 * USEC_PER_HOUR, USEC_PER_HOUR}};
        uint64_t end = BEGIN + USEC_PER_DAY;

        assert_int_equal(expiry_warnings_begin_usec(&config, BEGIN, end), end - 4 * USEC_PER_HOUR);
        assert_int_equal(
                expiry_warnings_evaluate(&config, BEGIN, end, end - USEC_PER_HOUR).within_usec,
                USEC_PER_HOUR);
}

static void test_without_a_known_begin_a_warning_is_as_configured(void **state)
{
        assert_int_equal(
                expiry_warnings_begin_usec(&defaults, 0, BEGIN), BEGIN - 30 * USEC_PER_DAY);
}

static void test_a_validity_that_ends_before_it_begins_has_no_warning_before_its_end(void **state)
{
        ExpiryWarning warning =
                expiry_warnings_evaluate(&defaults, BEGIN + USEC_PER_DAY, BEGIN, BEGIN - 1);

        assert_int_equal(warning.within_usec, 0);
        assert_int_equal(warning.next_usec, BEGIN);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_renewed_certificate_of_any_life_has_no_warning),
                cmocka_unit_test(test_each_warning_begins_to_the_microsecond),
                cmocka_unit_test(test_a_warning_shorter_than_a_third_is_as_configured),
                cmocka_unit_test(test_without_a_known_begin_a_warning_is_as_configured),
                cmocka_unit_test(
                        test_a_validity_that_ends_before_it_begins_has_no_warning_before_its_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
