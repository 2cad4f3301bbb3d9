/*
 * This program replaces send() of the C library, so that a child can be stopped between its
 * datagram and its exit.
 */

#include "tests/unit/test.h"

#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/job.h"

#define LATE (20 * USEC_PER_SEC)

typedef struct Ended {
        unsigned n_calls;
        JobResult end;
        int detail;
        bool has_result;
        char result[JOB_RESULT_SIZE_MAX];
        size_t result_size;
} Ended;

static Ended ended;
static sd_event *event;
static bool crash_when_sent, cut_when_sent;

ssize_t send(int fd, const void *data, size_t size, int flags)
{
        ssize_t n = syscall(SYS_sendto, fd, data, size - cut_when_sent, flags, NULL, 0);

        if (crash_when_sent)
                (void)raise(SIGKILL);
        return n;
}

static int block_child_signal(void **state)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        return sigprocmask(SIG_BLOCK, &set, NULL);
}

static int make_event(void **state)
{
        ended = (Ended){.end = _JOB_RESULT_MAX};
        return sd_event_new(&event) < 0 ? -1 : 0;
}

static int remove_event(void **state)
{
        event = sd_event_unref(event);
        return 0;
}

#define job_test(test) cmocka_unit_test_setup_teardown(test, make_event, remove_event)

static void on_end(Job *job, JobResult end, int detail, const void *result, void *userdata)
{
        Ended *ret = userdata;

        assert_non_null(job);
        ret->n_calls++;
        ret->end = end;
        ret->detail = detail;
        ret->has_result = result != NULL;
        if (result)
                memcpy(ret->result, result, ret->result_size);
}

static void run_until_ended(const Ended *of)
{
        uint64_t limit = clock_boottime_usec() + LATE;

        while (of->n_calls == 0 && clock_boottime_usec() < limit)
                assert_true(sd_event_run(event, LATE) >= 0);
        assert_int_equal(of->n_calls, 1);
}

/* Runs a job to its end; the result is in `ended`. */
static void run_job(JobSpec spec)
{
        Job *job = NULL;

        if (spec.deadline_usec == 0)
                spec.deadline_usec = LATE;
        if (!spec.name)
                spec.name = "test-job";
        ended.result_size = spec.result_size;
        assert_int_equal(job_start(&job, event, &spec, on_end, &ended), 0);
        assert_true(job_pid(job) > 0);
        run_until_ended(&ended);
        assert_int_equal(ended.has_result, ended.end == JOB_DONE);
        job_free(job);
}

static int add_one(void *result, const void *task)
{
        *(int *)result = *(const int *)task + 1;
        return 0;
}

static void test_the_result_is_passed_to_the_handler(void **state)
{
        int task = 41, result;

        run_job((JobSpec){.run = add_one, .task = &task, .result_size = sizeof(int)});
        assert_int_equal(ended.end, JOB_DONE);
        assert_int_equal(ended.detail, 0);
        memcpy(&result, ended.result, sizeof(result));
        assert_int_equal(result, 42);
        assert_int_equal(task, 41);
}

static int check_zeros_and_fill(void *result, const void *task)
{
        char *bytes = result;

        for (size_t i = 0; i < JOB_RESULT_SIZE_MAX; i++)
                if (bytes[i] != 0)
                        return -EINVAL;
        for (size_t i = 0; i < JOB_RESULT_SIZE_MAX; i++)
                bytes[i] = (char)(i % 251);
        return 0;
}

static void test_the_largest_result_arrives_and_a_larger_one_is_refused(void **state)
{
        JobSpec spec = {.name = "large",
                .run = check_zeros_and_fill,
                .result_size = JOB_RESULT_SIZE_MAX,
                .deadline_usec = LATE};
        Job *job = NULL;

        run_job(spec);
        assert_int_equal(ended.end, JOB_DONE);
        for (size_t i = 0; i < JOB_RESULT_SIZE_MAX; i++)
                assert_int_equal(ended.result[i], (char)(i % 251));
        spec.result_size++;
        assert_int_equal(job_start(&job, event, &spec, on_end, &ended), -E2BIG);
        assert_null(job);
}

static int say_no(void *result, const void *task)
{
        return -EACCES;
}

static void test_a_failure_of_the_child_is_its_errno(void **state)
{
        run_job((JobSpec){.run = say_no, .result_size = sizeof(int)});
        assert_int_equal(ended.end, JOB_FAILED);
        assert_int_equal(ended.detail, EACCES);
}

static int crash(void *result, const void *task)
{
        return raise(*(const int *)task);
}

static void test_a_crash_is_reported_with_its_signal(void **state)
{
        static const int signals[] = {SIGSEGV, SIGABRT, SIGKILL, SIGTERM};

        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                ended.n_calls = 0;
                run_job((JobSpec){.run = crash, .task = &signals[i], .result_size = 1});
                assert_int_equal(ended.end, JOB_CRASHED);
                assert_int_equal(ended.detail, signals[i]);
        }
}

static int leave(void *result, const void *task)
{
        int code = *(const int *)task;

        if (code >= 0)
                _exit(code);
        return 0;
}

