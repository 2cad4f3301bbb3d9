#include "daemon/inspect/inspect-job.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/clock.h"
#include "common/job.h"
#include "common/text.h"
#include "daemon/inspect/inspector.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* memfd_create(2), Linux 6.3 */
#endif

#define INSPECT_JOB_DEADLINE_USEC (30 * USEC_PER_SEC)

struct InspectJob {
        Job *job;
        inspect_job_end_fn fn;
        void *userdata;
        int payload_fd; /* the inspector writes to it */
};

static int payload_fd_new(void)
{
        int fd = memfd_create(
                "binlog-ssld-payload", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

        if (fd < 0 && errno == EINVAL)
                fd = memfd_create("binlog-ssld-payload", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fd < 0 ? -errno : fd;
}

/* Called when the inspector has exited: no process can write to the payload any more. */
static int payload_fd_seal(int fd, uint64_t expected_size)
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

static void on_end(Job *job, JobResult result, int detail, const void *data, void *userdata)
{
        InspectJob *inspect = userdata;
        CLEANUP(closep) int payload_fd = TAKE_FD(inspect->payload_fd);
        InspectResult inspected = {.payload_fd = -1};
        char error[256];
        int r = 0;

        inspect->job = NULL;
        if (result == JOB_DONE) {
                inspected.report = data;
                if (inspected.report->payload_size > 0)
                        r = payload_fd_seal(payload_fd, inspected.report->payload_size);
                if (r == 0 && inspected.report->payload_size > 0)
                        inspected.payload_fd = TAKE_FD(payload_fd);
        }
        if (result == JOB_TIMED_OUT)
                text_set(error, sizeof(error), "the inspection took too long");
        else if (result == JOB_CRASHED)
                text_format(error, sizeof(error), "the inspection crashed (signal %d)", detail);
        else if (result == JOB_FAILED || r < 0)
                text_format(error, sizeof(error), "the inspection failed: %s",
                        strerror(result == JOB_FAILED ? detail : -r));
        if (result != JOB_DONE || r < 0)
                inspected.error = error;
        inspect->fn(&inspected, inspect->userdata);
        job_free(job);
}

static int run(void *result, const void *task)
{
        return inspector_run(result, task);
}

int inspect_job_start(InspectJob **ret, sd_event *event, const MaterialConfig *config,
        uint64_t now_usec, inspect_job_end_fn fn, void *userdata)
{
        CLEANUP(inspect_job_freep) InspectJob *inspect = calloc(1, sizeof(*inspect));
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

        if (!inspect)
                return -ENOMEM;
        *inspect = (InspectJob){.fn = fn, .userdata = userdata, .payload_fd = payload_fd_new()};
        if (inspect->payload_fd < 0)
                return inspect->payload_fd;
        spec.keep[0] = task.payload_fd = inspect->payload_fd;
        r = job_start(&inspect->job, event, &spec, on_end, inspect);
        if (r < 0)
                return r;
        *ret = TAKE(inspect);
        return 0;
}

InspectJob *inspect_job_free(InspectJob *inspect)
{
        if (!inspect)
                return NULL;
        job_free(inspect->job);
        closep(&inspect->payload_fd);
        free(inspect);
        return NULL;
}
