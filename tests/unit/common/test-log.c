/*
 * stderr is detected once in a process, so each test logs in a child process.
 */

#include "tests/unit/test.h"

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define NO_NAMESPACE   77

typedef void (*act_fn)(void);

/* Runs `act` in a child whose stderr is `fd`; returns its exit code. */
static int run(act_fn act, int fd)
{
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0) {
                if (dup2(fd, STDERR_FILENO) < 0)
                        _exit(1);
                act();
                _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void expect_on_pipe(act_fn act, const char *expected)
{
        CLEANUP(secret_done) Secret output = SECRET_NULL;
        int pair[2];

        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        assert_int_equal(run(act, pair[1]), 0);
        close(pair[1]);
        assert_int_equal(file_read_fd(&output, pair[0], 65536), 0);
        close(pair[0]);
        assert_string_equal(output.data, expected);
}

static void send_two_lines(void)
{
        LogField field = {"BINLOG_SSL_CLUSTER", "orders"};

        log_open();
        log_send(LOG_ERR, "0123456789abcdef0123456789abcdef", &field, 1, "%s: %d", "orders", 5);
        log_send(LOG_INFO, NULL, NULL, 0, "done");
}

static void test_a_stream_receives_lines_with_their_priority(void **state)
{
        expect_on_pipe(send_two_lines, "<3>orders: 5\n<6>done\n");
}

static void send_plain_lines(void)
{
        log_set_plain();
        send_two_lines();
}

static void test_a_pipe_of_a_person_receives_lines_without_priority(void **state)
{
        expect_on_pipe(send_plain_lines, "orders: 5\ndone\n");
}

static void send_something_dirty(void)
{
        log_send(LOG_ERR, NULL, NULL, 0, "a\n<0>%s", "b\x1b[31m\xff");
}

static void test_one_message_is_one_clean_line(void **state)
{
        expect_on_pipe(send_something_dirty, "<3>a <0>b [31m?\n");
}

static void send_too_much(void)
{
        static char text[5000];

        memset(text, 'x', sizeof(text) - 1);
        log_send(LOG_ERR, NULL, NULL, 0, "%s", text);
}

static void test_a_long_message_is_cut_to_one_line(void **state)
{
        static char expected[2052] = "<3>";

        memset(expected + 3, 'x', 2047);
        expected[2050] = '\n';
        expect_on_pipe(send_too_much, expected);
}

static void keep_errno(void)
{
        errno = EXDEV;
        log_send(LOG_ERR, NULL, NULL, 0, "sent");
        if (errno != EXDEV)
                _exit(1);
        close(STDERR_FILENO);
        errno = EXDEV;
        log_send(LOG_ERR, NULL, NULL, 0, "cannot be sent");
        if (errno != EXDEV)
                _exit(1);
}

static void test_errno_is_left_as_it_was(void **state)
{
        expect_on_pipe(keep_errno, "<3>sent\n");
}

static void claim_another_stream(void)
{
        if (setenv("JOURNAL_STREAM", "1:1", 1) < 0)
                _exit(1);
        log_send(LOG_ERR, NULL, NULL, 0, "not for the journal");
}

static void test_a_stream_that_is_not_the_journal_receives_lines(void **state)
{
        expect_on_pipe(claim_another_stream, "<3>not for the journal\n");
}

static void detect_then_change(void)
{
        struct stat st;
        char stream[64];

        log_open();
        if (fstat(STDERR_FILENO, &st) < 0)
                _exit(1);
        snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
        if (setenv("JOURNAL_STREAM", stream, 1) < 0)
                _exit(1);
        log_open();
        log_send(LOG_ERR, NULL, NULL, 0, "as it was detected first");
}

static void test_stderr_is_detected_once(void **state)
{
        expect_on_pipe(detect_then_change, "<3>as it was detected first\n");
}

static void test_a_terminal_receives_lines_without_priority(void **state)
{
        char line[64] = "";
        size_t size = 0;
        int master, slave;

        assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
        assert_int_equal(run(send_two_lines, slave), 0);
        while (size < sizeof(line) - 1 && !strstr(line, "done\r\n")) {
                ssize_t n = read(master, line + size, sizeof(line) - 1 - size);

                assert_true(n > 0);
                size += (size_t)n;
        }
        close(master);
        close(slave);
        assert_string_equal(line, "orders: 5\r\ndone\r\n");
}

static int listen_as_journal(void)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
        int fd;

        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
                mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0 || mkdir("/run/systemd", 0700) < 0 ||
                mkdir("/run/systemd/journal", 0700) < 0)
                _exit(NO_NAMESPACE);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                _exit(1);
        return fd;
}

