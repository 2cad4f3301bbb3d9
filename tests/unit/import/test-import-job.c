/* The importer is replaced: it sends what a test has prepared. */

#include "tests/unit/test.h"

#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/import/import-job.h"
#include "daemon/import/importer.h"

#define FINGERPRINT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const ClusterConfig cluster = {
        .login = {.host = "db.example", .port = 3306}, .replication = REPLICATION_RESTART};

/* Of the stand-in, which runs in the child. */
static Outcome sent;
static RecordStop stop;
static bool asks;
static int killed_by; /* 0: it sends */
static ImportAction action;
static uint64_t timeout_usec;

/* Of the handlers. */
static sd_event *event;
static Outcome ended;
static unsigned n_stops;

/* An answer to the request becomes the number of the outcome. */
int importer_run(Outcome *ret, const ImportTask *task)
{
        if (killed_by == SIGSTOP)
                (void)pause(); /* until the deadline */
        else if (killed_by > 0)
                (void)raise(killed_by);
        *ret = sent;
        if (asks)
                ret->sql_errno = (unsigned)-job_ask(
                        task->link, &stop, sizeof(stop), clock_boottime_usec() + 60 * USEC_PER_SEC);
        return 0;
}

static void on_ended(const Outcome *outcome, void *userdata)
{
        ended = *outcome;
        assert_return_code(sd_event_exit(event, 0), 0);
}

static int on_stop(const RecordStop *request, void *userdata)
{
        assert_memory_equal(request, &stop, sizeof(stop));
        n_stops++;
        return 0;
}

static void run(void)
{
        const ImportTask task = {.action = action,
                .cluster = &cluster,
                .payload_fd = -1,
                .timeout_usec = timeout_usec};
        const ImportJobHandlers handlers = {.ended = on_ended, .stop = on_stop};
        ImportJob *job = NULL;
        sigset_t mask;
        Outcome outcome;

        n_stops = 0;
        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        assert_int_equal(sigprocmask(SIG_BLOCK, &mask, NULL), 0);
        assert_return_code(sd_event_new(&event), 0);
        assert_int_equal(import_job_start(&job, event, &task, &handlers, &outcome), 0);
        assert_return_code(sd_event_loop(event), 0);
        import_job_free(job);
        event = sd_event_unref(event);
}

static int reset(void **state)
{
        sent = (Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true};
        stop = (RecordStop){
                .fingerprint = FINGERPRINT, .mode = REPLICATION_RESTART, .running = true};
        asks = false;
        killed_by = 0;
        action = IMPORT_ACTION_IMPORT;
        timeout_usec = 60 * USEC_PER_SEC;
        return 0;
}

static void test_the_outcome_of_the_importer_is_reported(void **state)
{
        run();
        assert_memory_equal(&ended, &sent, sizeof(sent));
}

static void test_an_invalid_outcome_is_a_crash_in_doubt(void **state)
{
        memset(sent.text, 'x', sizeof(sent.text));
        run();
        assert_int_equal(ended.kind, OUTCOME_CRASHED);
        assert_true(ended.effect.in_doubt && !ended.effect.committed);
        assert_string_equal(ended.text, "the importer sent an invalid result");
}

/* A deadline kills as well, and is reported as one. */
static void test_a_killed_importer_is_looked_up_in_the_journal_of_the_kernel(void **state)
{
        killed_by = SIGKILL;
        run();
        assert_int_equal(ended.kind, OUTCOME_CRASHED);
        assert_true(ended.effect.in_doubt);
        assert_string_equal(ended.text, "the importer was terminated by signal 9 without a result");
        assert_non_null(strstr(ended.next_step, "journalctl -k"));
        killed_by = SIGSEGV;
        run();
        assert_string_equal(ended.next_step, "");
}

static void test_the_limit_is_that_of_the_import_or_of_the_check(void **state)
{
        killed_by = SIGSTOP;
        timeout_usec = USEC_PER_SEC / 2;
        run();
        assert_int_equal(ended.kind, OUTCOME_TIMED_OUT);
        assert_string_equal(ended.text,
                "the import did not end within 500ms (import-timeout); its process was killed");
        action = IMPORT_ACTION_CHECK;
        run();
        assert_string_equal(
                ended.text, "the check did not end within 500ms; its process was killed");
}

static void test_an_importer_without_a_process_is_retried(void **state)
{
        const ImportTask task = {
                .action = IMPORT_ACTION_IMPORT, .cluster = &cluster, .payload_fd = -1};
        const ImportJobHandlers handlers = {.ended = on_ended};
        struct rlimit before;
        ImportJob *job = NULL;
        Outcome outcome = {0};

        assert_return_code(sd_event_new(&event), 0);
        assert_return_code(getrlimit(RLIMIT_NOFILE, &before), 0);
        assert_return_code(
                setrlimit(RLIMIT_NOFILE, &(struct rlimit){.rlim_max = before.rlim_max}), 0);
        assert_int_equal(import_job_start(&job, event, &task, &handlers, &outcome), -EMFILE);
        assert_return_code(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_null(job);
        assert_int_equal(outcome.kind, OUTCOME_CRASHED);
        assert_string_equal(outcome.text, "the importer could not be started: Too many open files");
        assert_non_null(strstr(outcome.next_step, "the import is retried"));
        event = sd_event_unref(event);
}

static void test_a_stop_is_passed_on(void **state)
{
        asks = true;
        run();
        assert_int_equal(n_stops, 1);
        assert_int_equal(ended.sql_errno, 0);
}

static void test_an_invalid_stop_is_refused(void **state)
{
        asks = true;
        stop.mode = _REPLICATION_MODE_MAX;
        run();
        assert_int_equal(n_stops, 0);
        assert_int_equal(ended.sql_errno, EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_the_outcome_of_the_importer_is_reported, reset),
                cmocka_unit_test_setup(test_an_invalid_outcome_is_a_crash_in_doubt, reset),
                cmocka_unit_test_setup(
                        test_a_killed_importer_is_looked_up_in_the_journal_of_the_kernel, reset),
                cmocka_unit_test_setup(test_the_limit_is_that_of_the_import_or_of_the_check, reset),
                cmocka_unit_test_setup(test_an_importer_without_a_process_is_retried, reset),
                cmocka_unit_test_setup(test_a_stop_is_passed_on, reset),
                cmocka_unit_test_setup(test_an_invalid_stop_is_refused, reset),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
