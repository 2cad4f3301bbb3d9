#include "daemon/import/import-job.h"

#include <errno.h>
#include <string.h>

#include "common/job.h"
#include "common/text.h"
#include "daemon/import/importer.h"

struct ImportJob {
        Job *job;
        import_job_end_fn fn;
        import_job_stop_fn stop_fn;
        void *userdata;
};

static void on_end(Job *job, JobResult end, int detail, const void *result, void *userdata)
{
        ImportJob *import_job = userdata;
        Outcome outcome = {0};

        switch (end) {
        case JOB_DONE:
                memcpy(&outcome, result, sizeof(outcome));
                break;
        case JOB_TIMED_OUT:
                outcome.kind = OUTCOME_TIMED_OUT;
                outcome.effect.in_doubt = true;
                text_set(outcome.text, sizeof(outcome.text),
                        "the import did not end within import-timeout; the importer was killed");
                break;
        case JOB_FAILED:
                outcome.kind = OUTCOME_CRASHED;
                text_format(outcome.text, sizeof(outcome.text), "the importer failed: %s",
                        strerror(detail));
                break;
        case JOB_CRASHED:
        case _JOB_RESULT_MAX:
                outcome.kind = OUTCOME_CRASHED;
                outcome.effect.in_doubt = true;
                if (detail > 0)
                        text_format(outcome.text, sizeof(outcome.text),
                                "the importer was terminated by signal %d without a result",
                                detail);
                else
                        text_set(outcome.text, sizeof(outcome.text),
                                "the importer exited without a result");
                break;
        }
        import_job->job = job_free(job);
        import_job->fn(&outcome, import_job->userdata);
}

static int on_stop(const void *request, void *userdata)
{
        ImportJob *import_job = userdata;

        return import_job->stop_fn(request, import_job->userdata);
}

static bool may_stop_replication(const ImportTask *task)
{
        return task->cluster->replication == REPLICATION_RESTART &&
                (task->action == IMPORT_ACTION_IMPORT ||
                        task->action == IMPORT_ACTION_RESTART_REPLICATION);
}

static int run(void *result, const void *task)
{
        return importer_run(result, task);
}

int import_job_start(ImportJob **ret, sd_event *event, const ImportTask *task, import_job_end_fn fn,
        import_job_stop_fn stop_fn, void *userdata, Outcome *ret_outcome)
{
        CLEANUP(import_job_freep) ImportJob *job = calloc(1, sizeof(*job));
        JobLink link = JOB_LINK_NULL;
        ImportTask child_task = *task;
        JobSpec spec = {
                .name = task->action == IMPORT_ACTION_CHECK ? "binlog-check" : "binlog-import",
                .run = run,
                .task = &child_task,
                .result_size = sizeof(Outcome),
                .keep = {task->payload_fd},
                .n_keep = task->payload_fd >= 0 ? 1 : 0,
                .deadline_usec = task->timeout_usec,
                .link = may_stop_replication(task) ? &link : NULL,
                .request_size = sizeof(RecordStop),
                .answer = on_stop,
        };
        int r = -ENOMEM;

        child_task.link = &link;
        if (job) {
                *job = (ImportJob){.fn = fn, .stop_fn = stop_fn, .userdata = userdata};
                r = job_start(&job->job, event, &spec, on_end, job);
        }
        if (r < 0) {
                *ret_outcome = (Outcome){.kind = OUTCOME_CRASHED};
                text_format(ret_outcome->text, sizeof(ret_outcome->text),
                        "the importer could not be started: %s", strerror(-r));
                return r;
        }
        *ret = TAKE(job);
        return 0;
}

ImportJob *import_job_free(ImportJob *job)
{
        if (!job)
                return NULL;
        job_free(job->job);
        free(job);
        return NULL;
}
