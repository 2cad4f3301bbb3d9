/*
 * This program replaces watcher_run(): the watch processes do what a test says.
 */

#include "tests/unit/test.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/watch/watch-job.h"
#include "daemon/watch/watcher.h"

#define LATE (20 * USEC_PER_SEC)

typedef enum Fault {
        NONE,
        CRASH,
        FAIL,
        EXIT,
        CLOSE,
        INVALID,
        SHORT,
        LONG,
        FLOOD,
} Fault;

static const MaterialConfig config = {
        .name = "default", .poll_interval_usec = USEC_PER_HOUR, .settle_usec = USEC_PER_MSEC};

static Fault faults[8]; /* of the first processes; the rest have none */
static unsigned n_started, n_read, n_unchanged, n_status;
static sd_event *event;
static WatchJob *job;

static void send_report(const WatcherTask *task, const WatchReport *report, size_t size)
{
        char data[sizeof(*report) + 1] = {0};

        memcpy(data, report, sizeof(*report));
        (void)send(task->fd, data, size, MSG_NOSIGNAL);
}

static void serve(const WatcherTask *task, WatchReport *report)
{
        char request;

        while (recv(task->fd, &request, 1, 0) > 0) {
                report->event = request == 'r' ? WATCH_READ : WATCH_UNCHANGED;
                send_report(task, report, sizeof(*report));
        }
}

int watcher_run(const WatcherTask *task)
{
        WatchReport report = {.event = WATCH_READ, .due_usec = clock_boottime_usec()};
        Fault fault = n_started < ARRAY_SIZE(faults) ? faults[n_started] : NONE;

        text_format(report.status.watch, sizeof(report.status.watch), "after %s",
                task->last ? task->last->status.watch : "nothing");
        report.status.watching = true;
        report.due_usec += watch_report_interval_usec(task->config);
        switch (fault) {
        case NONE:
                send_report(task, &report, sizeof(report));
                serve(task, &report);
                return 0;
        case CRASH:
                (void)raise(SIGSEGV);
                break;
        case FAIL:
                return -EMFILE;
        case EXIT:
                _exit(0);
        case CLOSE:
                (void)close(task->fd);
                break;
        case INVALID:
                report.event = _WATCH_EVENT_MAX;
                send_report(task, &report, sizeof(report));
                break;
        case SHORT:
                send_report(task, &report, sizeof(report) - 1);
                break;
        case LONG:
                send_report(task, &report, sizeof(report) + 1);
                break;
        case FLOOD:
                for (;;)
                        send_report(task, &report, sizeof(report));
        }
        for (;;)
                (void)pause();
}

/* The stand-in knows by this which process it is: the parent counts before the fork. */
static void on_event(WatchJobEvent one, void *userdata)
{
        switch (one) {
        case WATCH_JOB_READ:
                n_read++;
                break;
        case WATCH_JOB_UNCHANGED:
                n_unchanged++;
                break;
        case WATCH_JOB_STATUS:
                n_status++;
                n_started = watch_job_process_status(job)->restarts;
                break;
        }
}

static int make(void **state)
{
        memset(faults, 0, sizeof(faults));
        n_started = n_read = n_unchanged = n_status = 0;
        return sd_event_new(&event) < 0 ? -1 : 0;
}

/* The first processes have these faults. */
static void start(Fault first, Fault second)
{
        faults[0] = first;
        faults[1] = second;
        assert_int_equal(watch_job_new(&job, event, &config, on_event, NULL), 0);
}

static int done(void **state)
{
        job = watch_job_free(job);
        while (waitpid(-1, NULL, WNOHANG) >= 0)
                (void)sd_event_run(event, 10 * USEC_PER_MSEC);
        event = sd_event_unref(event);
        return 0;
}

static int block_child_signal(void **state)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        return sigprocmask(SIG_BLOCK, &set, NULL);
}

#define job_test(test) cmocka_unit_test_setup_teardown(test, make, done)

static void run_until(const unsigned *counter, unsigned n)
{
        uint64_t limit = clock_boottime_usec() + LATE;

        while (*counter < n && clock_boottime_usec() < limit)
                assert_true(sd_event_run(event, LATE) >= 0);
        assert_true(*counter >= n);
}

static void test_the_first_report_makes_the_caller_read(void **state)
{
        start(NONE, NONE);
        assert_int_equal(watch_job_status(job)->checked_at_usec, 0);
        run_until(&n_read, 1);
        assert_string_equal(watch_job_status(job)->watch, "after nothing");
        assert_int_equal(watch_job_process_status(job)->restarts, 0);
        assert_true(watch_job_process_status(job)->deadline_usec >
                clock_boottime_usec() + config.poll_interval_usec / 2);
        assert_int_equal(n_status, 0);
}

