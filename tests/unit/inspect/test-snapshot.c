/*
 * The files change at a chosen moment: open() and openat() of this program replace those of the C
 * library and call a hook before and after a file is opened.
 */

#include "tests/unit/test.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/macro.h"
#include "daemon/inspect/snapshot.h"
#include "tests/unit/scratch.h"

typedef void (*hook_fn)(const char *path, bool opened);

/* Two for each of the path walks, before and after, as the name is no directory; one to read. */
#define OPENS_OF_A_FILE 5

static hook_fn hook;
static unsigned n_hooked;

static int open_with_hook(int directory_fd, const char *path, int flags, mode_t mode)
{
        hook_fn fn = hook;
        int fd, error;

        hook = NULL; /* the hook's own files are opened without it */
        if (fn)
                fn(path, false);
        fd = (int)syscall(SYS_openat, directory_fd, path, flags, mode);
        error = errno;
        if (fn)
                fn(path, true);
        hook = fn;
        errno = error;
        return fd;
}

int open(const char *path, int flags, ...)
{
        return open_with_hook(AT_FDCWD, path, flags, 0600);
}

int openat(int directory_fd, const char *path, int flags, ...)
{
        return open_with_hook(directory_fd, path, flags, 0600);
}

static const char *const names[_MATERIAL_FILE_MAX] = {"ca.pem", "cert.pem", "key.pem"};

/* Makes a generation of files that differs from another one only in its content. */
static void make_generation(const char *directory, char letter)
{
        static const struct timespec past[2] = {{1000, 0}, {1000, 0}};
        char name[64], content[] = "?????";

        memset(content, letter, 5);
        scratch_make_directory(directory);
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                snprintf(name, sizeof(name), "%s/%s", directory, names[i]);
                scratch_write_text(name, content);
                assert_int_equal(utimensat(AT_FDCWD, scratch_path(name), past, 0), 0);
        }
}

static void point_to(const char *generation)
{
        scratch_link(generation, "new");
        assert_int_equal(rename(scratch_path("new"), scratch_path("current")), 0);
}

/* Takes a snapshot of the three files through the link "current". */
static Snapshot take_snapshot(void)
{
        Snapshot snapshot = SNAPSHOT_NULL;
        char paths[_MATERIAL_FILE_MAX][PATH_MAX];
        const char *pointers[_MATERIAL_FILE_MAX];
        hook_fn fn = hook;
        int r;

        hook = NULL;
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                snprintf(paths[i], PATH_MAX, "%s/%s", scratch_path("current"), names[i]);
                pointers[i] = paths[i];
        }
        n_hooked = 0;
        hook = fn;
        r = snapshot_take(&snapshot, pointers, NULL);
        hook = NULL;
        assert_int_equal(r, 0);
        return snapshot;
}

static void expect_all(const Snapshot *snapshot, const char *expected)
{
        assert_false(snapshot->files_changed);
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                assert_int_equal(snapshot->error[i], 0);
                assert_int_equal(snapshot->stat[i].error, 0);
                assert_int_equal(snapshot->stat[i].size, strlen(expected));
                assert_int_equal(snapshot->content[i].size, strlen(expected));
                assert_string_equal(snapshot->content[i].data, expected);
        }
}

static bool is_name(const char *path, const char *name)
{
        size_t length = strlen(path), n = strlen(name);

        return length >= n && strcmp(path + length - n, name) == 0;
}

static void setup_generations(void)
{
        hook = NULL;
        make_generation("one", 'a');
        make_generation("two", 'b');
        scratch_link("one", "current");
}

static void test_unchanged_files_are_read_once(void **state)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;

        setup_generations();
        snapshot = take_snapshot();
        expect_all(&snapshot, "aaaaa");
}

static void switch_before_cert(const char *path, bool opened)
{
        if (!opened && is_name(path, "cert.pem") && n_hooked++ == 0)
                point_to("two");
}

static void test_a_switch_between_two_files_is_read_again(void **state)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;

        setup_generations();
        hook = switch_before_cert;
        snapshot = take_snapshot();
        assert_true(n_hooked > 1);
        expect_all(&snapshot, "bbbbb");
}

static void switch_during_an_open(const char *path, bool opened)
{
        if (!is_name(path, "cert.pem") || n_hooked > 1)
                return;
        n_hooked++;
        point_to(opened ? "one" : "two");
}

static void test_a_switch_there_and_back_during_an_open_is_detected(void **state)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;

        setup_generations();
        hook = switch_during_an_open;
        snapshot = take_snapshot();
        assert_int_equal(n_hooked, 2);
        expect_all(&snapshot, "aaaaa");
}

/* Writes the CA file, which was read already. */
static void write_in_place(const char *path, bool opened)
{
        if (!opened && is_name(path, "key.pem") && n_hooked++ == 0)
                scratch_write_text("one/ca.pem", "another");
}

static void test_a_write_into_a_file_that_was_read_is_detected(void **state)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;

        setup_generations();
        hook = write_in_place;
        snapshot = take_snapshot();
        assert_true(n_hooked > 1);
        assert_false(snapshot.files_changed);
        assert_string_equal(snapshot.content[MATERIAL_CA].data, "another");
        assert_string_equal(snapshot.content[MATERIAL_KEY].data, "aaaaa");
}

