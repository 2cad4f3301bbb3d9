/*
 * The test program has its own inspect job, watcher, timer and clock: it delivers reports and
 * events and sets the time by hand.
 */

#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/inspect/inspect-job.h"
#include "daemon/manager/material.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define SETTLE_LIMIT (30 * USEC_PER_SEC)

static uint64_t now, wall;

uint64_t clock_boottime_usec(void)
{
        return now;
}

uint64_t clock_wall_usec(void)
{
        return wall;
}

static void pass(uint64_t usec)
{
        now += usec;
        wall += usec;
}

struct InspectJob {
        inspect_job_end_fn fn;
        void *userdata;
        bool running;
};

static InspectJob job;
static unsigned n_inspections;
static int start_error;

int inspect_job_start(InspectJob **ret, sd_event *event, const MaterialConfig *config,
        uint64_t now_usec, inspect_job_end_fn fn, void *userdata)
{
        (void)event;
        assert_string_equal(config->name, "default");
        assert_int_equal(now_usec, wall);
        assert_false(job.running);
        if (start_error < 0)
                return start_error;
        n_inspections++;
        job = (InspectJob){.fn = fn, .userdata = userdata, .running = true};
        *ret = &job;
        return 0;
}

InspectJob *inspect_job_free(InspectJob *freed)
{
        if (freed)
                freed->running = false;
        return NULL;
}

struct Watcher {
        watcher_fn fn;
        void *userdata;
        WatchStatus status;
        unsigned n_requests;
};

static Watcher watcher;

int watcher_new(
        Watcher **ret, sd_event *event, const MaterialConfig *config, watcher_fn fn, void *userdata)
{
        (void)event;
        (void)config;
        watcher = (Watcher){.fn = fn, .userdata = userdata, .status.changed_usec = now};
        *ret = &watcher;
        return 0;
}

Watcher *watcher_free(Watcher *unused)
{
        (void)unused;
        return NULL;
}

const WatchStatus *watcher_status(const Watcher *unused)
{
        return &unused->status;
}

void watcher_request_read(Watcher *requested)
{
        requested->n_requests++;
}

/* The review timer; 0: it is off. */
static uint64_t timer_usec;
static sd_event_time_handler_t timer_fn;

int sd_event_add_time(sd_event *event, sd_event_source **ret, clockid_t clock, uint64_t usec,
        uint64_t accuracy, sd_event_time_handler_t fn, void *userdata)
{
        (void)event;
        (void)usec;
        (void)accuracy;
        (void)userdata;
        assert_int_equal(clock, CLOCK_BOOTTIME);
        timer_fn = fn;
        *ret = NULL;
        return 0;
}

int sd_event_source_set_time(sd_event_source *source, uint64_t usec)
{
        (void)source;
        timer_usec = usec;
        return 0;
}

int sd_event_source_set_enabled(sd_event_source *source, int enabled)
{
        (void)source;
        if (enabled == SD_EVENT_OFF)
                timer_usec = 0;
        return 0;
}

static Material *material;
static const MaterialStatus *status;
static unsigned n_changes;

static void on_changed(Material *changed, void *userdata)
{
        (void)changed;
        assert_ptr_equal(userdata, &material);
        n_changes++;
}

/* The first inspection runs; the files changed at the start. */
static int make(void **state)
{
        MaterialConfig config = {.name = "default", .settle_limit_usec = SETTLE_LIMIT};

        (void)state;
        now = USEC_PER_DAY;
        wall = UINT64_C(1800000000) * USEC_PER_SEC;
        job = (InspectJob){0};
        n_inspections = n_changes = 0;
        start_error = 0;
        if (material_new(&material, NULL, &config, on_changed, &material) < 0)
                return -1;
        status = material_status(material);
        return 0;
}

static int done(void **state)
{
        (void)state;
        material = material_free(material);
        return job.running ? -1 : 0;
}

static Report report_of(const char *fingerprint)
{
        Report report = {.has_certificate = true,
                .certificate = {.not_before_usec = wall - USEC_PER_DAY,
                        .not_after_usec = wall + 30 * USEC_PER_DAY}};

        text_set(report.fingerprint, sizeof(report.fingerprint), fingerprint);
        return report;
}

static Report failed_report(void)
{
        Report report = {0};

        report_add(&report, MATERIAL_KEY, RULE_KEY_MISMATCH, SEVERITY_ERROR, "another key");
        return report;
}

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

/* Ends the inspection with that report; a report without a failure comes with a payload, which is
 * returned. */
