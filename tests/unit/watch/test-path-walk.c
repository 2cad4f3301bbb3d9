#include "tests/unit/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/macro.h"
#include "daemon/watch/path-walk.h"
#include "tests/unit/scratch.h"

static PathWalk walk_to(const char *name)
{
        PathWalk walk = PATH_WALK_NULL;

        (void)path_walk_add(&walk, scratch_path(name), NULL); /* its result has its own tests */
        return walk;
}

/* Returns the step for `name` in the directory with the inode of `directory`, or NULL. */
static const PathStep *find(const PathWalk *walk, const char *directory, const char *name)
{
        struct stat st;

        assert_int_equal(stat(directory, &st), 0);
        for (size_t i = 0; i < walk->n_steps; i++)
                if (walk->steps[i].device == st.st_dev && walk->steps[i].inode == st.st_ino &&
                        strcmp(walk->steps[i].name, name) == 0)
                        return &walk->steps[i];
        return NULL;
}

static void expect_step(const PathWalk *walk, const char *directory, const char *name)
{
        const PathStep *step = find(walk, scratch_path(directory), name);

        if (!step) {
                for (size_t i = 0; i < walk->n_steps; i++)
                        print_error("  %s in %s\n", walk->steps[i].name, walk->steps[i].directory);
                fail_msg("no step for %s in %s", name, directory);
        }
        /* The path for messages is that of the same directory. */
        assert_ptr_equal(find(walk, step->directory, name), step);
}

static void expect_no_step(const PathWalk *walk, const char *name)
{
        for (size_t i = 0; i < walk->n_steps; i++)
                assert_string_not_equal(walk->steps[i].name, name);
}

/* The number of steps to the scratch directory, with which every walk begins. */
static size_t steps_to_scratch(void)
{
        CLEANUP(path_walk_done) PathWalk walk = walk_to("");

        return walk.n_steps;
}

static void test_a_plain_path_is_one_step_for_each_component(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        scratch_make_directory("a");
        scratch_make_directory("a/b");
        scratch_write_text("a/b/file", "");
        walk = walk_to("a/b/file");
        assert_non_null(find(&walk, "/", "tmp"));
        expect_step(&walk, "", "a");
        expect_step(&walk, "a", "b");
        expect_step(&walk, "a/b", "file");
        assert_int_equal(walk.n_steps, steps_to_scratch() + 3);
}

static void test_slashes_and_dots_add_nothing(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        scratch_make_directory("a");
        scratch_write_text("a/file", "");
        walk = walk_to("/.//a/././file/");
        expect_step(&walk, "a", "file");
        assert_int_equal(walk.n_steps, steps_to_scratch() + 2);
}

static void test_a_relative_link_continues_in_its_own_directory(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        scratch_make_directory("a");
        scratch_make_directory("a/b");
        scratch_write_text("a/b/target", "");
        scratch_link("b/target", "a/link");
        walk = walk_to("a/link");
        expect_step(&walk, "a", "link");
        expect_step(&walk, "a", "b");
        expect_step(&walk, "a/b", "target");
        assert_int_equal(walk.n_steps, steps_to_scratch() + 4);
}

static void test_an_absolute_link_continues_at_the_root(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        scratch_make_directory("a");
        scratch_make_directory("other");
        scratch_write_text("other/target", "");
        scratch_link(scratch_path("other/target"), "a/link");
        walk = walk_to("a/link");
        expect_step(&walk, "", "a");
        expect_step(&walk, "a", "link");
        expect_step(&walk, "", "other");
        expect_step(&walk, "other", "target");
        assert_int_equal(walk.n_steps, steps_to_scratch() + 4);
}

static void test_a_chain_of_links_is_walked_link_by_link(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        /* As in a Kubernetes volume: the file, the swapped directory, the generation. */
        scratch_make_directory("..gen1");
        scratch_write_text("..gen1/ca.pem", "");
        scratch_link("..gen1", "..data");
        scratch_link("..data/ca.pem", "ca.pem");
        scratch_link("ca.pem", "outer");
        walk = walk_to("outer");
        expect_step(&walk, "", "outer");
        expect_step(&walk, "", "ca.pem");
        expect_step(&walk, "", "..data");
        expect_step(&walk, "", "..gen1");
        expect_step(&walk, "..gen1", "ca.pem");
        assert_int_equal(walk.n_steps, steps_to_scratch() + 5);
}

