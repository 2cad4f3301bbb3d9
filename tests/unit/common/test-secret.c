#include "tests/unit/test.h"

#include <errno.h>
#include <stdint.h>

#include "common/macro.h"
#include "common/secret.h"

static void expect_zeros(const char *data, size_t size)
{
        for (size_t i = 0; i < size; i++)
                assert_int_equal(data[i], 0);
}

static void test_allocated_memory_is_empty_and_zero(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;

        assert_int_equal(secret_allocate(&secret, 100), 0);
        assert_int_equal(secret.size, 0);
        assert_int_equal(secret.capacity, 100);
        expect_zeros(secret.data, 101); /* and the NUL after it */
}

static void test_allocating_again_drops_the_old_content(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;

        assert_int_equal(secret_append(&secret, "old key", 7), 0);
        assert_int_equal(secret_allocate(&secret, 0), 0);
        assert_int_equal(secret.size, 0);
        assert_int_equal(secret.capacity, 0);
        assert_string_equal(secret.data, "");
}

static void test_a_failed_allocation_keeps_the_content(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;

        assert_int_equal(secret_append(&secret, "key", 3), 0);
        assert_int_equal(secret_allocate(&secret, SIZE_MAX), -ENOMEM);
        assert_int_equal(secret_append(&secret, "x", SIZE_MAX), -ENOMEM);
        assert_int_equal(secret_append(&secret, "x", SIZE_MAX - secret.size), -ENOMEM);
        assert_int_equal(secret.size, 3);
        assert_string_equal(secret.data, "key");
}

static void test_appending_keeps_the_order_and_a_final_nul(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;

        /* Across several growths, with a NUL among the bytes. */
        for (unsigned i = 0; i < 3000; i++) {
                unsigned char byte = (unsigned char)(i % 256);

                assert_int_equal(secret_append(&secret, &byte, 1), 0);
                assert_int_equal(secret.size, i + 1);
                assert_true(secret.capacity >= secret.size);
                assert_int_equal(secret.data[secret.size], '\0');
        }
        for (unsigned i = 0; i < 3000; i++)
                assert_int_equal((unsigned char)secret.data[i], i % 256);
}

static void test_appending_within_the_capacity_does_not_move(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        const char *place;

        assert_int_equal(secret_allocate(&secret, 8), 0);
        place = secret.data;
        assert_int_equal(secret_append(&secret, "12345678", 8), 0);
        assert_ptr_equal(secret.data, place);
        assert_string_equal(secret.data, "12345678");
}

static void test_appending_nothing_makes_a_string(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;

        assert_int_equal(secret_append(&secret, NULL, 0), 0);
        assert_int_equal(secret.size, 0);
        assert_string_equal(secret.data, "");
}

static void test_truncating_wipes_the_tail(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;

        assert_int_equal(secret_append(&secret, "0123456789", 10), 0);
        secret_truncate(&secret, 4);
        assert_int_equal(secret.size, 4);
        assert_memory_equal(secret.data, "0123", 4);
        expect_zeros(secret.data + 4, secret.capacity + 1 - 4);
        secret_truncate(&secret, 0);
        assert_int_equal(secret.size, 0);
        expect_zeros(secret.data, secret.capacity + 1);
}

static void test_truncating_to_the_size_or_more_changes_nothing(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL, none = SECRET_NULL;

        assert_int_equal(secret_append(&secret, "0123", 4), 0);
        secret_truncate(&secret, 4);
        secret_truncate(&secret, 5);
        secret_truncate(&secret, SIZE_MAX);
        assert_int_equal(secret.size, 4);
        assert_string_equal(secret.data, "0123");
        secret_truncate(&none, 0);
        assert_null(none.data);
}

static void test_done_leaves_nothing_and_may_be_called_twice(void **state)
{
        Secret secret = SECRET_NULL;

        secret_done(&secret);
        assert_int_equal(secret_append(&secret, "key", 3), 0);
        secret_done(&secret);
        assert_null(secret.data);
        assert_int_equal(secret.size, 0);
        assert_int_equal(secret.capacity, 0);
        secret_done(&secret);
        assert_null(secret.data);
}

static void test_equal_means_every_byte(void **state)
{
        CLEANUP(secret_done) Secret a = SECRET_NULL, b = SECRET_NULL;

        assert_true(secret_equal(&a, &b));
        assert_int_equal(secret_append(&a, "token", 5), 0);
        assert_false(secret_equal(&a, &b));
        assert_int_equal(secret_append(&b, "token", 5), 0);
        assert_true(secret_equal(&a, &b));
        for (size_t i = 0; i < 5; i++) {
                b.data[i] ^= 1;
                assert_false(secret_equal(&a, &b));
                b.data[i] ^= 1;
        }
        assert_int_equal(secret_append(&b, "", 1), 0);
        assert_false(secret_equal(&a, &b));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_allocated_memory_is_empty_and_zero),
                cmocka_unit_test(test_allocating_again_drops_the_old_content),
                cmocka_unit_test(test_a_failed_allocation_keeps_the_content),
                cmocka_unit_test(test_appending_keeps_the_order_and_a_final_nul),
                cmocka_unit_test(test_appending_within_the_capacity_does_not_move),
                cmocka_unit_test(test_appending_nothing_makes_a_string),
                cmocka_unit_test(test_truncating_wipes_the_tail),
                cmocka_unit_test(test_truncating_to_the_size_or_more_changes_nothing),
                cmocka_unit_test(test_done_leaves_nothing_and_may_be_called_twice),
                cmocka_unit_test(test_equal_means_every_byte),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
