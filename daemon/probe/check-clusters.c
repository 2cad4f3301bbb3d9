#include "daemon/probe/check-clusters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <systemd/sd-event.h>

#include "common/json-reader.h"
#include "common/text.h"
#include "daemon/probe/probe-run.h"
#include "daemon/probe/probe-set.h"
#include "daemon/probe/probe-table.h"
#include "daemon/record/record-file.h"

#define KNOWN_NAMES_SIZE 800

typedef struct ClustersCheck {
        Config *config;
        sd_event *event;
        bool *chosen;
        ProbeSet *sets; /* one per material */
        size_t reading; /* sets */
        ProbeRun *run;
        JsonValue **found; /* one per cluster of the configuration; NULL: not chosen */
} ClustersCheck;

static void check_done(ClustersCheck *check)
{
        probe_run_free(check->run);
        for (size_t i = 0; check->sets && i < check->config->n_materials; i++)
                probe_set_done(&check->sets[i]);
        for (size_t i = 0; check->found && i < check->config->n_clusters; i++)
                json_free(check->found[i]);
        free(check->found);
        free(check->sets);
        free(check->chosen);
        sd_event_unref(check->event);
}

static ProbeContext context_of(const ClusterConfig *cluster, void *userdata)
{
        const ClustersCheck *check = userdata;
        const ProbeSet *set = &check->sets[cluster->material];
        CLEANUP(record_done) Record record = RECORD_NULL;

        /* Without a readable record the form is unknown. */
        (void)record_load(&record, cluster->name);
        return (ProbeContext){.payload_fd = set->payload_fd,
                .fingerprint = set->fingerprint,
                .reason = set->reason,
                .newlines = record.newlines};
}

/* Returns 1 if results are still to come, 0 if none are. */
static int take_results(ClustersCheck *check)
{
        for (;;) {
                ProbeResult result;
                int r = probe_run_take(check->run, &result);

                if (r <= 0)
                        return r == -EAGAIN ? 1 : r;
                r = json_parse(&check->found[result.cluster], result.json, strlen(result.json));
                free(result.json);
                if (r < 0)
                        return r;
        }
}

/* Starts what has a place, and takes what has ended. */
static int advance(ClustersCheck *check)
{
        int r;

        do {
                r = take_results(check);
        } while (r > 0 && probe_run_start_one(check->run));
        return r;
}

static int run_probes(ClustersCheck *check)
{
        const ProbeRunHandlers handlers = {.context = context_of, .userdata = check};
        int r = probe_run_new(&check->run, check->event, check->config, check->chosen,
                check->config->parallel_imports, &handlers);

        while (r == 0) {
                r = advance(check);
                if (r <= 0)
                        return r;
                r = sd_event_run(check->event, UINT64_MAX);
                r = r < 0 ? r : 0;
        }
        return r;
}

static void on_set(void *userdata)
{
        ClustersCheck *check = userdata;

        check->reading--;
}

/* Reads the material of each cluster that is probed; the probes begin when the last one is read. */
static int read_sets(ClustersCheck *check)
{
        const Config *config = check->config;
        int r = 0;

        for (size_t i = 0; i < config->n_clusters; i++) {
                const ClusterConfig *cluster = &config->clusters[i];
                ProbeSet *set = &check->sets[cluster->material];

                if (!check->chosen[i] || !cluster->enabled || set->job)
                        continue;
                r = probe_set_start(
                        set, check->event, &config->materials[cluster->material], on_set, check);
                if (r < 0)
                        return r;
                check->reading++;
        }
        while (r >= 0 && check->reading > 0)
                r = sd_event_run(check->event, UINT64_MAX);
        return r < 0 ? r : 0;
}

static int prepare(ClustersCheck *check)
{
        const Config *config = check->config;

        check->chosen = calloc(config->n_clusters + 1, sizeof(*check->chosen));
        check->found = calloc(config->n_clusters + 1, sizeof(JsonValue *));
        check->sets = calloc(config->n_materials + 1, sizeof(*check->sets));
        if (!check->chosen || !check->found || !check->sets)
                return -ENOMEM;
        for (size_t i = 0; i < config->n_materials; i++)
                check->sets[i] = PROBE_SET_NULL;
        return sd_event_new(&check->event);
}

/* Returns a name that no cluster has, or NULL. */
static const char *choose(ClustersCheck *check, char *const *names, int n_names)
{
        const Config *config = check->config;

        for (size_t i = 0; i < config->n_clusters; i++)
                check->chosen[i] = n_names == 0;
        for (int k = 0; k < n_names; k++) {
                size_t i = 0;

                while (i < config->n_clusters && strcmp(config->clusters[i].name, names[k]) != 0)
                        i++;
                if (i == config->n_clusters)
                        return names[k];
                check->chosen[i] = true;
        }
        return NULL;
}

static void print_unknown(const Config *config, const char *name)
{
        char known[KNOWN_NAMES_SIZE] = "", shown[2 * CONFIG_NAME_MAX];

        for (size_t i = 0; i < config->n_clusters; i++)
                text_append(
                        known, sizeof(known), "%s%s", i > 0 ? ", " : "", config->clusters[i].name);
        text_set(shown, sizeof(shown), name);
        fprintf(stderr, "binlog-ssld: there is no cluster %s; the configuration has: %s\n", shown,
                config->n_clusters > 0 ? known : "none");
}

/* Moves the results together. */
static size_t compact(ClustersCheck *check)
{
        size_t n = 0;

        for (size_t i = 0; i < check->config->n_clusters; i++)
                if (check->found[i]) {
                        JsonValue *found = check->found[i];

                        check->found[i] = NULL;
                        check->found[n++] = found;
                }
        return n;
}

int check_clusters(Config *config, char *const *names, int n_names, bool json)
{
        CLEANUP(check_done) ClustersCheck check = {.config = config};
        const char *unknown;
        size_t n;
        int r = prepare(&check);

        if (r >= 0) {
                unknown = choose(&check, names, n_names);
                if (unknown) {
                        print_unknown(config, unknown);
                        return EX_USAGE;
                }
                r = read_sets(&check);
        }
        if (r >= 0)
                r = run_probes(&check);
        n = r >= 0 ? compact(&check) : 0;
        if (r >= 0)
                r = probe_table_print(stdout, check.found, n, json);
        if (r < 0) {
                fprintf(stderr, "binlog-ssld: the clusters cannot be checked: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        return probe_table_is_good(check.found, n) ? EXIT_SUCCESS : EXIT_FAILURE;
}