static void test_two_dots_after_a_link_are_those_of_its_target(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        scratch_make_directory("a");
        scratch_make_directory("far");
        scratch_make_directory("far/deep");
        scratch_write_text("far/file", "");
        scratch_write_text("a/file", "");
        scratch_link("../far/deep", "a/link");
        walk = walk_to("a/link/../file");
        expect_step(&walk, "a", "link");
        expect_step(&walk, "", "far");
        expect_step(&walk, "far", "deep");
        expect_step(&walk, "far", "file");
        assert_null(find(&walk, scratch_path("a"), "file"));
}

static void test_a_missing_component_ends_the_walk_where_it_will_appear(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        scratch_make_directory("a");
        walk = walk_to("a/missing/file");
        expect_step(&walk, "", "a");
        expect_step(&walk, "a", "missing");
        expect_no_step(&walk, "file");
        assert_int_equal(walk.n_steps, steps_to_scratch() + 2);
}

static void test_a_dangling_link_ends_where_its_target_will_appear(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        scratch_make_directory("a");
        scratch_link("a/later", "link");
        walk = walk_to("link");
        expect_step(&walk, "", "link");
        expect_step(&walk, "a", "later");
}

static void test_a_symlink_loop_ends_the_walk(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        scratch_link("two", "one");
        scratch_link("one", "two");
        walk = walk_to("one/file");
        expect_step(&walk, "", "one");
        expect_step(&walk, "", "two");
        expect_no_step(&walk, "file");
        assert_int_equal(walk.n_steps, steps_to_scratch() + 2);
}

static void test_as_many_links_as_the_system_follows_are_walked(void **state)
{
        CLEANUP(path_walk_done) PathWalk most = PATH_WALK_NULL, more = PATH_WALK_NULL;
        char name[16], target[16];

        scratch_make_directory("end");
        for (int i = 0; i <= PATH_WALK_LINKS_MAX; i++) {
                snprintf(name, sizeof(name), "link%d", i);
                snprintf(target, sizeof(target), "link%d", i - 1);
                scratch_link(i == 0 ? "end/file" : target, name);
        }
        snprintf(name, sizeof(name), "link%d", PATH_WALK_LINKS_MAX - 1);
        most = walk_to(name);
        expect_step(&most, "end", "file");
        snprintf(name, sizeof(name), "link%d", PATH_WALK_LINKS_MAX);
        more = walk_to(name);
        expect_no_step(&more, "file");
}

static void test_a_step_that_two_paths_share_is_added_once(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;
        size_t before;

        scratch_make_directory("a");
        walk = walk_to("a/ca.pem");
        before = walk.n_steps;
        assert_int_equal(path_walk_add(&walk, scratch_path("a/ca.pem"), NULL), -ENOENT);
        assert_int_equal(walk.n_steps, before);
        assert_int_equal(path_walk_add(&walk, scratch_path("a/key.pem"), NULL), -ENOENT);
        assert_int_equal(walk.n_steps, before + 1);
        expect_step(&walk, "a", "ca.pem");
        expect_step(&walk, "a", "key.pem");
}

static void test_128_steps_are_kept_and_one_more_is_refused(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = walk_to("");
        char name[16];

        while (walk.n_steps < PATH_WALK_STEPS_MAX) {
                snprintf(name, sizeof(name), "file%zu", walk.n_steps);
                assert_int_equal(path_walk_add(&walk, scratch_path(name), NULL), -ENOENT);
        }
        assert_int_equal(path_walk_add(&walk, scratch_path("another"), NULL), -E2BIG);
        assert_int_equal(walk.n_steps, PATH_WALK_STEPS_MAX);
        assert_int_equal(path_walk_add(&walk, scratch_path(name), NULL), -ENOENT);
}

static void test_names_longer_than_the_limit_end_the_walk(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;
        char path[PATH_MAX + 16];

        memset(path, 'x', sizeof(path) - 1);
        path[0] = '/';
        path[sizeof(path) - 1] = '\0';
        assert_int_equal(path_walk_add(&walk, path, NULL), -ENAMETOOLONG);
        assert_int_equal(walk.n_steps, 0);
        path[NAME_MAX + 2] = '\0';
        assert_int_equal(path_walk_add(&walk, path, NULL), -ENAMETOOLONG);
        assert_int_equal(walk.n_steps, 0);
}

static void test_a_path_ends_at_the_file_and_not_at_a_link(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;
        PathEnd end;
        struct stat st;

        scratch_make_directory("a");
        scratch_write_text("a/file", "12345");
        scratch_link("a/file", "link");
        assert_int_equal(path_walk_add(&walk, scratch_path("link"), &end), 0);
        assert_string_equal(end.name, "file");
        assert_true(S_ISREG(end.mode));
        assert_int_equal(fstatat(end.directory_fd, end.name, &st, 0), 0);
        assert_int_equal(st.st_size, 5);
        assert_int_equal(end.inode, st.st_ino);
        assert_int_equal(end.device, st.st_dev);
        assert_int_equal(walk.blocked_error, 0);
}