static void test_an_exit_without_a_result_is_a_crash(void **state)
{
        static const int codes[] = {0, 3};

        for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
                ended.n_calls = 0;
                run_job((JobSpec){.run = leave, .task = &codes[i], .result_size = 1});
                assert_int_equal(ended.end, JOB_CRASHED);
                assert_int_equal(ended.detail, 0);
        }
}

static void test_a_crash_after_a_complete_result_is_a_crash(void **state)
{
        int task = 1;

        crash_when_sent = true;
        run_job((JobSpec){.run = add_one, .task = &task, .result_size = sizeof(int)});
        crash_when_sent = false;
        assert_int_equal(ended.end, JOB_CRASHED);
        assert_int_equal(ended.detail, SIGKILL);
}

static void test_an_incomplete_result_is_a_crash(void **state)
{
        int task = 1;

        cut_when_sent = true;
        run_job((JobSpec){.run = add_one, .task = &task, .result_size = sizeof(int)});
        cut_when_sent = false;
        assert_int_equal(ended.end, JOB_CRASHED);
        assert_int_equal(ended.detail, 0);
}

static int hang(void *result, const void *task)
{
        while (pause() < 0)
                ; /* for ever */
        return 0;
}

static void test_a_child_over_its_deadline_is_killed(void **state)
{
        uint64_t before = clock_boottime_usec();

        run_job((JobSpec){.run = hang, .result_size = 1, .deadline_usec = 30 * USEC_PER_MSEC});
        assert_int_equal(ended.end, JOB_TIMED_OUT);
        assert_true(clock_boottime_usec() - before >= 30 * USEC_PER_MSEC);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

/* Returns false if the child has ended and is reaped. */
static bool exists(pid_t pid)
{
        return kill(pid, 0) == 0;
}

static void run_until_reaped(pid_t pid)
{
        uint64_t limit = clock_boottime_usec() + LATE / 2; /* the alarm is not the cause */

        while (exists(pid) && clock_boottime_usec() < limit)
                assert_true(sd_event_run(event, 10 * USEC_PER_MSEC) >= 0);
        assert_false(exists(pid));
        assert_int_equal(ended.n_calls, 0);
}

/* The end of a traced process is not reported to its parent before its tracer has waited for it: as
 * if it could not be killed. Returns the tracer, or 0 where processes cannot be traced. */
static pid_t trace(pid_t pid)
{
        int pipe_fds[2];
        char traced = 0;
        pid_t tracer;

        assert_int_equal(pipe(pipe_fds), 0);
        tracer = fork();
        if (tracer == 0) {
                traced = ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0;
                (void)write(pipe_fds[1], &traced, 1);
                (void)pause();
        }
        assert_int_equal(read(pipe_fds[0], &traced, 1), 1);
        assert_int_equal(close(pipe_fds[0]) + close(pipe_fds[1]), 0);
        if (traced)
                return tracer;
        assert_int_equal(kill(tracer, SIGKILL), 0);
        assert_int_equal(waitpid(tracer, NULL, 0), tracer);
        return 0;
}

static void end_tracer(pid_t tracer)
{
        assert_int_equal(kill(tracer, SIGKILL), 0);
        assert_int_equal(waitpid(tracer, NULL, 0), tracer);
}

/* The emulation of another processor has no ptrace(2). */
static void skip_without_tracing(void)
{
        pid_t child = fork(), tracer;

        if (child == 0)
                (void)pause();
        tracer = trace(child);
        assert_int_equal(kill(child, SIGKILL), 0);
        if (tracer != 0)
                end_tracer(tracer);
        assert_int_equal(waitpid(child, NULL, 0), child);
        if (tracer == 0)
                skip();
}

/* Starts a job whose child cannot be killed before end_tracer(). Returns the tracer. */
static pid_t start_traced(Job **ret, uint64_t deadline_usec)
{
        JobSpec spec = {.name = "stuck", .run = hang, .deadline_usec = deadline_usec};

        skip_without_tracing();
        assert_int_equal(job_start(ret, event, &spec, on_end, &ended), 0);
        return trace(job_pid(*ret));
}

static void test_a_killed_child_that_does_not_end_is_stuck_and_later_timed_out(void **state)
{
        uint64_t begin = clock_boottime_usec(), deadline = 30 * USEC_PER_MSEC;
        Job *job = NULL;
        pid_t tracer = start_traced(&job, deadline);

        run_until_ended(&ended);
        assert_int_equal(ended.end, JOB_STUCK);
        assert_true(clock_boottime_usec() - begin >= deadline + JOB_STUCK_USEC);
        end_tracer(tracer);
        ended.n_calls = 0;
        run_until_ended(&ended);
        assert_int_equal(ended.end, JOB_TIMED_OUT);
        job_free(job);
}

static void test_freeing_a_job_kills_its_child_and_the_loop_reaps_it(void **state)
{
        JobSpec spec = {.name = "freed", .run = hang, .deadline_usec = LATE};
        Job *job = NULL;
        pid_t pid;

        assert_int_equal(job_start(&job, event, &spec, on_end, &ended), 0);
        pid = job_pid(job);
        assert_true(exists(pid));
        assert_null(job_free(job));
        run_until_reaped(pid);
        assert_null(job_free(NULL));
}

static void test_freeing_a_job_does_not_wait_for_a_child_that_cannot_be_killed(void **state)
{
        Job *job = NULL;
        pid_t tracer = start_traced(&job, USEC_NEVER), pid = job_pid(job);

        job_free(job);
        assert_true(exists(pid));
        end_tracer(tracer);
        run_until_reaped(pid);
}

static void test_reaping_ends_with_the_last_child(void **state)
{
        JobSpec spec = {.name = "reaped", .run = hang, .deadline_usec = USEC_NEVER};
        Job *jobs[3] = {NULL};
        uint64_t begin = clock_boottime_usec();

        for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++)
                assert_int_equal(job_start(&jobs[i], event, &spec, on_end, &ended), 0);
        for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++)
                job_free(jobs[i]);
        job_reap(LATE);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
        assert_true(clock_boottime_usec() - begin < LATE);
}

