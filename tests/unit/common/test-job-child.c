/*
 * What a job's child finds around it. Each test looks from within the child and hands back what
 * it saw as the result.
 */

#include "tests/unit/test.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/job.h"

#define DEADLINE  (20 * USEC_PER_SEC)
#define FDS_COUNT 256

typedef struct Seen {
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
} Seen;

static Seen seen;
static JobResult ended;

static int block_child_signal(void **state)
{
        sigset_t set;

        (void)state;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        return sigprocmask(SIG_BLOCK, &set, NULL);
}

static int look_around(void *result, const void *task)
{
        Seen *ret = result;
        struct rlimit limit;
        sigset_t mask;

        (void)task;
        ret->alarm_sec = alarm(0);
        for (int fd = 0; fd < FDS_COUNT; fd++)
                ret->open[fd] = fcntl(fd, F_GETFD) >= 0;
        if (sigprocmask(SIG_BLOCK, NULL, &mask) < 0 || getrlimit(RLIMIT_CORE, &limit) < 0 ||
                getrlimit(RLIMIT_DATA, &ret->data_limit) < 0 ||
                prctl(PR_GET_PDEATHSIG, &ret->death_signal) < 0 ||
                prctl(PR_GET_NAME, ret->name) < 0)
                return -errno;
        ret->core_limit = limit.rlim_cur;
        ret->dumpable = prctl(PR_GET_DUMPABLE);
        for (int number = 1; number < 32; number++) {
                struct sigaction action;

                ret->blocked[number] = sigismember(&mask, number) == 1;
                if (sigaction(number, NULL, &action) < 0)
                        return -errno;
                ret->is_default[number] = action.sa_handler == SIG_DFL;
                if (number == SIGPIPE)
                        ret->pipe_is_ignored = action.sa_handler == SIG_IGN;
        }
        return 0;
}

static void on_end(Job *job, JobResult end, int detail, const void *result, void *userdata)
{
        (void)job;
        (void)detail;
        (void)userdata;
        if (result)
                memcpy(&seen, result, sizeof(seen));
        ended = end;
}

static void look(const char *name, const int *keep, size_t n_keep)
{
        JobSpec spec = {.name = name,
                .run = look_around,
                .result_size = sizeof(Seen),
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

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
                fds[i] = fcntl(STDERR_FILENO, F_DUPFD, 20 + 10 * (int)i);
                assert_true(fds[i] >= 0 && fds[i] < FDS_COUNT);
        }
        /* In no order, neighbours and the first among them. */
        keep[0] = fds[7];
        keep[1] = fds[0];
        keep[2] = fds[3];
        keep[3] = fcntl(STDERR_FILENO, F_DUPFD, fds[3]);
        assert_int_equal(keep[3], fds[3] + 1);
        for (int fd = 0; fd <= STDERR_FILENO; fd++)
                n_standard += fcntl(fd, F_GETFD) >= 0;
        look("closing", keep, JOB_KEEP_MAX);
        for (int fd = 0; fd < FDS_COUNT; fd++)
                n_open += seen.open[fd];
        for (size_t i = 0; i < JOB_KEEP_MAX; i++)
                assert_true(seen.open[keep[i]]);
        /* One more: where the result goes. */
        assert_int_equal(n_open, n_standard + JOB_KEEP_MAX + 1);
        close(keep[3]);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                close(fds[i]);
}

static void test_without_a_wish_only_the_way_out_stays_open(void **state)
{
        unsigned n_open = 0;

        (void)state;
        look("closing", NULL, 0);
        for (int fd = STDERR_FILENO + 1; fd < FDS_COUNT; fd++)
                n_open += seen.open[fd];
        assert_int_equal(n_open, 1);
}

static void test_signals_and_mask_are_those_of_a_new_process(void **state)
{
        sigset_t all, before;

        (void)state;
        sigfillset(&all);
        assert_int_equal(sigprocmask(SIG_BLOCK, &all, &before), 0);
        assert_true(signal(SIGTERM, SIG_IGN) != SIG_ERR);
        assert_true(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
        look("signals", NULL, 0);
        assert_true(signal(SIGTERM, SIG_DFL) != SIG_ERR);
        assert_true(signal(SIGUSR1, SIG_DFL) != SIG_ERR);
        assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
        for (int number = 1; number < 32; number++) {
                assert_false(seen.blocked[number]);
                assert_true(seen.is_default[number] || number == SIGPIPE);
        }
        assert_true(seen.pipe_is_ignored);
}

static void test_the_child_leaves_no_core_and_cannot_be_looked_into(void **state)
{
        struct rlimit before, large;

        (void)state;
        assert_int_equal(getrlimit(RLIMIT_CORE, &before), 0);
        large = (struct rlimit){before.rlim_max, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_CORE, &large), 0);
        look("dumpable", NULL, 0);
        assert_int_equal(setrlimit(RLIMIT_CORE, &before), 0);
        assert_int_equal(seen.dumpable, 0);
        assert_int_equal(seen.core_limit, 0);
}

/* Under a sanitizer there is no limit: its own memory would be over it. */
static void test_its_memory_is_limited_and_that_of_its_commands_need_not_be(void **state)
{
        struct rlimit before;

        (void)state;
        assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
        look("memory", NULL, 0);
        assert_true(seen.data_limit.rlim_cur == 128 << 20 ||
                seen.data_limit.rlim_cur == before.rlim_cur);
        assert_true(seen.data_limit.rlim_max == before.rlim_max);
}

static void test_the_child_bears_fifteen_characters_of_the_name(void **state)
{
        (void)state;
        look("0123456789abcdefgh", NULL, 0);
        assert_string_equal(seen.name, "0123456789abcde");
}

static void test_an_alarm_stands_behind_the_deadline(void **state)
{
        (void)state;
        look("alarm", NULL, 0);
        /* Later, because the manager is the one who kills. */
        assert_true(seen.alarm_sec > DEADLINE / USEC_PER_SEC);
        assert_true(seen.alarm_sec <= DEADLINE / USEC_PER_SEC + 10);
        assert_int_equal(seen.death_signal, SIGKILL);
}

static int say_pid_and_wait(void *result, const void *task)
{
        pid_t pid = getpid();

        (void)result;
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
        int pair[2], status;

        (void)state;
        /* The orphan becomes ours, so that its end can be waited for. */
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        manager = fork();
        assert_true(manager >= 0);
        if (manager == 0)
                play_manager(pair[1]);
        assert_int_equal(read(pair[0], &child, sizeof(child)), sizeof(child));
        assert_int_equal(kill(manager, SIGKILL), 0);
        assert_int_equal(waitpid(manager, NULL, 0), manager);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
        close(pair[0]);
        close(pair[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_only_kept_descriptors_and_the_standard_ones_stay_open),
                cmocka_unit_test(test_without_a_wish_only_the_way_out_stays_open),
                cmocka_unit_test(test_signals_and_mask_are_those_of_a_new_process),
                cmocka_unit_test(test_the_child_leaves_no_core_and_cannot_be_looked_into),
                cmocka_unit_test(test_its_memory_is_limited_and_that_of_its_commands_need_not_be),
                cmocka_unit_test(test_the_child_bears_fifteen_characters_of_the_name),
                cmocka_unit_test(test_an_alarm_stands_behind_the_deadline),
                cmocka_unit_test(test_the_child_dies_with_the_manager),
        };

        return cmocka_run_group_tests(tests, block_child_signal, NULL);
}
