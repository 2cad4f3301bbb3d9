#include "daemon/probe/probe-run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/probe/probe-job.h"
#include "daemon/probe/probe-json.h"

typedef struct Place {
        ProbeRun *run;
        ProbeJob *job; /* NULL: none runs */
        size_t cluster;
        bool ended; /* with `json`, which waits to be taken, or `error` */
        char *json;
        int error;
} Place;

struct ProbeRun {
        sd_event *event;
        Config *config; /* a reference: a reload does not change what runs */
        bool *chosen;
        ProbeRunHandlers handlers;
        size_t next; /* the first cluster that may have to be started */
        size_t n_remaining;
        Place *places;
        size_t n_places;
};

static const ClusterConfig *cluster_of(const Place *place)
{
        return &place->run->config->clusters[place->cluster];
}

static void on_end(const Probe *probe, void *userdata)
{
        Place *place = userdata;

        place->job = probe_job_free(place->job);
        place->ended = true;
        place->error = probe_json_format(&place->json, cluster_of(place), probe);
        if (place->run->handlers.ready)
                place->run->handlers.ready(place->run->handlers.userdata);
}

static void fail(Place *place, int error)
{
        Outcome outcome = {.kind = OUTCOME_CRASHED};
        Probe probe = {0};

        text_format(outcome.text, sizeof(outcome.text), "the probe process cannot be started: %s",
                strerror(-error));
        probe_add_outcome(&probe, &outcome);
        on_end(&probe, place);
}

static void start(Place *place)
{
        static const Probe none = {0};
        const ProbeRun *run = place->run;
        const ClusterConfig *cluster = cluster_of(place);
        ProberTask task = {.cluster = cluster, .timeout_usec = run->config->import_timeout_usec};
        ProbeContext context;
        int r;

        if (!cluster->enabled) {
                on_end(&none, place);
                return;
        }
        context = run->handlers.context(cluster, run->handlers.userdata);
        task.payload_fd = context.payload_fd;
        task.fingerprint = context.fingerprint;
        task.reason = context.reason;
        task.newlines = context.newlines;
        r = probe_job_start(&place->job, run->event, &task, on_end, place);
        if (r < 0)
                fail(place, r);
}

static Place *find_place(ProbeRun *run)
{
        for (size_t i = 0; i < run->n_places; i++)
                if (!run->places[i].job && !run->places[i].ended)
                        return &run->places[i];
        return NULL;
}

int probe_run_new(ProbeRun **ret, sd_event *event, Config *config, const bool *chosen,
        unsigned parallel, const ProbeRunHandlers *handlers)
{
        CLEANUP(probe_run_freep) ProbeRun *run = calloc(1, sizeof(*run));

        if (!run)
                return -ENOMEM;
        *run = (ProbeRun){.event = sd_event_ref(event),
                .config = config_ref(config),
                .chosen = calloc(config->n_clusters + 1, sizeof(bool)),
                .places = calloc(parallel, sizeof(*run->places)),
                .handlers = *handlers};
        if (!run->chosen || !run->places)
                return -ENOMEM;
        run->n_places = parallel;
        for (size_t i = 0; i < config->n_clusters; i++) {
                run->chosen[i] = !chosen || chosen[i];
                run->n_remaining += run->chosen[i];
        }
        for (size_t i = 0; i < run->n_places; i++)
                run->places[i].run = run;
        *ret = TAKE(run);
        return 0;
}

ProbeRun *probe_run_free(ProbeRun *run)
{
        if (!run)
                return NULL;
        for (size_t i = 0; i < run->n_places; i++) {
                probe_job_free(run->places[i].job);
                free(run->places[i].json);
        }
        free(run->places);
        free(run->chosen);
        config_unref(run->config);
        sd_event_unref(run->event);
        free(run);
        return NULL;
}

bool probe_run_start_one(ProbeRun *run)
{
        Place *place = find_place(run);

        while (run->next < run->config->n_clusters && !run->chosen[run->next])
                run->next++;
        if (!place || run->next == run->config->n_clusters)
                return false;
        place->cluster = run->next++;
        start(place);
        return true;
}

int probe_run_take(ProbeRun *run, ProbeResult *ret)
{
        for (size_t i = 0; i < run->n_places; i++) {
                Place *place = &run->places[i];

                if (!place->ended)
                        continue;
                if (place->error < 0)
                        return place->error;
                run->n_remaining--;
                ret->json = TAKE(place->json);
                ret->cluster = place->cluster;
                ret->remaining = run->n_remaining;
                place->ended = false;
                return 1;
        }
        return run->n_remaining == 0 ? 0 : -EAGAIN;
}
