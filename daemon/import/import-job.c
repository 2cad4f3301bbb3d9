#include "daemon/import/import-job.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/clock.h"
#include "common/job.h"
#include "common/text.h"
#include "daemon/import/importer.h"

#define IMPORT_JOB_LIMIT_MAX (DURATION_TEXT_SIZE + 32)

struct ImportJob {
        Job *job;
        ImportJobHandlers handlers;
        bool stuck;
        const char *noun; /* what the process does */
        char limit[IMPORT_JOB_LIMIT_MAX];
        char host[CONFIG_HOST_MAX];
        unsigned port;
};

static const char *noun_of(ImportAction action)
{
        switch (action) {
        case IMPORT_ACTION_CHECK:
                return "check";
        case IMPORT_ACTION_REMOVE:
                return "removal";
        case IMPORT_ACTION_IMPORT:
        case IMPORT_ACTION_RESTART_REPLICATION:
        case IMPORT_ACTION_START_REPLICATION:
        case _IMPORT_ACTION_MAX:
                break;
        }
        return "import";
}

/* A check can have a shorter one than the setting. */
static void format_limit(char limit[static IMPORT_JOB_LIMIT_MAX], const ImportTask *task)
{
        char duration[DURATION_TEXT_SIZE];

        text_format(limit, IMPORT_JOB_LIMIT_MAX, "%s%s",
                duration_format(duration, task->timeout_usec),
                task->action == IMPORT_ACTION_CHECK ? "" : " (import-timeout)");
}

static const char *process_name(ImportAction action)
{
        switch (action) {
        case IMPORT_ACTION_CHECK:
                return "binlog-check";
        case IMPORT_ACTION_REMOVE:
                return "binlog-remove";
        case IMPORT_ACTION_IMPORT:
        case IMPORT_ACTION_RESTART_REPLICATION:
        case IMPORT_ACTION_START_REPLICATION:
        case _IMPORT_ACTION_MAX:
                break;
        }
        return "binlog-import";
}

/* EAGAIN: of fork(2), at a limit of processes. */
static void add_step_for_error(Outcome *outcome, int error)
{
        if (error == ENOMEM || error == EAGAIN || error == EMFILE || error == ENFILE)
                text_set(outcome->next_step, sizeof(outcome->next_step),
                        "nothing: the import is retried, and succeeds when this machine has what "
                        "it lacks");
}

static void on_end(Job *job, JobResult end, int detail, const void *result, void *userdata)
{
        ImportJob *import_job = userdata;
        char end_text[JOB_END_TEXT_MAX];
        Outcome outcome = {0};

        if (import_job->stuck) {
                import_job->job = job_free(job);
                import_job->handlers.released(import_job->handlers.userdata);
                return;
        }
        switch (end) {
        case JOB_DONE:
                memcpy(&outcome, result, sizeof(outcome));
                if (outcome_is_valid(&outcome))
                        break;
                outcome = (Outcome){.kind = OUTCOME_CRASHED, .effect.in_doubt = true};
                text_set(outcome.text, sizeof(outcome.text), "the importer sent an invalid result");
                break;
        case JOB_TIMED_OUT:
                outcome.kind = OUTCOME_TIMED_OUT;
                outcome.effect.in_doubt = true;
                text_format(outcome.text, sizeof(outcome.text),
                        "the %s did not end within %s; its process was killed", import_job->noun,
                        import_job->limit);
                break;
        case JOB_STUCK:
                import_job->stuck = true;
                outcome.kind = OUTCOME_TIMED_OUT;
                outcome.effect.in_doubt = true;
                text_format(outcome.text, sizeof(outcome.text),
                        "the process of the %s was killed after %s and does not end: the file "
                        "system of password-file or server-ca does not respond",
                        import_job->noun, import_job->limit);
                break;
        case JOB_FAILED:
                outcome.kind = OUTCOME_CRASHED;
                job_end_text(end_text, sizeof(end_text), end, detail);
                text_format(outcome.text, sizeof(outcome.text), "the importer %s", end_text);
                add_step_for_error(&outcome, detail);
                break;
        case JOB_CRASHED:
        case _JOB_RESULT_MAX:
                outcome.kind = OUTCOME_CRASHED;
                outcome.effect.in_doubt = true;
                job_end_text(end_text, sizeof(end_text), end, detail);
                text_format(outcome.text, sizeof(outcome.text), "the importer %s without a result",
                        end_text);
                if (detail == SIGKILL)
                        text_set(outcome.next_step, sizeof(outcome.next_step),
                                "journalctl -k says whether the kernel killed it for want of "
                                "memory: give this machine, or MemoryMax= of the unit, more");
                break;
        }
        if (!import_job->stuck)
                import_job->job = job_free(job);
        import_job->handlers.ended(&outcome, import_job->handlers.userdata);
}

static int on_stop(const void *request, void *userdata)
{
        ImportJob *import_job = userdata;
        const RecordStop *stop = request;

        return record_stop_is_valid(stop)
                ? import_job->handlers.stop(stop, import_job->handlers.userdata)
                : -EBADMSG;
}

static bool may_stop_replication(const ImportTask *task)
{
        return replication_mode_restarts(task->cluster->replication) &&
                (task->action == IMPORT_ACTION_IMPORT ||
                        task->action == IMPORT_ACTION_RESTART_REPLICATION);
}

static int run(void *result, const void *task)
{
        return importer_run(result, task);
}

int import_job_start(ImportJob **ret, sd_event *event, const ImportTask *task,
        const ImportJobHandlers *handlers, Outcome *ret_outcome)
{
        CLEANUP(import_job_freep) ImportJob *job = calloc(1, sizeof(*job));
        JobLink link = JOB_LINK_NULL;
        ImportTask child_task = *task;
        JobSpec spec = {
                .name = process_name(task->action),
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
                *job = (ImportJob){.handlers = *handlers,
                        .noun = noun_of(task->action),
                        .port = task->cluster->login.port};
                text_set(job->host, sizeof(job->host), task->cluster->login.host);
                format_limit(job->limit, task);
                r = job_start(&job->job, event, &spec, on_end, job);
        }
        if (r < 0) {
                *ret_outcome = (Outcome){.kind = OUTCOME_CRASHED};
                text_format(ret_outcome->text, sizeof(ret_outcome->text),
                        "the importer could not be started: %s", strerror(-r));
                add_step_for_error(ret_outcome, -r);
                return r;
        }
        *ret = TAKE(job);
        return 0;
}

bool import_job_is_stuck(const ImportJob *job)
{
        return job->stuck;
}

bool import_job_is_into(const ImportJob *job, const char *host, unsigned port)
{
        return job->port == port && strcmp(job->host, host) == 0;
}

ImportJob *import_job_free(ImportJob *job)
{
        if (!job)
                return NULL;
        job_free(job->job);
        free(job);
        return NULL;
}
