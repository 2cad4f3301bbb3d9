#include "daemon/material.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/inspector.h"
#include "daemon/job.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* memfd_create(2), Linux 6.3 */
#endif

#define INSPECTION_DEADLINE_USEC (30 * USEC_PER_SEC)

struct Material {
        MaterialConfig config;
        sd_event *event;
        material_changed_fn fn;
        void *userdata;
        MaterialStatus status;
        Report report;
        bool again; /* something changed while the inspector ran */
        Lookout *lookout;
        sd_event_source *review_timer; /* when the verdict changes by time alone */
        Job *job;
        InspectorTask task;
        int draft_fd;   /* the inspector writes here */
        int payload_fd; /* sealed */
};

static int draft_new(void)
{
        int fd = memfd_create(
                "binlog-ssld-payload", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

        if (fd < 0 && errno == EINVAL)
                fd = memfd_create("binlog-ssld-payload", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fd < 0 ? -errno : fd;
}

/* The inspector is gone, so nobody writes any more; from here on nobody can. */
static int draft_seal(int fd, uint64_t expected_size)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if ((uint64_t)st.st_size != expected_size || expected_size == 0)
                return -EBADMSG;
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return -errno;
        return 0;
}

static void close_fd(int *fd)
{
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
}

/* Wakes when settle-limit has passed or a certificate's time comes. The poll looks as well, so a
 * clock that is set does no harm. */
static void schedule_review(Material *material)
{
        const MaterialStatus *status = &material->status;
        uint64_t now = clock_boottime_usec(), wall = clock_wall_usec();
        uint64_t at = USEC_NEVER;

        if (status->state == MATERIAL_STATE_CHANGING)
                at = status->lookout->changed_usec + status->config->settle_limit_usec;
        if (material->report.next_boundary_usec > wall &&
                material->report.next_boundary_usec - wall < USEC_PER_DAY) {
                uint64_t boundary = now + (material->report.next_boundary_usec - wall);

                at = boundary < at ? boundary : at;
        }
        (void)sd_event_source_set_time(material->review_timer, at < now ? now : at);
        (void)sd_event_source_set_enabled(
                material->review_timer, at == USEC_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static void judge(Material *material)
{
        MaterialStatus *status = &material->status;
        uint64_t age = clock_boottime_usec() - status->lookout->changed_usec;
        MaterialState state;

        state = verdict_of(&material->report, age, status->config->settle_limit_usec);
        if (status->fault[0] != '\0')
                state = MATERIAL_STATE_INVALID;
        if (!status->inspected || state != status->state)
                status->since_at_usec = clock_wall_usec();
        status->inspected = true;
        status->state = state;
        if (!material_state_is_good(state))
                close_fd(&material->payload_fd);
        schedule_review(material);
        material->fn(material, material->userdata);
}

static void inspect(Material *material);

static void on_inspected(Job *job, JobEnd end, int detail, const void *result, void *userdata)
{
        Material *material = userdata;
        MaterialStatus *status = &material->status;
        int r = 0;

        status->fault[0] = '\0';
        close_fd(&material->payload_fd);
        if (end == JOB_DONE) {
                memcpy(&material->report, result, sizeof(material->report));
                if (material->report.payload_size > 0)
                        r = draft_seal(material->draft_fd, material->report.payload_size);
                if (r == 0 && material->report.payload_size > 0)
                        material->payload_fd = TAKE_FD(material->draft_fd);
        }
        if (end == JOB_TIMED_OUT)
                text_set(status->fault, sizeof(status->fault), "the inspection took too long");
        else if (end == JOB_CRASHED)
                text_format(status->fault, sizeof(status->fault),
                        "the inspection crashed (signal %d)", detail);
        else if (end == JOB_FAILED || r < 0)
                text_format(status->fault, sizeof(status->fault), "the inspection failed: %s",
                        strerror(end == JOB_FAILED ? detail : -r));
        close_fd(&material->draft_fd);
        material->job = job_free(job);
        judge(material);
        /* Files that never stood still are read again after another silence. */
        if (material->again)
                inspect(material);
        else if (material->report.moving)
                lookout_repeat(material->lookout);
}

static int run_inspector(void *result, const void *task)
{
        return inspector_run(result, task);
}

static void inspect(Material *material)
{
        JobSpec spec = {
                .name = "binlog-inspect",
                .run = run_inspector,
                .task = &material->task,
                .result_size = sizeof(Report),
                .n_keep = 1,
                .deadline_usec = INSPECTION_DEADLINE_USEC,
        };
        int r;

        if (material->job) {
                material->again = true;
                return;
        }
        material->again = false;
        close_fd(&material->draft_fd);
        material->draft_fd = draft_new();
        r = material->draft_fd;
        if (r >= 0) {
                spec.keep[0] = material->draft_fd;
                material->task = (InspectorTask){
                        .config = material->status.config,
                        .payload_fd = material->draft_fd,
                        .now_usec = clock_wall_usec(),
                };
                r = job_start(&material->job, material->event, &spec, on_inspected, material);
        }
        if (r < 0) {
                text_format(material->status.fault, sizeof(material->status.fault),
                        "the inspection could not start: %s", strerror(-r));
                close_fd(&material->payload_fd);
                judge(material);
        }
}

/* A time rule judges otherwise by now: its time has come, or the clock was set back. */
static bool verdict_is_stale(const Material *material)
{
        uint64_t boundary = material->report.next_boundary_usec, now = clock_wall_usec();

        return (boundary > 0 && now >= boundary) || now < material->task.now_usec;
}

static void on_lookout(LookoutNews news, void *userdata)
{
        Material *material = userdata;
        const MaterialStatus *status = &material->status;

        if (news == LOOKOUT_READ || status->fault[0] != '\0' || verdict_is_stale(material))
                inspect(material);
        else if (status->inspected && !material->job)
                judge(material);
}

static int on_review(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)source;
        (void)usec;
        on_lookout(LOOKOUT_QUIET, userdata);
        return 0;
}

static int start(Material *material, sd_event *event)
{
        int r;

        r = lookout_new(&material->lookout, event, material->status.config, on_lookout, material);
        if (r == 0)
                r = sd_event_add_time(
                        event, &material->review_timer, CLOCK_BOOTTIME, 0, 1, on_review, material);
        if (r == 0)
                r = sd_event_source_set_enabled(material->review_timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(material->review_timer, "material-review");
        material->status.lookout = lookout_status(material->lookout);
        inspect(material);
        return 0;
}

int material_new(Material **ret, sd_event *event, const MaterialConfig *config,
        material_changed_fn fn, void *userdata)
{
        CLEANUP(material_freep) Material *material = calloc(1, sizeof(*material));
        int r;

        if (!material)
                return -ENOMEM;
        *material = (Material){.config = *config,
                .event = sd_event_ref(event),
                .fn = fn,
                .userdata = userdata,
                .draft_fd = -1,
                .payload_fd = -1};
        material->status = (MaterialStatus){.config = &material->config,
                .report = &material->report,
                .state = MATERIAL_STATE_CHANGING};
        r = start(material, event);
        if (r < 0)
                return r;
        *ret = TAKE(material);
        return 0;
}

Material *material_free(Material *material)
{
        if (!material)
                return NULL;
        material->job = job_free(material->job);
        sd_event_source_disable_unref(material->review_timer);
        lookout_free(material->lookout);
        close_fd(&material->draft_fd);
        close_fd(&material->payload_fd);
        sd_event_unref(material->event);
        free(material);
        return NULL;
}

const MaterialStatus *material_status(const Material *material)
{
        return &material->status;
}

MaterialSet material_set(const Material *material)
{
        if (material->payload_fd < 0)
                return (MaterialSet){.payload_fd = -1};
        return (MaterialSet){
                .fingerprint = material->report.fingerprint,
                .payload_fd = material->payload_fd,
                .not_before_usec = material->report.certificate.not_before_usec,
                .not_after_usec = material->report.certificate.not_after_usec,
        };
}
