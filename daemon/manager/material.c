#include "daemon/manager/material.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/inspect/inspect-job.h"
#include "daemon/watch/watch-job.h"

/* To the next inspection after one that the file system did not answer. */
#define MATERIAL_READ_RETRY_USEC (30 * USEC_PER_SEC)

/* To the next inspection after one that failed itself, as for want of memory. */
#define MATERIAL_REPEAT_USEC (5 * USEC_PER_SEC)

struct Material {
        MaterialConfig config;
        sd_event *event;
        material_changed_fn fn;
        void *userdata;
        MaterialStatus status;
        Report report;
        WatchJob *watch;
        sd_event_source *review_timer; /* set to when time alone changes the state */
        InspectJob *job;
        bool inspect_again; /* a read was requested while the inspector runs */
        bool not_read;      /* the last inspection read nothing: the file system did not answer */
        uint64_t unread_since_at_usec; /* wall clock of its start; 0: files can be read */
        uint64_t inspected_usec, inspected_at_usec; /* start of the last inspection, both clocks */
        uint64_t failing_usec; /* start of the first inspection with these errors; 0: none */
        SealedSet *set;        /* good, and on disk; NULL: none */
};

static void release_set(Material *material)
{
        material->set = sealed_set_unref(material->set);
}

/* Sets the timer to the earliest of the end of settle-limit, the next boundary of a certificate,
 * and the next try to read. The poll evaluates the times as well: it notices a step of the wall
 * clock, and a boundary more than a day away is left to it. */
