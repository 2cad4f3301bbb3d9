#include "tests/unit/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/file.h"
#include "common/macro.h"
#include "tests/unit/scratch.h"

/* A time in the past, so that every change differs from it. */
static const struct timespec past[2] = {{1000, 5}, {1000, 5}};

static FileStat stat_of(const char *name)
{
        return file_stat_at(AT_FDCWD, scratch_path(name));
}

static void test_the_members_are_those_of_stat(void **state)
{
        CLEANUP(closep) int fd = -1;
        struct stat st;
        FileStat found, same;

        scratch_write_text("file", "12345");
        fd = open(scratch_path("file"), O_RDONLY);
        assert_int_equal(utimensat(AT_FDCWD, scratch_path("file"), past, 0), 0);
        assert_int_equal(stat(scratch_path("file"), &st), 0);
        found = stat_of("file");
        same = file_stat_fd(fd);
        assert_int_equal(found.error, 0);
        assert_int_equal(found.device, st.st_dev);
        assert_int_equal(found.inode, st.st_ino);
        assert_int_equal(found.size, 5);
        assert_int_equal(found.modified_nsec, INT64_C(1000000000005));
        assert_int_equal(found.mode, st.st_mode);
        assert_true(file_stat_equal(&found, &same));
}

static void test_links_are_not_followed(void **state)
{
        FileStat file, link;

        scratch_write_text("file", "12345");
        scratch_link("file", "link");
        file = stat_of("file");
        link = stat_of("link");
        assert_int_equal(link.error, 0);
        assert_int_not_equal(link.inode, file.inode);
}

static void test_a_failure_is_its_errno_and_zeros(void **state)
{
        FileStat missing = stat_of("missing"), below, none = {.error = ENOENT};

        scratch_write_text("file", "");
        below = stat_of("file/name");
        assert_int_equal(below.error, ENOTDIR);
        assert_true(file_stat_equal(&missing, &none));
        assert_false(file_stat_equal(&missing, &below));
}

static void test_each_member_alone_makes_two_values_differ(void **state)
{
        static const FileStat base = {0, 1, 2, 3, 4, 5, 6};
        FileStat others[] = {base, base, base, base, base, base, base};
        FileStat same = base;

        others[0].error++;
        others[1].device++;
        others[2].inode++;
        others[3].size++;
        others[4].modified_nsec++;
        others[5].changed_nsec++;
        others[6].mode++;
        assert_true(file_stat_equal(&base, &same));
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                assert_false(file_stat_equal(&base, &others[i]));
}

/* Each change keeps the size and the modification time. */
static void test_a_change_with_a_restored_time_is_detected(void **state)
{
        FileStat before, after;

        scratch_write_text("file", "12345");
        assert_int_equal(utimensat(AT_FDCWD, scratch_path("file"), past, 0), 0);
        before = stat_of("file");
        assert_int_equal(chmod(scratch_path("file"), 0640), 0);
        after = stat_of("file");
        assert_false(file_stat_equal(&before, &after));
        assert_int_equal(after.modified_nsec, before.modified_nsec);

        scratch_write_text("new", "54321");
        assert_int_equal(utimensat(AT_FDCWD, scratch_path("new"), past, 0), 0);
        assert_int_equal(chmod(scratch_path("new"), 0640), 0);
        before = after;
        assert_int_equal(rename(scratch_path("new"), scratch_path("file")), 0);
        after = stat_of("file");
        assert_false(file_stat_equal(&before, &after));
}

static void test_a_link_to_another_file_is_detected(void **state)
{
        FileStat before, after;

        scratch_write_text("one", "12345");
        scratch_write_text("two", "12345");
        scratch_link("one", "link");
        before = stat_of("link");
        assert_int_equal(unlink(scratch_path("link")), 0);
        scratch_link("two", "link");
        after = stat_of("link");
        assert_false(file_stat_equal(&before, &after));
}

#define SECOND UINT64_C(1000000)

static void test_a_value_is_racy_until_it_was_read_a_tick_after_its_times(void **state)
{
        static const struct {
                int64_t modified_sec, changed_sec;
                uint64_t read_sec;
                bool racy;
        } cases[] = {
                {100, 100, 100, true},   /* read in the second of the write */
                {100, 100, 102, true},   /* the tick of FAT */
                {100, 100, 103, false},  /* later than the coarsest tick */
                {50, 100, 101, true},    /* a restored modification time */
                {100, 50, 101, true},    /* a file system without change times */
                {100, 100, 99, true},    /* the clock of the file server is ahead */
                {100, 100, 41, true},    /* by almost a minute */
                {5000, 100, 103, false}, /* a time in the future that a program set */
                {5000, 100, 101, true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                FileStat file = {.modified_nsec = cases[i].modified_sec * 1000000000,
                        .changed_nsec = cases[i].changed_sec * 1000000000};

                if (file_stat_is_racy(&file, cases[i].read_sec * SECOND) != cases[i].racy)
                        fail_msg("case %zu is %s", i, cases[i].racy ? "not racy" : "racy");
        }
}

static void test_a_missing_file_is_not_racy(void **state)
{
        FileStat missing = {.error = ENOENT};

        assert_false(file_stat_is_racy(&missing, 0));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_the_members_are_those_of_stat),
                scratch_test(test_links_are_not_followed),
                scratch_test(test_a_failure_is_its_errno_and_zeros),
                cmocka_unit_test(test_each_member_alone_makes_two_values_differ),
                scratch_test(test_a_change_with_a_restored_time_is_detected),
                scratch_test(test_a_link_to_another_file_is_detected),
                cmocka_unit_test(test_a_value_is_racy_until_it_was_read_a_tick_after_its_times),
                cmocka_unit_test(test_a_missing_file_is_not_racy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
