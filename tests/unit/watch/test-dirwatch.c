#include "tests/unit/test.h"

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/watch/dirwatch.h"
#include "tests/unit/scratch.h"

static sd_event *event;
static DirWatch *watch;
static unsigned n_calls;

/* Ignores changes of the mount table, which any process of the machine can cause. */
static void on_change(DirWatchEvent change, void *userdata)
{
        assert_ptr_equal(userdata, &n_calls);
        n_calls += change == DIRWATCH_NAME_CHANGED;
}

static int make_watch(void **state)
{
        n_calls = 0;
        if (scratch_make(state) < 0 || sd_event_new(&event) < 0)
                return -1;
        return dirwatch_new(&watch, event, NULL, on_change, &n_calls);
}

static int remove_watch(void **state)
{
        watch = dirwatch_free(watch);
        event = sd_event_unref(event);
        return scratch_remove(state);
}

#define watch_test(test) cmocka_unit_test_setup_teardown(test, make_watch, remove_watch)

/* Handles all queued events and returns the number of calls. */
static unsigned count_calls(void)
{
        unsigned n;

        while (sd_event_run(event, 0) > 0)
                ;
        n = n_calls;
        n_calls = 0;
        return n;
}

static void watch_path(const char *name)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        (void)path_walk_add(&walk, scratch_path(name), NULL);
        dirwatch_rebuild(watch, &walk);
        count_calls();
}

static void expect_description(const char *start, const char *part)
{
        assert_int_equal(strncmp(dirwatch_describe(watch), start, strlen(start)), 0);
        assert_non_null(strstr(dirwatch_describe(watch), part));
        assert_int_equal(
                dirwatch_is_complete(watch), strcmp(dirwatch_describe(watch), "inotify") == 0);
}

static void move(const char *from, const char *to)
{
        assert_int_equal(rename(scratch_path(from), scratch_path(to)), 0);
}

static void overflow(void)
{
        unsigned long limit = 0;
        FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");

        if (file && fscanf(file, "%lu", &limit) != 1)
                limit = 0;
        if (file)
                fclose(file);
        if (limit == 0 || limit > 200000)
                skip(); /* would take too long */
        scratch_write_text("one", "");
        scratch_write_text("two", "");
        /* Alternately, because the kernel merges two equal events; no name is on the path. */
        for (unsigned long i = 0; i <= limit; i++)
                assert_int_equal(chmod(scratch_path(i % 2 == 0 ? "one" : "two"), 0600), 0);
}

static void test_every_way_to_change_the_file_is_reported(void **state)
{
        scratch_make_directory("d");
        scratch_write_text("d/file", "one");
        scratch_write_text("d/new", "two");
        watch_path("d/file");
        assert_int_equal(count_calls(), 0);
        scratch_write_text("d/file", "in place");
        assert_true(count_calls() > 0);
        move("d/new", "d/file");
        assert_true(count_calls() > 0);
        assert_int_equal(chmod(scratch_path("d/file"), 0640), 0);
        assert_true(count_calls() > 0);
        move("d/file", "d/aside");
        assert_true(count_calls() > 0);
        assert_int_equal(link(scratch_path("d/aside"), scratch_path("d/file")), 0);
        assert_true(count_calls() > 0);
        assert_int_equal(unlink(scratch_path("d/file")), 0);
        assert_true(count_calls() > 0);
        scratch_link("aside", "d/file");
        assert_true(count_calls() > 0);
}

static void test_names_on_no_path_are_not_reported(void **state)
{
        scratch_make_directory("d");
        scratch_write_text("d/file", "");
        watch_path("d/file");
        scratch_write_text("d/other", "");
        scratch_write_text("other", "");
        scratch_make_directory("d/directory");
        assert_int_equal(unlink(scratch_path("d/other")), 0);
        assert_int_equal(count_calls(), 0);
        scratch_write_text("d/file", "");
        assert_true(count_calls() > 0);
}

static void test_a_file_that_appears_is_reported(void **state)
{
        watch_path("d/e/file");
        scratch_make_directory("d");
        assert_true(count_calls() > 0);
        watch_path("d/e/file");
        scratch_make_directory("d/e");
        assert_true(count_calls() > 0);
        watch_path("d/e/file");
        scratch_write_text("d/e/file", "");
        assert_true(count_calls() > 0);
}

