#include "tests/unit/test.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/command.h"
#include "common/file.h"
#include "common/macro.h"
#include "tests/unit/scratch.h"

#define LONG  (60 * USEC_PER_SEC)
#define SHORT (300 * USEC_PER_MSEC)

static char reason[384];

static const char *script(const char *text)
{
        char whole[1024];
        const char *path = scratch_path("script");

        snprintf(whole, sizeof(whole), "#!/bin/sh\n%s\n", text);
        scratch_write_text("script", whole);
        assert_int_equal(chmod(path, 0700), 0);
        return path;
}

static bool run(Secret *output, const char *text, uint64_t timeout_usec)
{
        char *words[] = {(char *)script(text), (char *)"-x", (char *)"a b; $HOME", NULL};
        bool done;

        reason[0] = '\0';
        done = command_run(output, reason, sizeof(reason), words, timeout_usec);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
        return done;
}

static void expect_output(const char *text, const char *output)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;

        if (!run(&secret, text, LONG))
                fail_msg("%s", reason);
        assert_string_equal(secret.data, output);
        assert_int_equal(secret.size, strlen(output));
}

/* Expects the path followed by `rest` as the reason. */
static void expect_reason(const char *text, uint64_t timeout_usec, const char *rest)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        char expected[384];

        assert_false(run(&secret, text, timeout_usec));
        assert_null(secret.data);
        snprintf(expected, sizeof(expected), "%s %s", scratch_path("script"), rest);
        assert_string_equal(reason, expected);
}

static pid_t read_pid(void)
{
        CLEANUP(secret_done) Secret text = SECRET_NULL;

        for (unsigned i = 0; i < 6000; i++) {
                struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};

                if (file_read(&text, AT_FDCWD, scratch_path("pid"), 100) == 0 && text.size > 0 &&
                        text.data[text.size - 1] == '\n')
                        return (pid_t)atoi(text.data);
                (void)nanosleep(&moment, NULL);
        }
        fail_msg("no pid was written");
        return 0;
}

/* Returns true if the process has ended, reaped or not. */
static bool is_gone(pid_t pid)
{
        CLEANUP(secret_done) Secret text = SECRET_NULL;
        char path[64];
        const char *state;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        if (file_read(&text, AT_FDCWD, path, 4096) < 0)
                return true;
        state = strrchr(text.data, ')');
        return state && (state[2] == 'Z' || state[2] == 'X');
}

static void expect_gone(pid_t pid)
{
        for (unsigned i = 0; i < 6000 && !is_gone(pid); i++) {
                struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};

                (void)nanosleep(&moment, NULL);
        }
        assert_true(is_gone(pid));
}

static void test_the_output_is_returned_unchanged(void **state)
{
        expect_output("echo token; printf x", "token\nx");
        expect_output("true", "");
        expect_output("sleep 0.2; printf a; sleep 0.2; printf b", "ab");
}

static void test_arguments_are_passed_unchanged(void **state)
{
        expect_output("printf '%s|' \"$@\"", "-x|a b; $HOME|");
}

static void test_stdin_is_empty_and_the_environment_is_inherited(void **state)
{
        int before = dup(STDIN_FILENO), fd;

        assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/run/c", 1), 0);
        scratch_write_text("stdin", "not for the program\n");
        fd = open(scratch_path("stdin"), O_RDONLY | O_CLOEXEC);
        assert_true(before >= 0 && fd >= 0);
        assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
        expect_output(
                "cat; readlink /proc/$$/fd/0; echo $CREDENTIALS_DIRECTORY", "/dev/null\n/run/c\n");
        assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
        close(before);
        close(fd);
}

static void test_no_other_descriptor_is_inherited(void **state)
{
        int kept = dup2(STDERR_FILENO, 50); /* not closed by exec */

        assert_int_equal(kept, 50);
        expect_output("[ -e /proc/$$/fd/50 ] || echo closed", "closed\n");
        close(kept);
}

static void test_signals_and_memory_limit_are_the_defaults(void **state)
{
        struct rlimit before, lower;

        assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
        lower = (struct rlimit){(rlim_t)1 << 46, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_DATA, &lower), 0);
        signal(SIGPIPE, SIG_IGN);
        expect_output("[ \"$(ulimit -S -d)\" = \"$(ulimit -H -d)\" ] && echo same\n"
                      "exec grep -E 'Sig(Ign|Blk)' /proc/self/status",
                "same\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
        signal(SIGPIPE, SIG_DFL);
        assert_int_equal(setrlimit(RLIMIT_DATA, &before), 0);
}

