#include "tests/unit/test.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/macro.h"
#include "tests/unit/scratch.h"

/* A result from before, which a failure must not change. */
static Secret before(void)
{
        Secret secret = SECRET_NULL;

        assert_int_equal(secret_append(&secret, "before", 6), 0);
        return secret;
}

static void expect_read(const char *name, size_t limit, const char *expected)
{
        CLEANUP(secret_done) Secret secret = before();

        assert_int_equal(file_read(&secret, AT_FDCWD, scratch_path(name), limit), 0);
        assert_int_equal(secret.size, strlen(expected));
        assert_string_equal(secret.data, expected);
}

static void expect_refused(const char *name, size_t limit, int error)
{
        CLEANUP(secret_done) Secret secret = before();

        assert_int_equal(file_read(&secret, AT_FDCWD, scratch_path(name), limit), error);
        assert_string_equal(secret.data, "before");
}

static void test_a_file_is_read_to_its_end(void **state)
{
        scratch_write_text("file", "content\n");
        expect_read("file", 100, "content\n");
        scratch_write_text("file", "");
        expect_read("file", 100, "");
        expect_read("file", 0, "");
}

static void test_a_file_as_large_as_the_limit_is_read_and_a_larger_one_is_not(void **state)
{
        scratch_write_text("file", "12345");
        expect_read("file", 5, "12345");
        expect_refused("file", 4, -EFBIG);
        expect_refused("file", 0, -EFBIG);
}

static void test_a_file_of_many_blocks_is_read_whole(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        char content[3 * 4096 + 1];

        for (size_t i = 0; i < sizeof(content); i++)
                content[i] = (char)(i * 7 % 251);
        scratch_write("file", content, sizeof(content));
        assert_int_equal(file_read(&secret, AT_FDCWD, scratch_path("file"), sizeof(content)), 0);
        assert_int_equal(secret.size, sizeof(content));
        assert_memory_equal(secret.data, content, sizeof(content));
        expect_refused("file", sizeof(content) - 1, -EFBIG);
}

static void test_a_file_of_unknown_size_is_limited(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;

        assert_int_equal(file_read(&secret, AT_FDCWD, "/proc/self/status", 65536), 0);
        assert_true(secret.size > 100);
        assert_int_equal(file_read(&secret, AT_FDCWD, "/proc/self/status", 100), -EFBIG);
}

static void test_other_types_of_file_are_refused_without_blocking(void **state)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        expect_refused("missing", 100, -ENOENT);
        scratch_make_directory("directory");
        expect_refused("directory", 100, -EISDIR);
        assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
        expect_refused("fifo", 100, -ENXIO);
        strcpy(address.sun_path, scratch_path("socket"));
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        expect_refused("socket", 100, -ENXIO);
        scratch_link("/dev/zero", "device");
        expect_refused("device", 100, -ENXIO);
}

static void test_links_are_followed_and_a_loop_is_refused(void **state)
{
        scratch_write_text("file", "content");
        scratch_link("file", "link");
        expect_read("link", 100, "content");
        scratch_link("missing", "dangling");
        expect_refused("dangling", 100, -ENOENT);
        scratch_link("b", "a");
        scratch_link("a", "b");
        expect_refused("a", 100, -ELOOP);
        expect_refused("file/below", 100, -ENOTDIR);
}