static void test_a_switched_link_on_the_path_is_reported(void **state)
{
        scratch_make_directory("one");
        scratch_make_directory("two");
        scratch_write_text("one/file", "");
        scratch_write_text("two/file", "");
        scratch_link("one", "current");
        watch_path("current/file");
        scratch_link("two", "new");
        assert_int_equal(count_calls(), 0);
        move("new", "current");
        assert_true(count_calls() > 0);
        watch_path("current/file");
        scratch_write_text("one/file", "no longer of interest");
        assert_int_equal(count_calls(), 0);
        scratch_write_text("two/file", "changed");
        assert_true(count_calls() > 0);
}

static void test_a_directory_swapped_by_rename_is_reported(void **state)
{
        scratch_make_directory("d");
        scratch_make_directory("new");
        scratch_write_text("d/file", "");
        scratch_write_text("new/file", "");
        watch_path("d/file");
        move("d", "old");
        move("new", "d");
        assert_true(count_calls() > 0);
        watch_path("d/file");
        scratch_write_text("d/file", "changed");
        assert_true(count_calls() > 0);
}

static void test_a_directory_that_does_not_exist_is_named_until_it_does(void **state)
{
        watch_path("d/file");
        expect_description("poll (", scratch_path("d"));
        scratch_make_directory("d");
        watch_path("d/file");
        expect_description("inotify", "");
}

/* All events are lost in the overflow; the new directory may have the same inode number. */
static void test_after_an_overflow_every_directory_is_watched_again(void **state)
{
        scratch_make_directory("d");
        scratch_write_text("d/file", "");
        watch_path("d/file");
        overflow();
        assert_int_equal(unlink(scratch_path("d/file")), 0);
        assert_int_equal(rmdir(scratch_path("d")), 0);
        scratch_make_directory("d");
        assert_true(count_calls() > 0);
        watch_path("d/file");
        scratch_write_text("d/file", "");
        assert_true(count_calls() > 0);
}

static void test_a_recreated_directory_is_watched_after_a_rebuild(void **state)
{
        scratch_make_directory("d");
        watch_path("d/file");
        assert_int_equal(rmdir(scratch_path("d")), 0);
        assert_true(count_calls() > 0);
        scratch_make_directory("d"); /* often with the same inode number */
        count_calls();
        watch_path("d/file");
        scratch_write_text("d/file", "");
        assert_true(count_calls() > 0);
}

static void test_a_rebuild_with_the_same_walk_keeps_watching(void **state)
{
        scratch_write_text("file", "");
        watch_path("file");
        watch_path("file");
        assert_int_equal(count_calls(), 0);
        scratch_write_text("file", "changed");
        assert_true(count_calls() > 0);
}

static void test_a_directory_that_cannot_be_watched_leaves_the_others(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        scratch_make_directory("d");
        (void)path_walk_add(&walk, scratch_path("gone/file"), NULL);
        (void)path_walk_add(&walk, scratch_path("d/file"), NULL);
        dirwatch_rebuild(watch, &walk);
        expect_description("poll (", scratch_path("gone"));
        expect_description("poll (", "No such file or directory");
        count_calls();
        scratch_write_text("d/file", "");
        assert_true(count_calls() > 0);

        scratch_make_directory("gone");
        watch_path("gone/file"); /* tries again */
        expect_description("inotify", "");
        scratch_write_text("gone/file", "");
        assert_true(count_calls() > 0);
}

static void test_an_overflow_of_the_queue_is_reported(void **state)
{
        scratch_make_directory("d");
        watch_path("d/file");
        overflow();
        assert_true(count_calls() > 0);
}

static void test_a_freed_watch_reports_nothing(void **state)
{
        scratch_write_text("file", "");
        watch_path("file");
        scratch_write_text("file", "changed");
        watch = dirwatch_free(watch);
        assert_null(watch);
        assert_int_equal(count_calls(), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                watch_test(test_every_way_to_change_the_file_is_reported),
                watch_test(test_names_on_no_path_are_not_reported),
                watch_test(test_a_file_that_appears_is_reported),
                watch_test(test_a_switched_link_on_the_path_is_reported),
                watch_test(test_a_directory_swapped_by_rename_is_reported),
                watch_test(test_a_directory_that_does_not_exist_is_named_until_it_does),
                watch_test(test_after_an_overflow_every_directory_is_watched_again),
                watch_test(test_a_recreated_directory_is_watched_after_a_rebuild),
                watch_test(test_a_rebuild_with_the_same_walk_keeps_watching),
                watch_test(test_a_directory_that_cannot_be_watched_leaves_the_others),
                watch_test(test_an_overflow_of_the_queue_is_reported),
                watch_test(test_a_freed_watch_reports_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