static int deliver(const Report *report)
{
        InspectResult result = {.report = report,
                .payload_fd = report->failed || report->files_changed
                        ? -1
                        : open("/dev/null", O_RDONLY | O_CLOEXEC)};

        assert_true(job.running);
        job.fn(&result, job.userdata);
        return result.payload_fd;
}

static int deliver_set(const char *fingerprint)
{
        Report report = report_of(fingerprint);

        return deliver(&report);
}

static void notify(WatcherEvent event)
{
        watcher.fn(event, watcher.userdata);
}

static void expect_no_set(void)
{
        MaterialSet set = material_set(material);

        assert_string_equal(set.info.fingerprint, "");
        assert_int_equal(set.payload_fd, -1);
}

static void test_the_first_inspection_starts_at_once(void **state)
{
        (void)state;
        assert_int_equal(n_inspections, 1);
        assert_false(status->inspected);
        assert_int_equal(n_changes, 0);
        expect_no_set();
}

static void test_a_good_set_is_valid_and_has_a_payload(void **state)
{
        int fd = deliver_set(A);
        MaterialSet set = material_set(material);

        (void)state;
        assert_int_equal(status->state, MATERIAL_STATE_VALID);
        assert_int_equal(status->since_at_usec, wall);
        assert_int_equal(n_changes, 1);
        assert_string_equal(set.info.fingerprint, A);
        assert_int_equal(set.info.not_after_usec, wall + 30 * USEC_PER_DAY);
        assert_int_equal(set.payload_fd, fd);
        assert_true(is_open(fd));
}

static void test_the_payload_of_a_set_that_is_replaced_is_closed(void **state)
{
        int first = deliver_set(A), second;

        (void)state;
        notify(WATCHER_READ);
        second = deliver_set(B);
        assert_false(is_open(first));
        assert_string_equal(material_set(material).info.fingerprint, B);
        assert_int_equal(material_set(material).payload_fd, second);
}

static void test_the_payload_of_a_set_that_is_no_longer_good_is_closed(void **state)
{
        int fd = deliver_set(A);
        Report report = failed_report();

        (void)state;
        notify(WATCHER_READ);
        assert_true(is_open(fd)); /* good until the inspection has ended */
        deliver(&report);
        assert_false(is_open(fd));
        expect_no_set();
}

static void test_a_payload_that_comes_with_a_failed_set_is_closed(void **state)
{
        Report report = failed_report();
        InspectResult result = {.report = &report, .payload_fd = open("/dev/null", O_RDONLY)};

        (void)state;
        job.fn(&result, job.userdata);
        assert_false(is_open(result.payload_fd));
        expect_no_set();
}

static void test_a_failed_set_is_changing_and_after_settle_limit_invalid(void **state)
{
        Report report = failed_report();

        (void)state;
        deliver(&report);
        assert_int_equal(status->state, MATERIAL_STATE_CHANGING);
        assert_int_equal(timer_usec, now + SETTLE_LIMIT);
        pass(SETTLE_LIMIT);
        timer_fn(NULL, now, material);
        assert_int_equal(status->state, MATERIAL_STATE_INVALID);
        assert_int_equal(status->since_at_usec, wall);
        assert_int_equal(timer_usec, 0);
        assert_int_equal(n_inspections, 1);
}

static void test_files_that_change_during_the_read_are_read_again_when_settled(void **state)
{
        Report report = {.files_changed = true};

        (void)state;
        deliver(&report);
        assert_int_equal(status->state, MATERIAL_STATE_CHANGING);
        assert_int_equal(watcher.n_requests, 1);
        assert_int_equal(n_inspections, 1);
}

static void test_reads_requested_during_an_inspection_make_one_more(void **state)
{
        (void)state;
        notify(WATCHER_READ);
        notify(WATCHER_READ);
        assert_int_equal(n_inspections, 1);
        deliver_set(A);
        assert_int_equal(n_inspections, 2);
        deliver_set(A);
        assert_int_equal(n_inspections, 2);
}

static void test_a_poll_without_a_change_inspects_nothing(void **state)
{
        (void)state;
        deliver_set(A);
        pass(USEC_PER_MIN);
        notify(WATCHER_UNCHANGED);
        assert_int_equal(n_inspections, 1);
        assert_int_equal(n_changes, 2);
        assert_int_equal(status->since_at_usec, wall - USEC_PER_MIN);
}

