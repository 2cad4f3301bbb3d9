#include "daemon/manager/cluster-process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"

struct ClusterProcess {
        sd_event *event;
        ClusterProcessHandlers handlers;
        ImportJob *import, *check;
        ImportJob *stuck;           /* one of them that cannot be killed yet */
        char host[CONFIG_HOST_MAX]; /* the server of the importer */
        unsigned port;
        uint64_t deadline_usec;
};

int cluster_process_new(
        ClusterProcess **ret, sd_event *event, const ClusterProcessHandlers *handlers)
{
        ClusterProcess *process = calloc(1, sizeof(*process));

        if (!process)
                return -ENOMEM;
        *process = (ClusterProcess){.event = sd_event_ref(event), .handlers = *handlers};
        *ret = process;
        return 0;
}

ClusterProcess *cluster_process_free(ClusterProcess *process)
{
        if (!process)
                return NULL;
        import_job_free(process->check);
        import_job_free(process->import);
        import_job_free(process->stuck);
        sd_event_unref(process->event);
        free(process);
        return NULL;
}

static ImportJob *let_go(ClusterProcess *process, ImportJob *job)
{
        if (!job || !import_job_is_stuck(job))
                return import_job_free(job);
        process->stuck = job;
        return NULL;
}

static void on_released(void *userdata)
{
        ClusterProcess *process = userdata;

        process->stuck = import_job_free(process->stuck);
        process->handlers.released(process->handlers.userdata);
}

static void on_imported(const Outcome *outcome, void *userdata)
{
        ClusterProcess *process = userdata;

        process->import = let_go(process, process->import);
        process->deadline_usec = 0;
        process->handlers.imported(outcome, process->handlers.userdata);
}

static void on_checked(const Outcome *outcome, void *userdata)
{
        ClusterProcess *process = userdata;

        process->check = let_go(process, process->check);
        process->handlers.checked(outcome, process->handlers.userdata);
}

static int on_stop(const RecordStop *stop, void *userdata)
{
        ClusterProcess *process = userdata;

        return process->handlers.stop(stop, process->handlers.userdata);
}

int cluster_process_start(ClusterProcess *process, const ImportTask *task)
{
        bool checks = task->action == IMPORT_ACTION_CHECK;
        const ImportJobHandlers handlers = {
                .ended = checks ? on_checked : on_imported,
                .stop = on_stop,
                .released = on_released,
                .userdata = process,
        };
        Outcome outcome;
        int r;

        if (!checks) {
                cluster_process_end_check(process);
                text_set(process->host, sizeof(process->host), task->cluster->login.host);
                process->port = task->cluster->login.port;
        }
        r = import_job_start(checks ? &process->check : &process->import, process->event, task,
                &handlers, &outcome);
        if (r < 0) /* a transient error: retried with back-off */
                handlers.ended(&outcome, process);
        else if (!checks)
                process->deadline_usec = clock_boottime_usec() + task->timeout_usec;
        return r;
}

void cluster_process_end_check(ClusterProcess *process)
{
        process->check = import_job_free(process->check);
}

void cluster_process_abort_import(ClusterProcess *process, const Outcome *outcome)
{
        if (process->import)
                on_imported(outcome, process); /* kills the importer */
}

bool cluster_process_is_importing(const ClusterProcess *process)
{
        return process->import;
}

bool cluster_process_is_importing_into(
        const ClusterProcess *process, const char *host, unsigned port)
{
        return process->import && process->port == port && strcmp(process->host, host) == 0;
}

bool cluster_process_is_checking(const ClusterProcess *process)
{
        return process->check;
}

bool cluster_process_is_stuck(const ClusterProcess *process)
{
        return process->stuck;
}

uint64_t cluster_process_deadline_usec(const ClusterProcess *process)
{
        return process->deadline_usec;
}
