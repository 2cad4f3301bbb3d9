/* The program has its own rollout files, which count the writes. */

#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/text.h"
#include "daemon/record/rollout-table.h"
#include "daemon/record/rollout.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct {
        Rollout on_disk[2]; /* of the materials "0" and "1" */
        unsigned n_loads, n_writes;
        int error;
} files;

static RolloutTable *table;

void rollout_load(Rollout *ret, const char *material)
{
        files.n_loads++;
        *ret = files.on_disk[material[0] - '0'];
}

int rollout_save(const char *material, const Rollout *rollout)
{
        files.n_writes++;
        if (files.error < 0)
                return files.error;
        files.on_disk[material[0] - '0'] = *rollout;
        return 0;
}

void rollout_remove(const char *material)
{
        files.on_disk[material[0] - '0'] = (Rollout){0};
}

static int make(void **state)
{
        memset(&files, 0, sizeof(files));
        return rollout_table_new(&table);
}

static int done(void **state)
{
        table = rollout_table_free(table);
        return 0;
}

static void test_each_set_of_a_material_is_written_once(void **state)
{
        rollout_table_begin(table, "0", A, "");
        rollout_table_begin(table, "0", A, "");
        assert_int_equal(files.n_writes, 1);
        rollout_table_begin(table, "1", A, "");
        rollout_table_begin(table, "0", B, "");
        rollout_table_begin(table, "1", A, "");
        assert_int_equal(files.n_writes, 3);
        rollout_table_begin(table, "0", A, ""); /* an older set comes back */
        assert_int_equal(files.n_writes, 4);
        assert_string_equal(files.on_disk[0].fingerprint, A);
}

static void test_a_set_that_leaves_the_canary_is_written_once_more(void **state)
{
        rollout_table_begin(table, "0", A, "orders");
        rollout_table_begin(table, "0", A, "orders");
        assert_int_equal(files.n_writes, 1);
        assert_string_equal(files.on_disk[0].cluster, "orders");
        rollout_table_begin(table, "0", A, "");
        rollout_table_begin(table, "0", A, "orders"); /* others may have it by now */
        assert_int_equal(files.n_writes, 2);
        assert_string_equal(files.on_disk[0].cluster, "");
        rollout_table_begin(table, "0", B, "orders");
        assert_string_equal(files.on_disk[0].cluster, "orders");
        rollout_table_begin(table, "0", B, "users"); /* another canary */
        assert_int_equal(files.n_writes, 4);
        assert_string_equal(files.on_disk[0].cluster, "");
}

static void test_a_write_that_fails_is_tried_again(void **state)
{
        files.error = -ENOSPC;
        rollout_table_begin(table, "0", A, "");
        rollout_table_begin(table, "0", A, "");
        assert_int_equal(files.n_writes, 2);
        files.error = 0;
        rollout_table_begin(table, "0", A, "");
        assert_string_equal(files.on_disk[0].fingerprint, A);
}

static void test_the_rollout_of_a_daemon_before_is_read_once_and_not_written(void **state)
{
        strcpy(files.on_disk[0].fingerprint, A);
        assert_string_equal(rollout_table_load(table, "0")->fingerprint, A);
        assert_string_equal(rollout_table_load(table, "0")->fingerprint, A);
        assert_string_equal(rollout_table_load(table, "1")->fingerprint, "");
        assert_int_equal(files.n_loads, 2);
        rollout_table_begin(table, "0", A, "");
        assert_int_equal(files.n_writes, 0);
}

static void test_the_end_removes_all_also_those_of_a_daemon_before(void **state)
{
        strcpy(files.on_disk[0].fingerprint, A);
        rollout_table_load(table, "0");
        rollout_table_begin(table, "1", B, "");
        rollout_table_end(table);
        assert_string_equal(files.on_disk[0].fingerprint, "");
        assert_string_equal(files.on_disk[1].fingerprint, "");
        rollout_table_end(table);
}

#define table_test(test) cmocka_unit_test_setup_teardown(test, make, done)

int main(void)
{
        const struct CMUnitTest tests[] = {
                table_test(test_each_set_of_a_material_is_written_once),
                table_test(test_a_set_that_leaves_the_canary_is_written_once_more),
                table_test(test_a_write_that_fails_is_tried_again),
                table_test(test_the_rollout_of_a_daemon_before_is_read_once_and_not_written),
                table_test(test_the_end_removes_all_also_those_of_a_daemon_before),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
