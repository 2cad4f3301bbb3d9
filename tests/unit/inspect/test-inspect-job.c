/* The inspector is replaced: it sends what a test has prepared, and writes a payload. */

#include "tests/unit/test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/macro.h"
#include "daemon/inspect/inspect-job.h"
#include "daemon/inspect/inspector.h"

static const MaterialConfig config = {.name = "default"};

static Report sent;      /* of the stand-in, which runs in the child */
static size_t n_written; /* bytes of the payload */
static enum { SENDS, FAILS, EXITS, DIES } end;

/* Of the handler. */
static sd_event *event;
static bool has_report;
static int payload_fd;
static char error[128];

int inspector_run(Report *ret, const InspectorTask *task)
{
        char payload[64] = {0};

        *ret = sent;
        if (end == FAILS)
                return -EIO;
        if (end == EXITS)
                _exit(0);
        if (end == DIES)
                (void)raise(SIGKILL);
        return write(task->payload_fd, payload, n_written) == (ssize_t)n_written ? 0 : -1;
}

static void on_ended(const InspectResult *result, void *userdata)
{
        has_report = result->report;
        payload_fd = result->payload_fd;
        strcpy(error, result->error ? result->error : "");
        assert_return_code(sd_event_exit(event, 0), 0);
}

static void run(void)
{
        const InspectJobHandlers handlers = {.ended = on_ended};
        InspectJob *job = NULL;
        sigset_t mask;

        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        assert_int_equal(sigprocmask(SIG_BLOCK, &mask, NULL), 0);
        assert_return_code(sd_event_new(&event), 0);
        assert_int_equal(inspect_job_start(&job, event, &config, 1, &handlers), 0);
        assert_return_code(sd_event_loop(event), 0);
        inspect_job_free(job);
        event = sd_event_unref(event);
}

static int reset(void **state)
{
        sent = (Report){.payload_size = 64};
        n_written = 64;
        end = SENDS;
        return 0;
}

static void test_a_report_comes_with_its_payload(void **state)
{
        run();
        assert_true(has_report && payload_fd >= 0);
        assert_string_equal(error, "");
        assert_int_equal(write(payload_fd, "x", 1), -1); /* sealed */
        close(payload_fd);
}

static void test_an_invalid_report_is_not_used(void **state)
{
        sent.n_problems = REPORT_PROBLEMS_MAX + 1;
        run();
        assert_false(has_report || payload_fd >= 0);
        assert_string_equal(error, "the inspector sent an invalid result");
}

static void test_a_payload_of_another_size_is_not_used(void **state)
{
        n_written = 63;
        run();
        assert_int_equal(payload_fd, -1);
        assert_non_null(strstr(error, "the inspection failed: "));
}

static void test_an_inspector_without_a_report_says_how_it_ended(void **state)
{
        static const char *const expected[] = {[FAILS] = "the inspector failed: Input/output error",
                [EXITS] = "the inspector exited",
                [DIES] = "the inspector was terminated by signal 9"};

        for (end = FAILS; end <= DIES; end++) {
                run();
                assert_false(has_report || payload_fd >= 0);
                assert_string_equal(error, expected[end]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_a_report_comes_with_its_payload, reset),
                cmocka_unit_test_setup(test_an_invalid_report_is_not_used, reset),
                cmocka_unit_test_setup(test_a_payload_of_another_size_is_not_used, reset),
                cmocka_unit_test_setup(test_an_inspector_without_a_report_says_how_it_ended, reset),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