/* Logs to a fake journal, and writes the entry that it receives to stderr. */
static void play_journal(void)
{
        LogField fields[LOG_FIELDS_MAX + 1];
        char stream[64], entry[8192];
        int fd = listen_as_journal();
        struct stat st;
        ssize_t n;

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                fields[i] = (LogField){"BINLOG_SSL_MORE", "filler"};
        fields[0] = (LogField){"BINLOG_SSL_CLUSTER", "orders"};
        fields[1] = (LogField){"BINLOG_SSL_OUTCOME", NULL};
        fields[LOG_FIELDS_MAX - 1] = (LogField){"BINLOG_SSL_FINAL", "still in"};
        fields[LOG_FIELDS_MAX] = (LogField){"BINLOG_SSL_LAST", "one too many"};
        if (fstat(STDERR_FILENO, &st) < 0)
                _exit(1);
        snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
        if (setenv("JOURNAL_STREAM", stream, 1) < 0)
                _exit(1);
        errno = EXDEV;
        log_send(LOG_WARNING, "0123456789abcdef0123456789abcdef", fields, ARRAY_SIZE(fields),
                "%s: late", "orders");
        if (errno != EXDEV)
                _exit(1);
        n = recv(fd, entry, sizeof(entry), MSG_DONTWAIT);
        if (n <= 0 || file_write_all(STDERR_FILENO, entry, (size_t)n) < 0)
                _exit(1);
}

static void test_the_journal_receives_the_fields(void **state)
{
        CLEANUP(secret_done) Secret entry = SECRET_NULL;
        int pair[2], code;

        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        code = run(play_journal, pair[1]);
        close(pair[1]);
        if (code == NO_NAMESPACE) {
                close(pair[0]);
                skip(); /* not allowed to mount here */
        }
        assert_int_equal(file_read_fd(&entry, pair[0], 65536), 0);
        close(pair[0]);
        assert_int_equal(code, 0);
        assert_non_null(strstr(entry.data, "MESSAGE=orders: late\n"));
        assert_non_null(strstr(entry.data, "PRIORITY=4\n"));
        assert_non_null(strstr(entry.data, "MESSAGE_ID=0123456789abcdef0123456789abcdef\n"));
        assert_non_null(strstr(entry.data, "BINLOG_SSL_CLUSTER=orders\n"));
        assert_null(strstr(entry.data, "BINLOG_SSL_OUTCOME"));
        assert_non_null(strstr(entry.data, "BINLOG_SSL_MORE=filler\n"));
        assert_non_null(strstr(entry.data, "BINLOG_SSL_FINAL=still in\n"));
        assert_null(strstr(entry.data, "BINLOG_SSL_LAST"));
        assert_null(strstr(entry.data, "<4>"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_stream_receives_lines_with_their_priority),
                cmocka_unit_test(test_a_pipe_of_a_person_receives_lines_without_priority),
                cmocka_unit_test(test_one_message_is_one_clean_line),
                cmocka_unit_test(test_a_long_message_is_cut_to_one_line),
                cmocka_unit_test(test_errno_is_left_as_it_was),
                cmocka_unit_test(test_a_stream_that_is_not_the_journal_receives_lines),
                cmocka_unit_test(test_stderr_is_detected_once),
                cmocka_unit_test(test_a_terminal_receives_lines_without_priority),
                cmocka_unit_test(test_the_journal_receives_the_fields),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
