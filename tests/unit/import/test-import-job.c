/* The importer is replaced: it sends what a test has prepared. */

#include "tests/unit/test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

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

/* Of the handlers. */
static sd_event *event;
static Outcome ended;
static unsigned n_stops;

/* An answer to the request becomes the number of the outcome. */
int importer_run(Outcome *ret, const ImportTask *task)
{
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
        const ImportTask task = {.action = IMPORT_ACTION_IMPORT,
                .cluster = &cluster,
                .payload_fd = -1,
                .timeout_usec = 60 * USEC_PER_SEC};
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
                cmocka_unit_test_setup(test_a_stop_is_passed_on, reset),
                cmocka_unit_test_setup(test_an_invalid_stop_is_refused, reset),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