static void test_a_failure_is_reported_without_the_output(void **state)
{
        expect_reason(
                "echo token; exit 3", LONG, "exited with status 3; its stderr is in the journal");
        expect_reason("echo token; kill -KILL $$", LONG,
                "was killed by signal 9 (Killed); its stderr is in the journal");
}

static void test_a_program_that_cannot_be_started_is_reported(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        char *missing[] = {(char *)"/no/such/token", NULL};
        char *directory[] = {(char *)"/tmp", NULL};

        assert_false(command_run(&secret, reason, sizeof(reason), missing, LONG));
        assert_string_equal(reason, "/no/such/token cannot be started: No such file or directory");
        assert_false(command_run(&secret, reason, sizeof(reason), directory, LONG));
        assert_string_equal(reason, "/tmp cannot be started: Permission denied");
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_one_byte_over_the_limit_is_refused(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;

        assert_true(run(&secret, "head -c 65536 /dev/zero", LONG));
        assert_int_equal(secret.size, 65536);
        secret_done(&secret);
        expect_reason(
                "head -c 65537 /dev/zero", LONG, "printed more than 65536 bytes and was killed");
        expect_reason("yes", LONG, "printed more than 65536 bytes and was killed");
}

static void test_at_the_time_limit_the_process_group_is_killed(void **state)
{
        char text[512];

        snprintf(text, sizeof(text), "sleep 1000 & echo $! > %s; echo token; wait",
                scratch_path("pid"));
        expect_reason(text, 3 * USEC_PER_SEC,
                "did not end within 3.0 s and was killed; its stderr is in the journal");
        expect_gone(read_pid());
        expect_reason("trap '' TERM INT HUP; exec >&-; sleep 1000; sleep 1000", SHORT,
                "did not end within 0.3 s and was killed; its stderr is in the journal");
        expect_reason("exit 0", 0,
                "did not end within 0.0 s and was killed; its stderr is in the journal");
}

static void test_a_process_that_keeps_the_pipe_open_does_not_block(void **state)
{
        uint64_t start_usec = clock_boottime_usec();
        char text[512];

        snprintf(text, sizeof(text), "sleep 1000 & echo $! > %s; echo token", scratch_path("pid"));
        expect_output(text, "token\n");
        assert_true(clock_boottime_usec() - start_usec < LONG / 2);
        expect_gone(read_pid());
}

static void test_the_program_dies_with_its_caller(void **state)
{
        char text[512];
        pid_t middle, pid;

        snprintf(text, sizeof(text), "echo $$ > %s; exec sleep 1000", scratch_path("pid"));
        middle = fork();
        assert_true(middle >= 0);
        if (middle == 0) {
                Secret secret = SECRET_NULL;

                (void)run(&secret, text, LONG);
                _exit(0);
        }
        pid = read_pid();
        assert_false(is_gone(pid));
        assert_int_equal(kill(middle, SIGKILL), 0);
        assert_int_equal(waitpid(middle, NULL, 0), middle);
        expect_gone(pid);
}

static void test_stderr_is_inherited(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        CLEANUP(secret_done) Secret printed = SECRET_NULL;
        int before = dup(STDERR_FILENO), fd;
        bool done;

        fd = open(scratch_path("stderr"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(before >= 0 && fd >= 0);
        assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
        done = run(&secret, "echo an error >&2; echo token", LONG);
        assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
        close(before);
        close(fd);
        assert_true(done);
        assert_int_equal(file_read(&printed, AT_FDCWD, scratch_path("stderr"), 4096), 0);
        assert_string_equal(printed.data, "an error\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_the_output_is_returned_unchanged),
                scratch_test(test_arguments_are_passed_unchanged),
                scratch_test(test_stdin_is_empty_and_the_environment_is_inherited),
                scratch_test(test_no_other_descriptor_is_inherited),
                scratch_test(test_signals_and_memory_limit_are_the_defaults),
                scratch_test(test_a_failure_is_reported_without_the_output),
                scratch_test(test_a_program_that_cannot_be_started_is_reported),
                scratch_test(test_one_byte_over_the_limit_is_refused),
                scratch_test(test_at_the_time_limit_the_process_group_is_killed),
                scratch_test(test_a_process_that_keeps_the_pipe_open_does_not_block),
                scratch_test(test_the_program_dies_with_its_caller),
                scratch_test(test_stderr_is_inherited),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
