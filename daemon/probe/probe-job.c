#include "daemon/probe/probe-job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "common/clock.h"
#include "common/job.h"
#include "common/text.h"
#include "daemon/probe/prober.h"
#include "daemon/record/record-file.h"

typedef struct ProbeRun ProbeRun;

typedef struct ProbeJob {
        ProbeRun *run;
        Job *child; /* NULL: not started yet, or ended */
        Probe *probe;
        ProberTask task;
} ProbeJob;

struct ProbeRun {
        const Config *config;
        sd_event *event;
        ProbeSet *sets; /* one per material */
        size_t reading; /* sets */
        ProbeJob *jobs;
        size_t n_jobs, next; /* the first that is not started */
        size_t running;
};

static int run_in_child(void *result, const void *task)
{
        return prober_run(result, task);
}

static void continue_run(ProbeRun *run);

static void on_end(Job *child, JobResult end, int detail, const void *result, void *userdata)
{
        ProbeJob *job = userdata;
        ProbeRun *run = job->run;
        Outcome outcome = {.kind = OUTCOME_CRASHED};
        char duration[DURATION_TEXT_SIZE];

        switch (end) {
        case JOB_DONE:
                if (probe_is_valid(result))
                        *job->probe = *(const Probe *)result;
                else {
                        text_set(outcome.text, sizeof(outcome.text),
                                "the probe process sent an invalid result");
                        probe_add_outcome(job->probe, &outcome);
                }
                break;
        case JOB_TIMED_OUT:
        case JOB_STUCK: /* left behind: the command does not wait for it */
                outcome.kind = OUTCOME_TIMED_OUT;
                text_format(outcome.text, sizeof(outcome.text),
                        "no answer within %s (import-timeout)",
                        duration_format(duration, job->task.timeout_usec));
                break;
        case JOB_FAILED:
        case JOB_CRASHED:
        case _JOB_RESULT_MAX:
                text_format(outcome.text, sizeof(outcome.text),
                        "the probe process ended without a result (%s)",
                        end == JOB_FAILED    ? strerror(detail)
                                : detail > 0 ? strsignal(detail)
                                             : "exited");
                break;
        }
        if (end != JOB_DONE)
                probe_add_outcome(job->probe, &outcome);
        job->child = job_free(child);
        run->running--;
        continue_run(run);
}

/* Starts jobs until parallel-imports of them run. */
static int start_due(ProbeRun *run)
{
        while (run->next < run->n_jobs && run->running < run->config->parallel_imports) {
                ProbeJob *job = &run->jobs[run->next];
                JobSpec spec = {.name = "binlog-probe",
                        .run = run_in_child,
                        .task = &job->task,
                        .result_size = sizeof(Probe),
                        .deadline_usec = job->task.timeout_usec};
                int r;

                if (job->task.set->payload_fd >= 0)
                        spec.keep[spec.n_keep++] = job->task.set->payload_fd;
                r = job_start(&job->child, run->event, &spec, on_end, job);
                if (r < 0)
                        return r;
                run->next++;
                run->running++;
        }
        return 0;
}

/* The probes begin when the last set is read. */
static void continue_run(ProbeRun *run)
{
        int r = run->reading == 0 ? start_due(run) : 0;

        if (r < 0 || (run->reading == 0 && run->running == 0))
                (void)sd_event_exit(run->event, r);
}

static void on_set(void *userdata)
{
        ProbeRun *run = userdata;

        run->reading--;
        continue_run(run);
}

/* Reads each material of an enabled cluster. */
static int read_sets(ProbeRun *run)
{
        const Config *config = run->config;

        for (size_t i = 0; i < run->n_jobs; i++) {
                const ClusterConfig *cluster = run->jobs[i].task.cluster;
                ProbeSet *set = &run->sets[cluster->material];
                int r;

                run->jobs[i].task.set = set;
                if (set->job)
                        continue;
                r = probe_set_start(
                        set, run->event, &config->materials[cluster->material], on_set, run);
                if (r < 0)
                        return r;
                run->reading++;
        }
        return 0;
}

static void prepare(ProbeRun *run, Probe *probes)
{
        const Config *config = run->config;

        for (size_t i = 0; i < config->n_clusters; i++) {
                const ClusterConfig *cluster = &config->clusters[i];
                CLEANUP(record_done) Record record = RECORD_NULL;

                if (!cluster->enabled)
                        continue;
                /* Without a readable record the form is unknown. */
                (void)record_load(&record, cluster->name);
                run->jobs[run->n_jobs++] = (ProbeJob){
                        .run = run,
                        .probe = &probes[i],
                        .task = {.cluster = cluster,
                                .newlines = record.newlines,
                                .timeout_usec = config->import_timeout_usec},
                };
        }
}

static int run_all(ProbeRun *run)
{
        int r = sd_event_new(&run->event);

        if (r >= 0)
                r = read_sets(run);
        if (r >= 0 && run->reading == 0)
                r = start_due(run);
        if (r >= 0 && run->reading + run->running > 0)
                r = sd_event_loop(run->event);
        return r < 0 ? r : 0;
}

int probe_run_all(Probe *probes, const Config *config)
{
        ProbeRun run = {.config = config};
        int r = -ENOMEM;

        run.jobs = calloc(config->n_clusters + 1, sizeof(*run.jobs));
        run.sets = calloc(config->n_materials + 1, sizeof(*run.sets));
        if (run.jobs && run.sets) {
                for (size_t i = 0; i < config->n_materials; i++)
                        run.sets[i] = PROBE_SET_NULL;
                prepare(&run, probes);
                r = run_all(&run);
                for (size_t i = 0; i < run.n_jobs; i++)
                        (void)job_free(run.jobs[i].child);
                for (size_t i = 0; i < config->n_materials; i++)
                        probe_set_done(&run.sets[i]);
        }
        (void)sd_event_unref(run.event);
        free(run.sets);
        free(run.jobs);
        return r;
}