static void test_a_requested_read_is_passed_on(void **state)
{
        start(NONE, NONE);
        run_until(&n_read, 1);
        watch_job_request_read(job);
        run_until(&n_read, 2);
        assert_int_equal(n_unchanged, 0);
}

/* Returns the text of the end of a process that has this fault; its successor has none. */
static const char *replaced_after(Fault fault)
{
        start(fault, NONE);
        run_until(&n_status, 1);
        run_until(&n_read, 1);
        assert_int_equal(watch_job_process_status(job)->restarts, 1);
        return watch_job_process_status(job)->end;
}

static void test_a_process_that_crashes_is_replaced(void **state)
{
        assert_string_equal(replaced_after(CRASH), "was terminated by signal 11");
}

static void test_a_process_that_fails_is_replaced(void **state)
{
        assert_string_equal(replaced_after(FAIL), "failed: Too many open files");
}

static void test_a_process_that_exits_is_replaced(void **state)
{
        assert_string_equal(replaced_after(EXIT), "exited");
}

static void test_a_process_that_closes_its_socket_is_replaced(void **state)
{
        assert_string_equal(replaced_after(CLOSE), "was terminated by signal 9");
}

static void test_a_process_that_sends_nonsense_is_replaced(void **state)
{
        assert_string_equal(replaced_after(INVALID), "sent an invalid report");
}

static void test_a_process_that_sends_too_little_is_replaced(void **state)
{
        assert_string_equal(replaced_after(SHORT), "sent an invalid report");
}

static void test_a_process_that_sends_too_much_at_once_is_replaced(void **state)
{
        assert_string_equal(replaced_after(LONG), "sent an invalid report");
}

static void test_a_process_that_floods_its_socket_is_replaced(void **state)
{
        start(FLOOD, NONE);
        run_until(&n_status, 1);
        assert_true(n_read <= WATCH_JOB_REPORTS_PER_SEC);
        assert_string_equal(watch_job_process_status(job)->end, "sent too many reports");
        n_read = 0;
        run_until(&n_read, 1);
}

static void test_the_successor_has_what_was_known(void **state)
{
        start(NONE, NONE);
        run_until(&n_read, 1);
        watch_job_request_read(job);
        run_until(&n_read, 2);
        assert_int_equal(kill(watch_job_pid(job), SIGKILL), 0);
        run_until(&n_read, 3);
        assert_string_equal(watch_job_process_status(job)->end, "was terminated by signal 9");
        assert_string_equal(watch_job_status(job)->watch, "after after nothing");
}

static void test_a_process_that_ends_again_is_started_later(void **state)
{
        uint64_t begin;

        start(EXIT, EXIT);
        run_until(&n_status, 2);
        begin = clock_boottime_usec();
        assert_false(watch_job_status(job)->watching);
        assert_string_equal(watch_job_status(job)->watch, "none (the watch process exited)");
        assert_int_equal(watch_job_process_status(job)->deadline_usec, USEC_NEVER);
        run_until(&n_read, 1);
        assert_true(clock_boottime_usec() - begin >= USEC_PER_SEC / 2);
        assert_true(watch_job_status(job)->watching);
}

static void test_freeing_the_job_ends_its_process(void **state)
{
        pid_t pid;

        start(NONE, NONE);
        run_until(&n_read, 1);
        pid = watch_job_pid(job);
        job = watch_job_free(job);
        while (kill(pid, 0) == 0)
                assert_true(sd_event_run(event, LATE) > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                job_test(test_the_first_report_makes_the_caller_read),
                job_test(test_a_requested_read_is_passed_on),
                job_test(test_a_process_that_crashes_is_replaced),
                job_test(test_a_process_that_fails_is_replaced),
                job_test(test_a_process_that_exits_is_replaced),
                job_test(test_a_process_that_closes_its_socket_is_replaced),
                job_test(test_a_process_that_sends_nonsense_is_replaced),
                job_test(test_a_process_that_sends_too_little_is_replaced),
                job_test(test_a_process_that_sends_too_much_at_once_is_replaced),
                job_test(test_a_process_that_floods_its_socket_is_replaced),
                job_test(test_the_successor_has_what_was_known),
                job_test(test_a_process_that_ends_again_is_started_later),
                job_test(test_freeing_the_job_ends_its_process),
        };

        return cmocka_run_group_tests(tests, block_child_signal, NULL);
}
