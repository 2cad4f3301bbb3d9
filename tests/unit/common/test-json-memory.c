#include "tests/unit/test.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/json-reader.h"

static unsigned n_allocations, first_failure, last_failure;

/* The linker puts it in the place of malloc(3). */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
        n_allocations++;
        return n_allocations >= first_failure && n_allocations <= last_failure
                ? NULL
                : __real_malloc(size);
}

static int parse(const char *text, unsigned first, unsigned last)
{
        CLEANUP(json_freep) JsonValue *value = NULL;
        int r;

        n_allocations = 0;
        first_failure = first;
        last_failure = last;
        r = json_parse(&value, text, strlen(text));
        first_failure = last_failure = UINT_MAX;
        assert_true(r == 0 ? value != NULL : value == NULL);
        return r;
}

/* With strings, keys and numbers of several sizes of jansson's buffer, which starts at 16 bytes. */
static const char *const documents[] = {
        "{\"method\":\"io.github.binlog_ssld.GetStatus\",\"parameters\":{\"a\":[1,2.5,true,null]}}",
        "[\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"]",
        "[\"01234567890123\",\"0123456789012\\n\",\"012345678901\\u20ac\",\"01234567890\xe2\x82\xac\"]",
        "[1234567890123456,123456789012345,12345678901234567,1234567890.12345678901234567890]",
        "{\"0123456789abcdef0123456789abcdef\":{\"0123456789abcdef0123456789abcde\":\"\"}}",
};

static void test_an_allocation_that_fails_is_reported(void **state)
{
        for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
                unsigned n;

                assert_int_equal(parse(documents[i], UINT_MAX, UINT_MAX), 0);
                n = n_allocations;
                assert_true(n > 3);
                for (unsigned k = 1; k <= n; k++) {
                        assert_int_equal(parse(documents[i], k, k), -ENOMEM);
                        assert_int_equal(parse(documents[i], k, UINT_MAX), -ENOMEM);
                }
                assert_int_equal(parse(documents[i], n + 1, UINT_MAX), 0);
        }
}

static void test_a_tree_outlives_a_parse_that_fails(void **state)
{
        static const char text[] = "[\"a\",\"b\"]";
        CLEANUP(json_freep) JsonValue *value = NULL;

        first_failure = last_failure = UINT_MAX;
        assert_int_equal(json_parse(&value, text, strlen(text)), 0);
        for (unsigned k = 1; k < 8; k++)
                assert_int_equal(parse(documents[0], k, k), -ENOMEM);
        assert_string_equal(json_get_string(json_element(value, 1)), "b");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_an_allocation_that_fails_is_reported),
                cmocka_unit_test(test_a_tree_outlives_a_parse_that_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
