/*
 * The environment of a job's child. Each test inspects it in the child and returns it as the
 * result.
 */

#include "tests/unit/test.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/job.h"

#define DEADLINE  (20 * USEC_PER_SEC)
#define FDS_COUNT 256

typedef struct Environment {
        bool open[FDS_COUNT];
        bool blocked[NSIG];
        bool is_default[NSIG];
        bool pipe_is_ignored;
        int dumpable;
        int death_signal;
        uint64_t core_limit;
        struct rlimit data_limit;
        unsigned alarm_sec;
        char name[17];
} Environment;

static Environment environment;
static JobResult ended;

static int block_child_signal(void **state)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        return sigprocmask(SIG_BLOCK, &set, NULL);
}

static int inspect(void *result, const void *task)
{
        Environment *ret = result;
        struct rlimit limit;
        sigset_t blocked;

        ret->alarm_sec = alarm(0);
        for (int fd = 0; fd < FDS_COUNT; fd++)
                ret->open[fd] = fcntl(fd, F_GETFD) >= 0;
        if (sigprocmask(SIG_BLOCK, NULL, &blocked) < 0 || getrlimit(RLIMIT_CORE, &limit) < 0 ||
                getrlimit(RLIMIT_DATA, &ret->data_limit) < 0 ||
                prctl(PR_GET_PDEATHSIG, &ret->death_signal) < 0 ||
                prctl(PR_GET_NAME, ret->name) < 0)
                return -errno;
        ret->core_limit = limit.rlim_cur;
        ret->dumpable = prctl(PR_GET_DUMPABLE);
        for (int number = 1; number < 32; number++) {
                struct sigaction action;

                ret->blocked[number] = sigismember(&blocked, number) == 1;
                if (sigaction(number, NULL, &action) < 0)
                        return -errno;
                ret->is_default[number] = action.sa_handler == SIG_DFL;
                if (number == SIGPIPE)
                        ret->pipe_is_ignored = action.sa_handler == SIG_IGN;
        }
        return 0;
}

static void on_end(Job *job, JobResult result, int detail, const void *data, void *userdata)
{
        if (data)
                memcpy(&environment, data, sizeof(environment));
        ended = result;
}

static void run(const char *name, const int *keep, size_t n_keep)
{
        JobSpec spec = {.name = name,
                .run = inspect,
                .result_size = sizeof(Environment),
                .n_keep = n_keep,
                .deadline_usec = DEADLINE};
        sd_event *event = NULL;
        Job *job = NULL;

        for (size_t i = 0; i < n_keep; i++)
                spec.keep[i] = keep[i];
        ended = _JOB_RESULT_MAX;
        assert_int_equal(sd_event_new(&event), 0);
        assert_int_equal(job_start(&job, event, &spec, on_end, NULL), 0);
        while (ended == _JOB_RESULT_MAX)
                assert_true(sd_event_run(event, DEADLINE) > 0);
        job_free(job);
        sd_event_unref(event);
        assert_int_equal(ended, JOB_DONE);
}

static void test_only_kept_descriptors_and_the_standard_ones_stay_open(void **state)
{
        int fds[12], keep[JOB_KEEP_MAX];
        unsigned n_open = 0, n_standard = 0;

        for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
                fds[i] = fcntl(STDERR_FILENO, F_DUPFD, 20 + 10 * (int)i);
                assert_true(fds[i] >= 0 && fds[i] < FDS_COUNT);
        }
        /* Not in order; adjacent ones and the first among them. */
        keep[0] = fds[7];
        keep[1] = fds[0];
        keep[2] = fds[3];
        keep[3] = fcntl(STDERR_FILENO, F_DUPFD, fds[3]);
        assert_int_equal(keep[3], fds[3] + 1);
        for (int fd = 0; fd <= STDERR_FILENO; fd++)
                n_standard += fcntl(fd, F_GETFD) >= 0;
        run("closing", keep, JOB_KEEP_MAX);
        for (int fd = 0; fd < FDS_COUNT; fd++)
                n_open += environment.open[fd];
        for (size_t i = 0; i < JOB_KEEP_MAX; i++)
                assert_true(environment.open[keep[i]]);
        /* One more: the socket of the result. */
        assert_int_equal(n_open, n_standard + JOB_KEEP_MAX + 1);
        close(keep[3]);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                close(fds[i]);
}

static void test_with_nothing_to_keep_only_the_result_socket_stays_open(void **state)
{
        unsigned n_open = 0;

        run("closing", NULL, 0);
        for (int fd = STDERR_FILENO + 1; fd < FDS_COUNT; fd++)
                n_open += environment.open[fd];
        assert_int_equal(n_open, 1);
}

static void test_signals_and_mask_are_those_of_a_new_process(void **state)
{
        sigset_t all, before;

        sigfillset(&all);
        assert_int_equal(sigprocmask(SIG_BLOCK, &all, &before), 0);
        assert_true(signal(SIGTERM, SIG_IGN) != SIG_ERR);
        assert_true(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
        run("signals", NULL, 0);
        assert_true(signal(SIGTERM, SIG_DFL) != SIG_ERR);
        assert_true(signal(SIGUSR1, SIG_DFL) != SIG_ERR);
        assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
        for (int number = 1; number < 32; number++) {
                assert_false(environment.blocked[number]);
                assert_true(environment.is_default[number] || number == SIGPIPE);
        }
        assert_true(environment.pipe_is_ignored);
}

static void test_the_child_leaves_no_core_and_is_not_dumpable(void **state)
{
        struct rlimit before, large;

        assert_int_equal(getrlimit(RLIMIT_CORE, &before), 0);
        large = (struct rlimit){before.rlim_max, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_CORE, &large), 0);
        run("dumpable", NULL, 0);
        assert_int_equal(setrlimit(RLIMIT_CORE, &before), 0);
        assert_int_equal(environment.dumpable, 0);
        assert_int_equal(environment.core_limit, 0);
}

