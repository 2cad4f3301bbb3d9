#include "tests/unit/manager/material-fixture.h"

#include "tests/unit/test.h"

#include <fcntl.h>
#include <time.h>

#include "common/text.h"

MaterialFixture fixture;

uint64_t clock_boottime_usec(void)
{
        return fixture.now;
}

uint64_t clock_wall_usec(void)
{
        return fixture.wall;
}

void fixture_pass(uint64_t usec)
{
        fixture.now += usec;
        fixture.wall += usec;
}

int inspect_job_start(InspectJob **ret, sd_event *event, const MaterialConfig *config,
        uint64_t now_usec, const InspectJobHandlers *handlers)
{
        assert_string_equal(config->name, "default");
        assert_int_equal(now_usec, fixture.wall);
        assert_false(fixture.job.running);
        if (fixture.start_error < 0)
                return fixture.start_error;
        fixture.n_inspections++;
        fixture.job = (InspectJob){.handlers = *handlers, .running = true};
        *ret = &fixture.job;
        return 0;
}

InspectJob *inspect_job_free(InspectJob *job)
{
        if (job)
                job->running = false;
        return NULL;
}

int watch_job_new(WatchJob **ret, sd_event *event, const MaterialConfig *config, watch_job_fn fn,
        void *userdata)
{
        fixture.watch = (WatchJob){.fn = fn, .userdata = userdata};
        *ret = &fixture.watch;
        return 0;
}

WatchJob *watch_job_free(WatchJob *job)
{
        return NULL;
}

const WatchStatus *watch_job_status(const WatchJob *job)
{
        return &job->status;
}

const WatchProcessStatus *watch_job_process_status(const WatchJob *job)
{
        return &job->process;
}

void watch_job_request_read(WatchJob *job)
{
        job->n_requests++;
}

int sd_event_add_time(sd_event *event, sd_event_source **ret, clockid_t clock, uint64_t usec,
        uint64_t accuracy, sd_event_time_handler_t fn, void *userdata)
{
        assert_int_equal(clock, CLOCK_BOOTTIME);
        fixture.timer_fn = fn;
        *ret = NULL;
        return 0;
}

int sd_event_source_set_time(sd_event_source *source, uint64_t usec)
{
        fixture.timer_usec = usec;
        return 0;
}

int sd_event_source_set_enabled(sd_event_source *source, int enabled)
{
        if (enabled == SD_EVENT_OFF)
                fixture.timer_usec = 0;
        return 0;
}

static void on_changed(Material *material, void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        fixture.n_changes++;
}

int fixture_make(void **state)
{
        MaterialConfig config = {.name = "default", .settle_limit_usec = SETTLE_LIMIT};

        fixture =
                (MaterialFixture){.now = USEC_PER_DAY, .wall = UINT64_C(1800000000) * USEC_PER_SEC};
        if (material_new(&fixture.material, NULL, &config, on_changed, &fixture) < 0)
                return -1;
        fixture.status = material_status(fixture.material);
        fixture_notify(WATCH_JOB_READ);
        return 0;
}

int fixture_done(void **state)
{
        fixture.material = material_free(fixture.material);
        return fixture.job.running ? -1 : 0;
}

Report fixture_report(const char *fingerprint)
{
        Report report = {.has_certificate = true,
                .certificate = {.not_before_usec = fixture.wall - USEC_PER_DAY,
                        .not_after_usec = fixture.wall + 30 * USEC_PER_DAY}};

        text_set(report.fingerprint, sizeof(report.fingerprint), fingerprint);
        return report;
}

Report fixture_failed_report(void)
{
        Report report = {0};

        report_add(&report, MATERIAL_KEY, RULE_KEY_MISMATCH, SEVERITY_ERROR, "another key");
        return report;
}

int fixture_deliver(const Report *report)
{
        InspectResult result = {.report = report,
                .payload_fd = report->failed || report->files_changed
                        ? -1
                        : open("/dev/null", O_RDONLY | O_CLOEXEC)};

        fixture_end(&result);
        return result.payload_fd;
}

int fixture_deliver_set(const char *fingerprint)
{
        Report report = fixture_report(fingerprint);

        return fixture_deliver(&report);
}

void fixture_notify(WatchJobEvent event)
{
        fixture.watch.fn(event, fixture.watch.userdata);
}

void fixture_expect_no_set(void)
{
        assert_null(material_set(fixture.material));
}

void fixture_end(const InspectResult *result)
{
        assert_true(fixture.job.running);
        fixture.job.handlers.ended(result, fixture.job.handlers.userdata);
}

void fixture_review(void)
{
        fixture.timer_fn(NULL, fixture.now, fixture.material);
}
