#include "daemon/probe/probe-job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/job.h"
#include "common/text.h"

struct ProbeJob {
        Job *child; /* NULL: ended */
        uint64_t timeout_usec;
        probe_job_end_fn fn;
        void *userdata;
};

static int run_in_child(void *result, const void *task)
{
        return prober_run(result, task);
}

static void describe_end(Outcome *outcome, const ProbeJob *job, JobResult end, int detail)
{
        char duration[DURATION_TEXT_SIZE], reason[JOB_END_TEXT_MAX];

        outcome->kind = OUTCOME_CRASHED;
        switch (end) {
        case JOB_DONE:
                text_set(outcome->text, sizeof(outcome->text),
                        "the probe process sent an invalid result");
                break;
        case JOB_TIMED_OUT:
        case JOB_STUCK: /* left behind: nobody waits for it */
                outcome->kind = OUTCOME_TIMED_OUT;
                text_format(outcome->text, sizeof(outcome->text),
                        "no answer within %s (import-timeout)",
                        duration_format(duration, job->timeout_usec));
                break;
        case JOB_FAILED:
        case JOB_CRASHED:
        case _JOB_RESULT_MAX:
                job_end_text(reason, sizeof(reason), end, detail);
                text_format(outcome->text, sizeof(outcome->text), "the probe process %s", reason);
                break;
        }
}

static void on_end(Job *child, JobResult end, int detail, const void *result, void *userdata)
{
        ProbeJob *job = userdata;
        Outcome outcome = {0};
        Probe failed = {0};

        job->child = job_free(child);
        if (end == JOB_DONE && probe_is_valid(result)) {
                job->fn(result, job->userdata);
                return;
        }
        describe_end(&outcome, job, end, detail);
        probe_add_outcome(&failed, &outcome);
        job->fn(&failed, job->userdata);
}

int probe_job_start(ProbeJob **ret, sd_event *event, const ProberTask *task, probe_job_end_fn fn,
        void *userdata)
{
        CLEANUP(probe_job_freep) ProbeJob *job = calloc(1, sizeof(*job));
        JobSpec spec = {.name = "binlog-probe",
                .run = run_in_child,
                .task = task,
                .result_size = sizeof(Probe),
                .deadline_usec = task->timeout_usec};
        int r;

        if (!job)
                return -ENOMEM;
        *job = (ProbeJob){.timeout_usec = task->timeout_usec, .fn = fn, .userdata = userdata};
        if (task->payload_fd >= 0)
                spec.keep[spec.n_keep++] = task->payload_fd;
        r = job_start(&job->child, event, &spec, on_end, job);
        if (r < 0)
                return r;
        *ret = TAKE(job);
        return 0;
}

ProbeJob *probe_job_free(ProbeJob *job)
{
        if (!job)
                return NULL;
        job_free(job->child);
        free(job);
        return NULL;
}