/* Under a sanitizer there is no limit, because its own memory exceeds any. */
static void test_only_the_soft_limit_of_memory_is_lowered(void **state)
{
        struct rlimit before;

        assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
        run("memory", NULL, 0);
        assert_true(environment.data_limit.rlim_cur == 128 << 20 ||
                environment.data_limit.rlim_cur == before.rlim_cur);
        assert_true(environment.data_limit.rlim_max == before.rlim_max);
}

static void test_the_process_name_has_fifteen_characters_of_the_name(void **state)
{
        run("0123456789abcdefgh", NULL, 0);
        assert_string_equal(environment.name, "0123456789abcde");
}

static void test_an_alarm_is_set_after_the_deadline(void **state)
{
        run("alarm", NULL, 0);
        /* Later than the deadline, at which the manager kills the child. */
        assert_true(environment.alarm_sec > DEADLINE / USEC_PER_SEC);
        assert_true(environment.alarm_sec <= DEADLINE / USEC_PER_SEC + 10);
        assert_int_equal(environment.death_signal, SIGKILL);
}

static int say_pid_and_wait(void *result, const void *task)
{
        pid_t pid = getpid();

        if (write(*(const int *)task, &pid, sizeof(pid)) != sizeof(pid))
                return -EIO;
        while (pause() < 0)
                ; /* for ever */
        return 0;
}

_Noreturn static void play_manager(int fd)
{
        JobSpec spec = {.name = "orphan",
                .run = say_pid_and_wait,
                .task = &fd,
                .keep = {fd},
                .n_keep = 1,
                .deadline_usec = DEADLINE};
        sd_event *event = NULL;
        Job *job = NULL;

        if (sd_event_new(&event) < 0 || job_start(&job, event, &spec, on_end, NULL) < 0)
                _exit(1);
        (void)sd_event_loop(event);
        _exit(1);
}

static void test_the_child_dies_with_the_manager(void **state)
{
        pid_t manager, child = 0;
        int pair[2];

        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        manager = fork();
        assert_true(manager >= 0);
        if (manager == 0)
                play_manager(pair[1]);
        close(pair[1]);
        assert_int_equal(read(pair[0], &child, sizeof(child)), sizeof(child));
        assert_int_equal(kill(manager, SIGKILL), 0);
        assert_int_equal(waitpid(manager, NULL, 0), manager);
        /* Only the child still had the other end, and it waits for ever. */
        assert_int_equal(read(pair[0], &child, sizeof(child)), 0);
        close(pair[0]);
}

typedef enum Way {
        WAY_RESULT,
        WAY_ERRNO,
        WAY_EXIT,
        WAY_HANG,
} Way;

static int end_in_some_way(void *result, const void *task)
{
        switch (*(const Way *)task) {
        case WAY_RESULT:
                *(int *)result = getppid();
                return 0;
        case WAY_ERRNO:
                return -EDOM;
        case WAY_EXIT:
                _exit(0);
        case WAY_HANG:
                (void)pause();
        }
        return 0;
}

static int run_blocking(int *ret, Way way, uint64_t deadline_usec)
{
        JobSpec spec = {.name = "blocking",
                .run = end_in_some_way,
                .task = &way,
                .result_size = sizeof(*ret),
                .deadline_usec = deadline_usec};

        return job_run(ret, &spec);
}

static void test_a_job_without_a_loop_returns_its_result_or_why_there_is_none(void **state)
{
        int parent = 0;

        assert_int_equal(run_blocking(&parent, WAY_RESULT, DEADLINE), 0);
        assert_int_equal(parent, getpid());
        parent = 7;
        assert_int_equal(run_blocking(&parent, WAY_ERRNO, DEADLINE), -EDOM);
        assert_int_equal(run_blocking(&parent, WAY_EXIT, DEADLINE), -ECHILD);
        assert_int_equal(run_blocking(&parent, WAY_HANG, 10 * USEC_PER_MSEC), -ETIMEDOUT);
        assert_int_equal(parent, 7);
        /* Every child is reaped. */
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_a_job_without_a_loop_has_the_same_environment(void **state)
{
        JobSpec spec = {.name = "blocking",
                .run = inspect,
                .result_size = sizeof(Environment),
                .deadline_usec = DEADLINE};

        assert_int_equal(job_run(&environment, &spec), 0);
        assert_string_equal(environment.name, "blocking");
        assert_int_equal(environment.dumpable, 0);
        assert_int_equal(environment.core_limit, 0);
        assert_int_equal(environment.death_signal, SIGKILL);
        assert_true(environment.alarm_sec > DEADLINE / USEC_PER_SEC);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_only_kept_descriptors_and_the_standard_ones_stay_open),
                cmocka_unit_test(test_with_nothing_to_keep_only_the_result_socket_stays_open),
                cmocka_unit_test(test_signals_and_mask_are_those_of_a_new_process),
                cmocka_unit_test(test_the_child_leaves_no_core_and_is_not_dumpable),
                cmocka_unit_test(test_only_the_soft_limit_of_memory_is_lowered),
                cmocka_unit_test(test_the_process_name_has_fifteen_characters_of_the_name),
                cmocka_unit_test(test_an_alarm_is_set_after_the_deadline),
                cmocka_unit_test(test_the_child_dies_with_the_manager),
                cmocka_unit_test(test_a_job_without_a_loop_returns_its_result_or_why_there_is_none),
                cmocka_unit_test(test_a_job_without_a_loop_has_the_same_environment),
        };

        return cmocka_run_group_tests(tests, block_child_signal, NULL);
}
