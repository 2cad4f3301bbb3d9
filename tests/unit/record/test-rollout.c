#include "tests/unit/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "daemon/record/rollout.h"
#include "tests/unit/scratch.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int make(void **state)
{
        if (scratch_make(state) != 0)
                return -1;
        return setenv("STATE_DIRECTORY", scratch_path(""), 1);
}

static void expect(const char *fingerprint, const char *cluster)
{
        Rollout found;

        memset(&found, 'x', sizeof(found));
        rollout_load(&found, "default");
        assert_string_equal(found.fingerprint, fingerprint);
        assert_string_equal(found.cluster, cluster);
}

static int save(const char *material, const char *fingerprint, const char *cluster)
{
        Rollout rollout = {0};

        strcpy(rollout.fingerprint, fingerprint);
        strcpy(rollout.cluster, cluster);
        return rollout_save(material, &rollout);
}

static void test_the_last_set_is_found_until_it_is_removed(void **state)
{
        struct stat status;

        expect("", "");
        assert_int_equal(save("default", A, ""), 0);
        expect(A, "");
        assert_int_equal(save("default", B, "orders"), 0);
        assert_int_equal(save("other", A, ""), 0);
        expect(B, "orders");
        assert_int_equal(stat(scratch_path("default.rollout"), &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        rollout_remove("default");
        rollout_remove("default");
        expect("", "");
}

static void test_a_file_that_is_no_rollout_is_unreadable(void **state)
{
        static const char *const contents[] = {"", "\n", A, A "a\n", "A" A, B "\n\n", "{}\n",
                "g" A "\n", A " \n", A "  \n\n", A " a\nb\n", A " " A "\n", A " orders"};

        for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
                scratch_write_text("default.rollout", contents[i]);
                expect(ROLLOUT_UNREADABLE, "");
        }
}

static void test_a_directory_that_does_not_exist_cannot_be_written(void **state)
{
        setenv("STATE_DIRECTORY", scratch_path("missing"), 1);
        assert_int_equal(save("default", A, ""), -ENOENT);
        expect("", "");
}

static void test_a_record_with_another_set_is_in_doubt(void **state)
{
        static const struct {
                Rollout rollout;
                const char *imported;
                bool doubt;
        } cases[] = {{{"", ""}, A, false}, {{A, ""}, A, false}, {{B, ""}, A, true},
                {{ROLLOUT_UNREADABLE, ""}, A, true}, {{B, ""}, "", false}, {{B, "orders"}, A, true},
                {{B, "users"}, A, false}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Record record = {.imported.in_use = true, .last_success_usec = 7};

                strcpy(record.imported.fingerprint, cases[i].imported);
                assert_int_equal(
                        rollout_doubt(&cases[i].rollout, "orders", &record), cases[i].doubt);
                assert_string_equal(
                        record.imported.fingerprint, cases[i].doubt ? "" : cases[i].imported);
                assert_int_equal(record.imported.in_use, !cases[i].doubt);
                assert_int_equal(record.last_success_usec, 7);
        }
}

#define rollout_test(test) cmocka_unit_test_setup_teardown(test, make, scratch_remove)

int main(void)
{
        const struct CMUnitTest tests[] = {
                rollout_test(test_the_last_set_is_found_until_it_is_removed),
                rollout_test(test_a_file_that_is_no_rollout_is_unreadable),
                rollout_test(test_a_directory_that_does_not_exist_cannot_be_written),
                rollout_test(test_a_record_with_another_set_is_in_doubt),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
