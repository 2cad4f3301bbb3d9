/*
 * Requests of a child, and the answers of the manager's handler. What the child was answered is its
 * result.
 */

#include "tests/unit/test.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/job.h"

#define LATE (20 * USEC_PER_SEC)

typedef struct Request {
        int number;
        char text[1000];
} Request;

/* The handler answers request N with answers[N - 1]. */
typedef struct Asked {
        sd_event *event;
        Job *job;
        Request requests[4];
        unsigned n_requests;
        int answers[4];
        JobResult end;
        int results[4];
        int detail;
        bool ended;
} Asked;

static Asked asked;
static JobLink job_link = {.fd = -1};

static int make(void **state)
{
        sigset_t set;

        asked = (Asked){.end = _JOB_RESULT_MAX};
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 || sd_event_new(&asked.event) < 0 ? -1 : 0;
}

static int done(void **state)
{
        job_free(asked.job);
        sd_event_unref(asked.event);
        return job_link.fd == -1 ? 0 : -1; /* only the child's copy was changed */
}

static int answer(const void *request, void *userdata)
{
        assert_ptr_equal(userdata, &asked);
        memcpy(&asked.requests[asked.n_requests], request, sizeof(Request));
        return asked.answers[asked.n_requests++];
}

static void on_end(Job *job, JobResult end, int detail, const void *result, void *userdata)
{
        asked.ended = true;
        asked.end = end;
        asked.detail = detail;
        if (result)
                memcpy(asked.results, result, sizeof(asked.results));
}

static void start(int (*run)(void *result, const void *task), job_answer_fn fn, uint64_t deadline)
{
        JobSpec spec = {.name = "test-request",
                .run = run,
                .result_size = sizeof(asked.results),
                .deadline_usec = deadline,
                .link = &job_link,
                .request_size = sizeof(Request),
                .answer = fn};

        assert_int_equal(job_start(&asked.job, asked.event, &spec, on_end, &asked), 0);
}

static void run_until_ended(void)
{
        uint64_t limit = clock_boottime_usec() + LATE;

        while (!asked.ended && clock_boottime_usec() < limit)
                assert_true(sd_event_run(asked.event, LATE) >= 0);
        assert_true(asked.ended);
}

static int ask(int number, uint64_t usec)
{
        Request request = {.number = number, .text = "a request"};

        return job_ask(&job_link, &request, sizeof(request), clock_boottime_usec() + usec);
}

static int ask_three_times(void *result, const void *task)
{
        int *results = result;

        for (int i = 0; i < 3; i++)
                results[i] = ask(i + 1, LATE);
        return 0;
}

static void test_each_request_has_the_answer_of_the_handler(void **state)
{
        asked.answers[1] = -ENOSPC;
        start(ask_three_times, answer, LATE);
        run_until_ended();
        assert_int_equal(asked.end, JOB_DONE);
        assert_int_equal(asked.n_requests, 3);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(asked.requests[i].number, i + 1);
                assert_string_equal(asked.requests[i].text, "a request");
                assert_int_equal(asked.results[i], asked.answers[i]);
        }
}

static int ask_nothing(void *result, const void *task)
{
        ((int *)result)[0] = 7;
        return 0;
}

static void test_a_child_that_may_ask_need_not(void **state)
{
        start(ask_nothing, answer, LATE);
        run_until_ended();
        assert_int_equal(asked.end, JOB_DONE);
        assert_int_equal(asked.results[0], 7);
        assert_int_equal(asked.n_requests, 0);
}

static int close_and_wait(void *result, const void *task)
{
        (void)close(job_link.fd);
        clock_sleep_usec(50 * USEC_PER_MSEC);
        return 0;
}

static void test_a_child_that_closes_its_end_is_no_busy_loop(void **state)
{
        unsigned n = 0;

        start(close_and_wait, answer, LATE);
        for (; !asked.ended; n++)
                assert_true(sd_event_run(asked.event, LATE) >= 0);
        assert_in_range(n, 1, 5);
        assert_int_equal(asked.end, JOB_DONE);
}

static int ask_without_an_answer(void *result, const void *task)
{
        int *results = result;

        results[0] = ask(1, 20 * USEC_PER_MSEC);
        results[1] = ask(2, LATE);
        return 0;
}

static int wait_for_child(const void *request, void *userdata)
{
        asked.n_requests++;
        /* The child ends meanwhile; WNOWAIT leaves it to the job. */
        assert_int_equal(
                waitid(P_PID, (id_t)job_pid(asked.job), &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
        return 0;
}

static void test_a_child_does_not_wait_longer_than_its_deadline(void **state)
{
        start(ask_without_an_answer, wait_for_child, LATE);
        run_until_ended();
        assert_int_equal(asked.end, JOB_DONE);
        assert_int_equal(asked.results[0], -ETIMEDOUT);
        assert_int_equal(asked.results[1], -EBADF);
        assert_int_equal(asked.n_requests, 1);
}

static int ask_too_little(void *result, const void *task)
{
        ((int *)result)[0] = job_ask(&job_link, "x", 1, clock_boottime_usec() + LATE);
        return 0;
}

static void test_a_request_of_another_size_is_refused(void **state)
{
        start(ask_too_little, answer, LATE);
        run_until_ended();
        assert_int_equal(asked.results[0], -EBADMSG);
        assert_int_equal(asked.n_requests, 0);
}

static int die_in_the_request(void *result, const void *task)
{
        Request request = {.number = 1};

        (void)alarm(0);
        if (write(job_link.fd, &request, sizeof(request)) == sizeof(request))
                (void)raise(SIGKILL);
        return 0;
}

static void test_a_child_that_dies_while_it_asks_is_a_crash(void **state)
{
        start(die_in_the_request, answer, LATE);
        run_until_ended();
        assert_int_equal(asked.end, JOB_CRASHED);
        assert_int_equal(asked.detail, SIGKILL);
}

static void test_a_request_without_a_manager_fails(void **state)
{
        int pair[2];
        JobLink orphan;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
        orphan.fd = pair[0];
        (void)close(pair[1]);
        assert_int_equal(job_ask(&orphan, "x", 1, clock_boottime_usec() + LATE), -ECONNRESET);
        assert_int_equal(orphan.fd, -1);
}

static void test_a_larger_request_than_the_limit_is_refused(void **state)
{
        JobSpec spec = {.name = "large",
                .run = ask_nothing,
                .link = &job_link,
                .request_size = JOB_RESULT_SIZE_MAX + 1,
                .answer = answer};

        assert_int_equal(job_start(&asked.job, asked.event, &spec, on_end, &asked), -E2BIG);
}

#define request_test(test) cmocka_unit_test_setup_teardown(test, make, done)

int main(void)
{
        const struct CMUnitTest tests[] = {
                request_test(test_each_request_has_the_answer_of_the_handler),
                request_test(test_a_child_that_may_ask_need_not),
                request_test(test_a_child_that_closes_its_end_is_no_busy_loop),
                request_test(test_a_child_does_not_wait_longer_than_its_deadline),
                request_test(test_a_request_of_another_size_is_refused),
                request_test(test_a_child_that_dies_while_it_asks_is_a_crash),
                request_test(test_a_request_without_a_manager_fails),
                request_test(test_a_larger_request_than_the_limit_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