static void test_a_name_is_relative_to_the_directory(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        CLEANUP(closep) int fd = -1;

        scratch_make_directory("directory");
        scratch_write_text("directory/file", "below");
        fd = open(scratch_path("directory"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(file_read(&secret, fd, "file", 100), 0);
        assert_string_equal(secret.data, "below");
}

static void test_a_descriptor_of_any_type_is_read_from_its_offset(void **state)
{
        CLEANUP(secret_done) Secret secret = before();
        CLEANUP(closep) int fd = -1;
        int pair[2];

        scratch_write_text("file", "0123456789");
        fd = open(scratch_path("file"), O_RDONLY | O_CLOEXEC);
        assert_int_equal(lseek(fd, 6, SEEK_SET), 6);
        assert_int_equal(file_read_fd(&secret, fd, 100), 0);
        assert_string_equal(secret.data, "6789");

        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        assert_int_equal(write(pair[1], "piped", 5), 5);
        close(pair[1]);
        assert_int_equal(file_read_fd(&secret, pair[0], 100), 0);
        close(pair[0]);
        assert_string_equal(secret.data, "piped");
        assert_int_equal(file_read_fd(&secret, -1, 100), -EBADF);
        assert_string_equal(secret.data, "piped");
}

static void test_a_partial_write_is_continued(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        static char content[300000]; /* more than the capacity of a pipe */
        int pair[2];
        pid_t child;

        memset(content, 'x', sizeof(content));
        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                close(pair[0]);
                _exit(file_write_all(pair[1], content, sizeof(content)) == 0 ? 0 : 1);
        }
        close(pair[1]);
        assert_int_equal(file_read_fd(&secret, pair[0], sizeof(content)), 0);
        close(pair[0]);
        assert_int_equal(secret.size, sizeof(content));
        assert_int_equal(file_write_all(-1, "x", 1), -EBADF);
        assert_int_equal(file_write_all(-1, "", 0), 0);
}

static void test_replacing_makes_the_file_with_content_and_mode(void **state)
{
        mode_t mask = umask(0077);
        struct stat st;

        assert_int_equal(file_replace(scratch_path("file"), "one", 3, 0644), 0);
        umask(mask);
        expect_read("file", 100, "one");
        assert_int_equal(stat(scratch_path("file"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(file_replace(scratch_path("file"), "", 0, 0600), 0);
        expect_read("file", 100, "");
        assert_int_equal(stat(scratch_path("file"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(scratch_count(""), 1);
}

static void test_an_open_reader_keeps_the_old_content(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        CLEANUP(closep) int fd = -1;

        scratch_write_text("file", "the old content");
        fd = open(scratch_path("file"), O_RDONLY | O_CLOEXEC);
        assert_int_equal(file_replace(scratch_path("file"), "new", 3, 0600), 0);
        assert_int_equal(file_read_fd(&secret, fd, 100), 0);
        assert_string_equal(secret.data, "the old content");
        expect_read("file", 100, "new");
}

static void test_a_failed_replacement_leaves_nothing_behind(void **state)
{
        assert_int_equal(file_replace(scratch_path("missing/file"), "x", 1, 0600), -ENOENT);
        assert_int_equal(scratch_count(""), 0);
        scratch_make_directory("directory");
        assert_int_equal(file_replace(scratch_path("directory"), "x", 1, 0600), -EISDIR);
        assert_int_equal(scratch_count(""), 1);
        scratch_write_text("file", "old");
        assert_int_equal(file_replace(scratch_path("file/below"), "x", 1, 0600), -ENOTDIR);
        expect_read("file", 100, "old");
        assert_int_equal(scratch_count(""), 2);
}

static void test_a_bare_name_is_replaced_in_the_working_directory(void **state)
{
        CLEANUP(closep) int home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r;

        assert_int_equal(chdir(scratch_path("")), 0);
        r = file_replace("file", "here", 4, 0600);
        assert_int_equal(fchdir(home), 0);
        assert_int_equal(r, 0);
        expect_read("file", 100, "here");
}

static void test_a_file_is_removed_and_a_missing_one_is_no_error(void **state)
{
        scratch_write_text("file", "content");
        assert_int_equal(file_remove(scratch_path("file")), 0);
        assert_int_equal(access(scratch_path("file"), F_OK), -1);
        assert_int_equal(file_remove(scratch_path("file")), 0);
        assert_int_equal(mkdir(scratch_path("directory"), 0700), 0);
        assert_int_equal(file_remove(scratch_path("directory")), -EISDIR);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_a_file_is_read_to_its_end),
                scratch_test(test_a_file_as_large_as_the_limit_is_read_and_a_larger_one_is_not),
                scratch_test(test_a_file_of_many_blocks_is_read_whole),
                scratch_test(test_a_file_of_unknown_size_is_limited),
                scratch_test(test_other_types_of_file_are_refused_without_blocking),
                scratch_test(test_links_are_followed_and_a_loop_is_refused),
                scratch_test(test_a_name_is_relative_to_the_directory),
                scratch_test(test_a_descriptor_of_any_type_is_read_from_its_offset),
                scratch_test(test_a_partial_write_is_continued),
                scratch_test(test_replacing_makes_the_file_with_content_and_mode),
                scratch_test(test_an_open_reader_keeps_the_old_content),
                scratch_test(test_a_failed_replacement_leaves_nothing_behind),
                scratch_test(test_a_bare_name_is_replaced_in_the_working_directory),
                scratch_test(test_a_file_is_removed_and_a_missing_one_is_no_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
