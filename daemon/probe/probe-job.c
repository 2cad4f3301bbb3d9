#include "daemon/probe/probe-job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "common/clock.h"
#include "common/job.h"
#include "common/text.h"
#include "daemon/model/record.h"
#include "daemon/probe/prober.h"

typedef struct ProbeRun ProbeRun;

typedef struct ProbeJob {
        ProbeRun *survey;
        Job *job; /* NULL: not yet, or not any more */
        Probe *probe;
        ProberTask task;
} ProbeJob;

struct ProbeRun {
        const Config *config;
        sd_event *event;
        ProbeJob *visits;
        size_t n_visits, next; /* the first that has not begun */
        size_t running;
};

static int run_in_child(void *result, const void *task)
{
        return prober_run(result, task);
}

static int begin(ProbeRun *survey);

static void fail(ProbeJob *visit, OutcomeKind kind, const char *text)
{
        Outcome outcome = {.kind = kind};

        text_set(outcome.text, sizeof(outcome.text), text);
        probe_add_outcome(visit->probe, &outcome);
}

static void on_end(Job *job, JobResult end, int detail, const void *result, void *userdata)
{
        ProbeJob *visit = userdata;
        ProbeRun *survey = visit->survey;
        char text[OUTCOME_TEXT_MAX], duration[DURATION_TEXT_SIZE];
        int r;

        switch (end) {
        case JOB_DONE:
                *visit->probe = *(const Probe *)result;
                break;
        case JOB_TIMED_OUT:
                text_format(text, sizeof(text), "no answer within %s (import-timeout)",
                        duration_format(duration, visit->task.timeout_usec));
                fail(visit, OUTCOME_TIMED_OUT, text);
                break;
        case JOB_FAILED:
        case JOB_CRASHED:
        case _JOB_RESULT_MAX:
                text_format(text, sizeof(text), "the process that asked died (%s)",
                        end == JOB_FAILED    ? strerror(detail)
                                : detail > 0 ? strsignal(detail)
                                             : "without a word");
                fail(visit, OUTCOME_CRASHED, text);
                break;
        }
        visit->job = job_free(job);
        survey->running--;
        r = begin(survey);
        if (r < 0 || survey->running == 0)
                (void)sd_event_exit(survey->event, r);
}

/* Starts as many as may run. */
static int begin(ProbeRun *survey)
{
        while (survey->next < survey->n_visits &&
                survey->running < survey->config->parallel_imports) {
                ProbeJob *visit = &survey->visits[survey->next];
                JobSpec spec = {.name = "binlog-probe",
                        .run = run_in_child,
                        .task = &visit->task,
                        .result_size = sizeof(Probe),
                        .deadline_usec = visit->task.timeout_usec};
                int r = job_start(&visit->job, survey->event, &spec, on_end, visit);

                if (r < 0)
                        return r;
                survey->next++;
                survey->running++;
        }
        return 0;
}

static void prepare(ProbeRun *survey, Probe *probes)
{
        const Config *config = survey->config;

        for (size_t i = 0; i < config->n_clusters; i++) {
                const ClusterConfig *cluster = &config->clusters[i];
                Record record;

                if (!cluster->enabled)
                        continue;
                /* A record that cannot be read means that nothing is known. */
                (void)record_load(&record, cluster->name);
                survey->visits[survey->n_visits++] = (ProbeJob){
                        .survey = survey,
                        .probe = &probes[i],
                        .task = {cluster, record.newlines, config->import_timeout_usec},
                };
        }
}

int probe_run_all(Probe *probes, const Config *config)
{
        ProbeRun survey = {.config = config};
        int r;

        survey.visits = calloc(config->n_clusters + 1, sizeof(*survey.visits));
        if (!survey.visits)
                return -ENOMEM;
        prepare(&survey, probes);
        r = sd_event_new(&survey.event);
        if (r >= 0)
                r = begin(&survey);
        if (r == 0 && survey.running > 0)
                r = sd_event_loop(survey.event);
        for (size_t i = 0; i < survey.n_visits; i++)
                (void)job_free(survey.visits[i].job);
        (void)sd_event_unref(survey.event);
        free(survey.visits);
        return r;
}