static void remove_during_an_open(const char *path, bool opened)
{
        if (!is_name(path, "cert.pem") || n_hooked > 1)
                return;
        n_hooked++;
        point_to(opened ? "one" : "missing");
}

static void test_a_file_that_is_missing_for_a_moment_is_not_reported_missing(void **state)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;

        setup_generations();
        hook = remove_during_an_open;
        snapshot = take_snapshot();
        assert_int_equal(n_hooked, 2);
        expect_all(&snapshot, "aaaaa");
}

static void switch_every_time(const char *path, bool opened)
{
        if (!opened && is_name(path, "cert.pem"))
                point_to(n_hooked++ % 2 == 0 ? "two" : "one");
}

static void test_files_that_change_in_every_attempt_are_reported_as_changed(void **state)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;

        setup_generations();
        hook = switch_every_time;
        snapshot = take_snapshot();
        assert_true(snapshot.files_changed);
        assert_int_equal(n_hooked, SNAPSHOT_ATTEMPTS * OPENS_OF_A_FILE);
}

_Noreturn static void switch_until_killed(void)
{
        /* In case the test fails before it kills this process. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                _exit(1);
        for (unsigned i = 0;; i++)
                point_to(i % 2 == 0 ? "two" : "one");
}

static void test_two_generations_are_never_mixed_while_a_tool_switches(void **state)
{
        unsigned n_mixed = 0;
        pid_t child;

        setup_generations();
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
                switch_until_killed();
        for (unsigned i = 0; i < 3000; i++) {
                CLEANUP(snapshot_done) Snapshot snapshot = take_snapshot();

                if (snapshot.files_changed)
                        continue;
                for (unsigned k = 0; k < _MATERIAL_FILE_MAX; k++)
                        n_mixed += snapshot.error[k] != 0 ||
                                strcmp(snapshot.content[k].data, snapshot.content[0].data) != 0;
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(n_mixed, 0);
}

static void test_each_file_has_its_own_error_and_none_blocks(void **state)
{
        static const struct {
                const char *target; /* of the link that replaces cert.pem */
                int error;
        } cases[] = {{"missing", -ENOENT}, {"fifo", -ENXIO}, {"directory", -EISDIR},
                {"/dev/zero", -ENXIO}, {"cert.pem", -ELOOP}, {"large", -EFBIG}};

        setup_generations();
        scratch_make_directory("one/directory");
        assert_int_equal(mkfifo(scratch_path("one/fifo"), 0600), 0);
        scratch_write_text("one/large", "x");
        assert_int_equal(truncate(scratch_path("one/large"), SNAPSHOT_FILE_LIMIT + 1), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;

                assert_int_equal(unlink(scratch_path("one/cert.pem")), 0);
                scratch_link(cases[i].target, "one/cert.pem");
                snapshot = take_snapshot();
                assert_false(snapshot.files_changed);
                assert_int_equal(snapshot.error[MATERIAL_CERT], cases[i].error);
                assert_int_equal(snapshot.content[MATERIAL_CERT].size, 0);
                assert_int_equal(snapshot.error[MATERIAL_CA], 0);
                assert_string_equal(snapshot.content[MATERIAL_CA].data, "aaaaa");
                assert_string_equal(snapshot.content[MATERIAL_KEY].data, "aaaaa");
        }
}

static void test_of_files_in_a_closed_directory_that_is_the_cause(void **state)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;

        scratch_link("closed", "current");
        scratch_make_closed("closed");
        snapshot = take_snapshot();
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                assert_int_equal(snapshot.error[i], -EACCES);
                assert_string_equal(snapshot.closed[i], scratch_path("closed"));
        }
        scratch_open("closed");
}

static void test_a_file_of_exactly_the_limit_is_read(void **state)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;

        setup_generations();
        assert_int_equal(truncate(scratch_path("one/ca.pem"), SNAPSHOT_FILE_LIMIT), 0);
        snapshot = take_snapshot();
        assert_int_equal(snapshot.error[MATERIAL_CA], 0);
        assert_int_equal(snapshot.content[MATERIAL_CA].size, SNAPSHOT_FILE_LIMIT);
}

static void test_done_leaves_an_empty_snapshot(void **state)
{
        Snapshot snapshot;

        setup_generations();
        snapshot = take_snapshot();
        snapshot_done(&snapshot);
        assert_null(snapshot.content[MATERIAL_KEY].data);
        snapshot_done(&snapshot);
        assert_int_equal(snapshot.content[MATERIAL_KEY].size, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_unchanged_files_are_read_once),
                scratch_test(test_a_switch_between_two_files_is_read_again),
                scratch_test(test_a_switch_there_and_back_during_an_open_is_detected),
                scratch_test(test_a_write_into_a_file_that_was_read_is_detected),
                scratch_test(test_a_file_that_is_missing_for_a_moment_is_not_reported_missing),
                scratch_test(test_files_that_change_in_every_attempt_are_reported_as_changed),
                scratch_test(test_two_generations_are_never_mixed_while_a_tool_switches),
                scratch_test(test_each_file_has_its_own_error_and_none_blocks),
                scratch_test(test_of_files_in_a_closed_directory_that_is_the_cause),
                scratch_test(test_a_file_of_exactly_the_limit_is_read),
                scratch_test(test_done_leaves_an_empty_snapshot),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
