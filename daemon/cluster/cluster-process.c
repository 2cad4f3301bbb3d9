#include "daemon/cluster/cluster-process.h"

#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"

struct ClusterProcess {
        sd_event *event;
        ClusterCounts *counts;
        ClusterProcessHandlers handlers;
        ImportJob *import, *check;
        ImportJob *stuck; /* one of them that cannot be killed yet */
        uint64_t deadline_usec;
};

int cluster_process_new(ClusterProcess **ret, sd_event *event, ClusterCounts *counts,
        const ClusterProcessHandlers *handlers)
{
        ClusterProcess *process = calloc(1, sizeof(*process));

        if (!process)
                return -ENOMEM;
        *process = (ClusterProcess){
                .event = sd_event_ref(event), .counts = counts, .handlers = *handlers};
        *ret = process;
        return 0;
}

/* Ends what runs, unless it cannot be ended. */
static void end(ClusterProcess *process, ImportJob **job, unsigned *n_running)
{
        if (!*job)
                return;
        (*n_running)--;
        if (import_job_is_stuck(*job))
                process->stuck = TAKE(*job);
        else
                *job = import_job_free(*job);
}

ClusterProcess *cluster_process_free(ClusterProcess *process)
{
        if (!process)
                return NULL;
        end(process, &process->check, &process->counts->n_checking);
        end(process, &process->import, &process->counts->n_importing);
        import_job_free(process->stuck);
        sd_event_unref(process->event);
        free(process);
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

        end(process, &process->import, &process->counts->n_importing);
        process->deadline_usec = 0;
        process->handlers.imported(outcome, process->handlers.userdata);
}

static void on_checked(const Outcome *outcome, void *userdata)
{
        ClusterProcess *process = userdata;

        end(process, &process->check, &process->counts->n_checking);
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

        if (!checks)
                cluster_process_end_check(process);
        r = import_job_start(checks ? &process->check : &process->import, process->event, task,
                &handlers, &outcome);
        if (r < 0) /* a transient error: retried with back-off */
                handlers.ended(&outcome, process);
        else if (checks)
                process->counts->n_checking++;
        else {
                process->counts->n_importing++;
                process->deadline_usec = clock_boottime_usec() + task->timeout_usec;
        }
        return r;
}

void cluster_process_end_check(ClusterProcess *process)
{
        end(process, &process->check, &process->counts->n_checking);
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
        return process->import && import_job_is_into(process->import, host, port);
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