static void test_reaping_ends_at_its_limit(void **state)
{
        Job *job = NULL;
        pid_t tracer = start_traced(&job, USEC_NEVER), pid = job_pid(job);
        uint64_t begin;

        job_free(job);
        begin = clock_boottime_usec();
        job_reap(30 * USEC_PER_MSEC);
        assert_true(clock_boottime_usec() - begin >= 30 * USEC_PER_MSEC);
        assert_true(exists(pid));
        assert_int_equal(kill(tracer, SIGKILL), 0);
        job_reap(LATE);
        assert_false(exists(pid));
}

static void test_a_killed_child_without_a_deadline_is_a_crash(void **state)
{
        JobSpec spec = {.name = "killed", .run = hang, .deadline_usec = USEC_NEVER};
        Job *job = NULL;

        assert_int_equal(job_start(&job, event, &spec, on_end, &ended), 0);
        job_kill(job);
        run_until_ended(&ended);
        assert_int_equal(ended.end, JOB_CRASHED);
        assert_int_equal(ended.detail, SIGKILL);
        job_free(job);
}

static void free_at_end(Job *job, JobResult end, int detail, const void *result, void *userdata)
{
        on_end(job, end, detail, result, userdata);
        job_free(job);
}

static void test_the_handler_may_free_the_job(void **state)
{
        int task = 1;
        JobSpec spec = {.name = "own end",
                .run = add_one,
                .task = &task,
                .result_size = sizeof(int),
                .deadline_usec = LATE};
        Job *job = NULL;

        ended.result_size = sizeof(int);
        assert_int_equal(job_start(&job, event, &spec, free_at_end, &ended), 0);
        run_until_ended(&ended);
        assert_int_equal(ended.end, JOB_DONE);
}

static void test_concurrent_jobs_keep_their_own_results(void **state)
{
        static Ended each[8];
        int tasks[ARRAY_SIZE(each)];
        Job *jobs[ARRAY_SIZE(each)] = {NULL};

        for (int i = 0; i < (int)ARRAY_SIZE(each); i++) {
                JobSpec spec = {.name = "one of many",
                        .run = add_one,
                        .task = &tasks[i],
                        .result_size = sizeof(int),
                        .deadline_usec = LATE};

                tasks[i] = 10 * i;
                each[i] = (Ended){.result_size = sizeof(int)};
                assert_int_equal(job_start(&jobs[i], event, &spec, on_end, &each[i]), 0);
        }
        for (int i = 0; i < (int)ARRAY_SIZE(each); i++) {
                int result;

                run_until_ended(&each[i]);
                assert_int_equal(each[i].end, JOB_DONE);
                memcpy(&result, each[i].result, sizeof(result));
                assert_int_equal(result, 10 * i + 1);
                job_free(jobs[i]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                job_test(test_the_result_is_passed_to_the_handler),
                job_test(test_the_largest_result_arrives_and_a_larger_one_is_refused),
                job_test(test_a_failure_of_the_child_is_its_errno),
                job_test(test_a_crash_is_reported_with_its_signal),
                job_test(test_an_exit_without_a_result_is_a_crash),
                job_test(test_a_crash_after_a_complete_result_is_a_crash),
                job_test(test_an_incomplete_result_is_a_crash),
                job_test(test_a_child_over_its_deadline_is_killed),
                job_test(test_a_killed_child_that_does_not_end_is_stuck_and_later_timed_out),
                job_test(test_freeing_a_job_kills_its_child_and_the_loop_reaps_it),
                job_test(test_freeing_a_job_does_not_wait_for_a_child_that_cannot_be_killed),
                job_test(test_reaping_ends_with_the_last_child),
                job_test(test_reaping_ends_at_its_limit),
                job_test(test_a_killed_child_without_a_deadline_is_a_crash),
                job_test(test_the_handler_may_free_the_job),
                job_test(test_concurrent_jobs_keep_their_own_results),
        };

        return cmocka_run_group_tests(tests, block_child_signal, NULL);
}