static void test_a_poll_during_an_inspection_does_nothing(void **state)
{
        (void)state;
        notify(WATCHER_UNCHANGED);
        assert_int_equal(n_changes, 0);
        deliver_set(A);
        assert_int_equal(n_inspections, 1);
}

static void test_a_set_is_inspected_again_when_its_boundary_has_passed(void **state)
{
        Report report = report_of(A);

        (void)state;
        report.next_boundary_usec = wall + USEC_PER_HOUR;
        deliver(&report);
        assert_int_equal(timer_usec, now + USEC_PER_HOUR);
        pass(USEC_PER_HOUR - 1);
        notify(WATCHER_UNCHANGED);
        assert_int_equal(n_inspections, 1);
        pass(1);
        timer_fn(NULL, now, material);
        assert_int_equal(n_inspections, 2);
}

static void test_a_boundary_beyond_a_day_is_left_to_the_poll(void **state)
{
        Report report = report_of(A);

        (void)state;
        report.next_boundary_usec = wall + USEC_PER_DAY;
        deliver(&report);
        assert_int_equal(timer_usec, 0);
        pass(1);
        notify(WATCHER_UNCHANGED);
        assert_int_equal(timer_usec, now + USEC_PER_DAY - 1);
}

static void test_the_timer_is_for_the_earlier_of_boundary_and_settle_limit(void **state)
{
        Report report = failed_report();

        (void)state;
        report.next_boundary_usec = wall + SETTLE_LIMIT - 1;
        deliver(&report);
        assert_int_equal(timer_usec, now + SETTLE_LIMIT - 1);
        notify(WATCHER_READ);
        report.next_boundary_usec = wall + SETTLE_LIMIT + 1;
        deliver(&report);
        assert_int_equal(timer_usec, now + SETTLE_LIMIT);
}

static void test_a_clock_that_is_set_back_has_the_set_inspected_again(void **state)
{
        (void)state;
        deliver_set(A);
        wall--;
        notify(WATCHER_UNCHANGED);
        assert_int_equal(n_inspections, 2);
}

static void test_an_inspection_that_fails_is_repeated_at_the_next_poll(void **state)
{
        InspectResult result = {.payload_fd = -1, .error = "the inspector crashed"};

        (void)state;
        deliver_set(A);
        notify(WATCHER_READ);
        job.fn(&result, job.userdata);
        assert_int_equal(status->state, MATERIAL_STATE_INVALID);
        assert_string_equal(status->error, "the inspector crashed");
        expect_no_set();
        notify(WATCHER_UNCHANGED);
        assert_int_equal(n_inspections, 3);
        deliver_set(A);
        assert_int_equal(status->state, MATERIAL_STATE_VALID);
        assert_string_equal(status->error, "");
}

static void test_an_inspection_that_cannot_start_leaves_no_set(void **state)
{
        (void)state;
        deliver_set(A);
        start_error = -EAGAIN;
        notify(WATCHER_READ);
        assert_int_equal(status->state, MATERIAL_STATE_INVALID);
        assert_non_null(strstr(status->error, strerror(EAGAIN)));
        expect_no_set();
        start_error = 0;
        notify(WATCHER_UNCHANGED);
        assert_int_equal(n_inspections, 2);
}

#define material_test(test) cmocka_unit_test_setup_teardown(test, make, done)

int main(void)
{
        const struct CMUnitTest tests[] = {
                material_test(test_the_first_inspection_starts_at_once),
                material_test(test_a_good_set_is_valid_and_has_a_payload),
                material_test(test_the_payload_of_a_set_that_is_replaced_is_closed),
                material_test(test_the_payload_of_a_set_that_is_no_longer_good_is_closed),
                material_test(test_a_payload_that_comes_with_a_failed_set_is_closed),
                material_test(test_a_failed_set_is_changing_and_after_settle_limit_invalid),
                material_test(test_files_that_change_during_the_read_are_read_again_when_settled),
                material_test(test_reads_requested_during_an_inspection_make_one_more),
                material_test(test_a_poll_without_a_change_inspects_nothing),
                material_test(test_a_poll_during_an_inspection_does_nothing),
                material_test(test_a_set_is_inspected_again_when_its_boundary_has_passed),
                material_test(test_a_boundary_beyond_a_day_is_left_to_the_poll),
                material_test(test_the_timer_is_for_the_earlier_of_boundary_and_settle_limit),
                material_test(test_a_clock_that_is_set_back_has_the_set_inspected_again),
                material_test(test_an_inspection_that_fails_is_repeated_at_the_next_poll),
                material_test(test_an_inspection_that_cannot_start_leaves_no_set),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
