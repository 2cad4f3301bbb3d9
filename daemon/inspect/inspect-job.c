#include "daemon/inspect/inspect-job.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/job.h"
#include "common/text.h"
#include "daemon/inspect/inspector.h"
#include "daemon/watch/stall.h"

/* The files are read by about a hundred calls, each of which may take as long as a stall. */
#define INSPECT_JOB_DEADLINE_USEC (20 * USEC_PER_MIN)

/* In units of STALL_LIMIT_USEC. The validation takes milliseconds, on a busy machine longer. */
#define INSPECT_JOB_READING_STALLS    2
#define INSPECT_JOB_VALIDATION_STALLS 3

struct InspectJob {
        Job *job;
        InspectJobHandlers handlers;
        Progress *progress;
        Stall *stall;
        unsigned n_stalls;
        bool not_read, too_slow; /* why it was killed */
        int payload_fd;          /* of the inspector until it has exited */
};

/* After the inspector's exit no process has the descriptor open for writing but this one. */
static int payload_fd_seal(int fd, uint64_t expected_size)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if ((uint64_t)st.st_size != expected_size)
                return -EBADMSG;
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return -errno;
        return 0;
}

static void finish(
        InspectJob *inspect_job, Job *job, JobResult end, int detail, const Report *report)
{
        CLEANUP(closep) int payload_fd = TAKE_FD(inspect_job->payload_fd);
        InspectResult result = {.report = report, .payload_fd = -1};
        char error[256] = "", end_text[JOB_END_TEXT_MAX];
        int r = 0;

        inspect_job->job = NULL;
        stall_stop(inspect_job->stall);
        if (inspect_job->too_slow)
                end = JOB_TIMED_OUT;
        result.not_read = inspect_job->not_read && end != JOB_DONE;
        switch (end) {
        case JOB_DONE:
                if (!report_is_valid(report)) {
                        result.report = NULL;
                        text_set(error, sizeof(error), "the inspector sent an invalid result");
                        break;
                }
                if (report->payload_size == 0)
                        break;
                r = payload_fd_seal(payload_fd, report->payload_size);
                if (r == 0)
                        result.payload_fd = TAKE_FD(payload_fd);
                break;
        case JOB_TIMED_OUT:
        case JOB_STUCK:
                text_set(error, sizeof(error), "the inspection took too long");
                break;
        case JOB_FAILED:
        case JOB_CRASHED:
        case _JOB_RESULT_MAX:
                job_end_text(end_text, sizeof(end_text), end, detail);
                text_format(error, sizeof(error), "the inspector %s", end_text);
                break;
        }
        if (r < 0)
                text_format(error, sizeof(error), "the inspection failed: %s", strerror(-r));
        if (error[0] != '\0' && !result.not_read)
                result.error = error;
        inspect_job->handlers.ended(&result, inspect_job->handlers.userdata);
        job_free(job);
}

static void on_end(Job *job, JobResult end, int detail, const void *report, void *userdata)
{
        if (end != JOB_STUCK) /* `not_responding` was called */
                finish(userdata, job, end, detail, report);
}

static void on_stall(StallEvent event, void *userdata)
{
        InspectJob *inspect_job = userdata;
        bool reading = !progress_is_finished(inspect_job->progress);

        inspect_job->n_stalls = event == STALL_NO_PROGRESS ? inspect_job->n_stalls + 1 : 0;
        if (inspect_job->n_stalls <
                (reading ? INSPECT_JOB_READING_STALLS : INSPECT_JOB_VALIDATION_STALLS))
                return;
        stall_stop(inspect_job->stall);
        inspect_job->not_read = reading;
        inspect_job->too_slow = !reading;
        job_kill(inspect_job->job);
        if (reading)
                inspect_job->handlers.not_responding(inspect_job->handlers.userdata);
}

static int run(void *result, const void *task)
{
        return inspector_run(result, task);
}

int inspect_job_start(InspectJob **ret, sd_event *event, const MaterialConfig *config,
        uint64_t now_usec, const InspectJobHandlers *handlers)
{
        CLEANUP(inspect_job_freep) InspectJob *inspect_job = calloc(1, sizeof(*inspect_job));
        InspectorTask task = {.config = config, .now_usec = now_usec};
        JobSpec spec = {
                .name = "binlog-inspect",
                .run = run,
                .task = &task,
                .result_size = sizeof(Report),
                .n_keep = 1,
                .deadline_usec = INSPECT_JOB_DEADLINE_USEC,
        };
        int r;

        if (!inspect_job)
                return -ENOMEM;
        *inspect_job = (InspectJob){
                .handlers = *handlers, .payload_fd = file_create_memory("binlog-ssld-payload")};
        if (inspect_job->payload_fd < 0)
                return inspect_job->payload_fd;
        spec.keep[0] = task.payload_fd = inspect_job->payload_fd;
        r = progress_new(&inspect_job->progress);
        if (r == 0)
                r = stall_new(&inspect_job->stall, event, STALL_GRACE_USEC, STALL_LIMIT_USEC,
                        on_stall, inspect_job);
        task.progress = inspect_job->progress;
        if (r == 0)
                r = job_start(&inspect_job->job, event, &spec, on_end, inspect_job);
        if (r < 0)
                return r;
        stall_expect(inspect_job->stall, inspect_job->progress, clock_boottime_usec());
        *ret = TAKE(inspect_job);
        return 0;
}

InspectJob *inspect_job_free(InspectJob *inspect_job)
{
        if (!inspect_job)
                return NULL;
        job_free(inspect_job->job);
        stall_free(inspect_job->stall);
        progress_free(inspect_job->progress);
        closep(&inspect_job->payload_fd);
        free(inspect_job);
        return NULL;
}