static void schedule_review(Material *material)
{
        const MaterialStatus *status = &material->status;
        uint64_t now = clock_boottime_usec(), wall = clock_wall_usec();
        uint64_t boundary = material->report.next_boundary_usec;
        uint64_t at = USEC_NEVER;

        if (status->state == MATERIAL_STATE_CHANGING)
                at = material->failing_usec + status->config->settle_limit_usec;
        if (boundary > wall && boundary - wall < USEC_PER_DAY && now + (boundary - wall) < at)
                at = now + (boundary - wall);
        if (material->not_read && now + MATERIAL_READ_RETRY_USEC < at)
                at = now + MATERIAL_READ_RETRY_USEC;
        if (status->error[0] != '\0' && now + MATERIAL_REPEAT_USEC < at)
                at = now + MATERIAL_REPEAT_USEC;
        (void)sd_event_source_set_time(material->review_timer, at < now ? now : at);
        (void)sd_event_source_set_enabled(
                material->review_timer, at == USEC_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

/* To the watch process, or to the inspector: since the earlier of both. */
static void update_not_responding(Material *material)
{
        uint64_t watch = watch_job_process_status(material->watch)->not_responding_since_at_usec;
        uint64_t unread = material->unread_since_at_usec;

        material->status.not_responding_since_at_usec =
                watch == 0 || (unread > 0 && unread < watch) ? unread : watch;
}

static void update_state(Material *material)
{
        MaterialStatus *status = &material->status;
        uint64_t age = clock_boottime_usec() - material->failing_usec;
        MaterialState state;

        state = report_material_state(&material->report, age, status->config->settle_limit_usec);
        if (status->error[0] != '\0')
                state = MATERIAL_STATE_INVALID;
        if (!status->inspected || state != status->state)
                status->since_usec = clock_boottime_usec();
        status->inspected = true;
        status->state = state;
        if (!material_state_is_good(state))
                release_set(material);
        schedule_review(material);
        material->fn(material, material->userdata);
}

/* Of the set that the report describes. */
static void take_set(Material *material, int payload_fd)
{
        const Report *report = &material->report;
        MaterialStatus *status = &material->status;
        SetInfo info = {.not_before_usec = report->certificate.not_before_usec,
                .not_after_usec = report->certificate.not_after_usec};
        int r;

        if (payload_fd < 0)
                return;
        text_set(info.fingerprint, sizeof(info.fingerprint), report->fingerprint);
        text_set(info.legacy_fingerprint, sizeof(info.legacy_fingerprint),
                report->legacy_fingerprint);
        r = sealed_set_new(&material->set, &info, payload_fd);
        if (r < 0)
                text_format(status->error, sizeof(status->error), "the set cannot be kept: %s",
                        strerror(-r));
}

static void inspect(Material *material);

static void on_not_responding(void *userdata)
{
        Material *material = userdata;

        if (material->unread_since_at_usec == 0)
                material->unread_since_at_usec = material->inspected_at_usec;
        update_not_responding(material);
        material->fn(material, material->userdata);
}

/* The state stays. A read that was requested meanwhile is made at once: the process could end,
 * so the file system may answer again. */
static void on_not_read(Material *material)
{
        schedule_review(material);
        if (material->inspect_again)
                inspect(material);
}

/* A set with errors is as old as they are: somebody who touches it does not make it younger. */
static void take_report(Material *material, const Report *report)
{
        const Report *before = &material->report;
        bool failed = report->failed || report->files_changed;

        if (!failed)
                material->failing_usec = 0;
        else if (material->failing_usec == 0 ||
                (before->failed && report->failed && !report_has_errors_of(report, before)))
                material->failing_usec = material->inspected_usec;
        /* The wave of another set begins with the next pass of the scheduler. */
        if (strcmp(before->fingerprint, report->fingerprint) != 0)
                material->status.wave = (WaveStatus){0};
        material->report = *report;
}

static void on_inspected(const InspectResult *result, void *userdata)
{
        Material *material = userdata;
        MaterialStatus *status = &material->status;

        material->job = inspect_job_free(material->job);
        material->not_read = result->not_read;
        if (result->not_read) {
                on_not_read(material);
                return;
        }
        material->unread_since_at_usec = 0;
        update_not_responding(material);
        text_set(status->error, sizeof(status->error), result->error);
        release_set(material);
        if (result->report)
                take_report(material, result->report);
        take_set(material, result->payload_fd);
        update_state(material);
        /* Files that changed while they were read are read again when they have settled. */
        if (material->inspect_again)
                inspect(material);
        else if (material->report.files_changed)
                watch_job_request_read(material->watch);
}

static void inspect(Material *material)
{
        const InspectJobHandlers handlers = {
                .ended = on_inspected,
                .not_responding = on_not_responding,
                .userdata = material,
        };
        int r;

        if (material->job) {
                material->inspect_again = true;
                return;
        }
        material->inspect_again = false;
        material->inspected_usec = clock_boottime_usec();
        material->inspected_at_usec = clock_wall_usec();
        r = inspect_job_start(&material->job, material->event, material->status.config,
                material->inspected_at_usec, &handlers);
        if (r < 0) {
                text_format(material->status.error, sizeof(material->status.error),
                        "the inspection could not start: %s", strerror(-r));
                release_set(material);
                update_state(material);
        }
}

/* Returns true if a rule about time may give another result now: its boundary has passed, or the
 * wall clock was set back. */
static bool state_is_stale(const Material *material)
{
        uint64_t boundary = material->report.next_boundary_usec, now = clock_wall_usec();

        return (boundary > 0 && now >= boundary) || now < material->inspected_at_usec;
}

static void review(Material *material)
{
        const MaterialStatus *status = &material->status;

        if (status->error[0] != '\0' || material->not_read || state_is_stale(material))
                inspect(material);
        else if (status->inspected && !material->job)
                update_state(material);
}

static void on_watch(WatchJobEvent event, void *userdata)
{
        Material *material = userdata;

        switch (event) {
        case WATCH_JOB_READ:
                inspect(material);
                break;
        case WATCH_JOB_UNCHANGED:
                review(material);
                break;
        case WATCH_JOB_STATUS:
                update_not_responding(material);
                material->fn(material, material->userdata);
                break;
        }
}

/* What is known stays while the file system does not answer. */
static int on_review(sd_event_source *source, uint64_t usec, void *userdata)
{
        Material *material = userdata;

        if (watch_job_process_status(material->watch)->not_responding_since_at_usec == 0)
                review(material);
        return 0;
}

static int start(Material *material)
{
        int r;

        r = watch_job_new(
                &material->watch, material->event, material->status.config, on_watch, material);
        if (r == 0)
                r = sd_event_add_time(material->event, &material->review_timer, CLOCK_BOOTTIME, 0,
                        1, on_review, material);
        if (r == 0)
                r = sd_event_source_set_enabled(material->review_timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(material->review_timer, "material-review");
        material->status.watch = watch_job_status(material->watch);
        material->status.watch_process = watch_job_process_status(material->watch);
        return 0;
}

int material_new(Material **ret, sd_event *event, const MaterialConfig *config,
        material_changed_fn fn, void *userdata)
{
        CLEANUP(material_freep) Material *material = calloc(1, sizeof(*material));
        int r;

        if (!material)
                return -ENOMEM;
        *material = (Material){
                .config = *config, .event = sd_event_ref(event), .fn = fn, .userdata = userdata};
        material->status = (MaterialStatus){.config = &material->config,
                .report = &material->report,
                .state = MATERIAL_STATE_CHANGING};
        r = start(material);
        if (r < 0)
                return r;
        *ret = TAKE(material);
        return 0;
}

Material *material_free(Material *material)
{
        if (!material)
                return NULL;
        inspect_job_free(material->job);
        sd_event_source_disable_unref(material->review_timer);
        watch_job_free(material->watch);
        release_set(material);
        sd_event_unref(material->event);
        free(material);
        return NULL;
}

void material_configure(Material *material, const MaterialConfig *config)
{
        material->config = *config;
        material->status.wave = (WaveStatus){0};
}

const MaterialStatus *material_status(const Material *material)
{
        return &material->status;
}

void material_set_wave(Material *material, const WaveStatus *wave)
{
        bool changed = !wave_status_equal(wave, &material->status.wave);

        material->status.wave = *wave;
        if (changed)
                material->fn(material, material->userdata);
}

SealedSet *material_set(const Material *material)
{
        return material->set;
}