static void test_the_directory_that_blocks_a_path_is_named(void **state)
{
        static const struct {
                const char *path;
                const char *blocked; /* NULL: only the file is missing */
                int error;
        } cases[] = {
                {"a/missing", NULL, ENOENT},
                {"link", NULL, ENOENT},
                {"gone/file", "gone", ENOENT},
                {"a/file/below", "a/file", ENOTDIR},
                {"one", "two", ELOOP},
        };

        scratch_make_directory("a");
        scratch_write_text("a/file", "");
        scratch_link("a/missing", "link");
        scratch_link("two", "one");
        scratch_link("one", "two");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

                assert_int_equal(
                        path_walk_add(&walk, scratch_path(cases[i].path), NULL), -cases[i].error);
                assert_int_equal(walk.blocked_error, cases[i].blocked ? cases[i].error : 0);
                if (cases[i].blocked)
                        assert_string_equal(walk.blocked, scratch_path(cases[i].blocked));
                else
                        assert_null(walk.blocked);
        }
}

/* Even if the link is changed meanwhile, because it is looked up once. */
static void test_a_directory_that_cannot_be_entered_is_named(void **state)
{
        static const char *const paths[] = {"closed/file", "closed/other", "link/file"};

        scratch_link("closed", "link");
        scratch_make_closed("closed");
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;
                PathEnd end;

                assert_int_equal(path_walk_add(&walk, scratch_path(paths[i]), &end), -EACCES);
                assert_string_equal(end.closed, scratch_path("closed"));
                assert_int_equal(walk.blocked_error, EACCES);
                assert_string_equal(walk.blocked, scratch_path("closed"));
        }
        scratch_open("closed");
}

static void test_two_paths_through_one_link_go_the_same_way(void **state)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL, again = PATH_WALK_NULL;
        PathEnd first, second;

        scratch_make_directory("old");
        scratch_make_directory("new");
        for (unsigned i = 0; i < 2; i++) {
                scratch_write_text(i == 0 ? "old/cert" : "new/cert", "");
                scratch_write_text(i == 0 ? "old/key" : "new/key", "");
        }
        scratch_link("old", "current");
        assert_int_equal(path_walk_add(&walk, scratch_path("current/cert"), &first), 0);
        scratch_link("new", "fresh");
        assert_int_equal(rename(scratch_path("fresh"), scratch_path("current")), 0);
        assert_int_equal(path_walk_add(&walk, scratch_path("current/key"), &second), 0);
        expect_step(&walk, "old", "key");
        assert_null(find(&walk, scratch_path("new"), "key"));

        assert_int_equal(path_walk_add(&again, scratch_path("current/cert"), NULL), 0);
        assert_int_equal(path_walk_add(&again, scratch_path("current/key"), NULL), 0);
        assert_false(path_walk_equal(&walk, &again));
        assert_true(path_walk_equal(&again, &again));
}

static void test_done_leaves_an_empty_walk(void **state)
{
        PathWalk walk = PATH_WALK_NULL;

        path_walk_done(&walk);
        walk = walk_to("");
        path_walk_done(&walk);
        assert_null(walk.steps);
        assert_int_equal(walk.n_steps, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_a_plain_path_is_one_step_for_each_component),
                scratch_test(test_slashes_and_dots_add_nothing),
                scratch_test(test_a_relative_link_continues_in_its_own_directory),
                scratch_test(test_an_absolute_link_continues_at_the_root),
                scratch_test(test_a_chain_of_links_is_walked_link_by_link),
                scratch_test(test_two_dots_after_a_link_are_those_of_its_target),
                scratch_test(test_a_missing_component_ends_the_walk_where_it_will_appear),
                scratch_test(test_a_dangling_link_ends_where_its_target_will_appear),
                scratch_test(test_a_symlink_loop_ends_the_walk),
                scratch_test(test_as_many_links_as_the_system_follows_are_walked),
                scratch_test(test_a_step_that_two_paths_share_is_added_once),
                scratch_test(test_128_steps_are_kept_and_one_more_is_refused),
                scratch_test(test_names_longer_than_the_limit_end_the_walk),
                scratch_test(test_a_path_ends_at_the_file_and_not_at_a_link),
                scratch_test(test_the_directory_that_blocks_a_path_is_named),
                scratch_test(test_a_directory_that_cannot_be_entered_is_named),
                scratch_test(test_two_paths_through_one_link_go_the_same_way),
                scratch_test(test_done_leaves_an_empty_walk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
