#include "daemon/manager/cluster-probes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/json-writer.h"
#include "common/text.h"
#include "daemon/manager/wakeup.h"
#include "daemon/probe/probe-run.h"
#include "daemon/status/summary-material.h"

struct ClusterProbes {
        sd_event *event;
        const Inventory *inventory;
        Wakeup *wakeup;
        ProbeRun *run; /* NULL: none */
        check_ready_fn ready;
        void *userdata; /* of it */
        char reason[SUMMARY_TEXT_MAX];
};

/* A reload may have replaced the configuration of the run. */
static bool find(const Inventory *inventory, const char *name, size_t *ret)
{
        const Config *config = inventory_config(inventory);

        for (size_t i = 0; i < config->n_clusters; i++)
                if (strcmp(config->clusters[i].name, name) == 0) {
                        *ret = i;
                        return true;
                }
        return false;
}

static ProbeContext context_of(const ClusterConfig *cluster, void *userdata)
{
        ClusterProbes *probes = userdata;
        const Inventory *inventory = probes->inventory;
        ProbeContext context = {.payload_fd = -1, .fingerprint = "", .reason = probes->reason};
        const Material *material;
        const SealedSet *set;
        size_t index;

        if (!find(inventory, cluster->name, &index)) {
                context.reason = "the cluster is no longer configured";
                return context;
        }
        material = inventory_material_of(inventory, index);
        set = material_set(material);
        context.newlines = cluster_status(inventory_cluster(inventory, index))->record->newlines;
        if (set) {
                context.payload_fd = set->payload_fd;
                context.fingerprint = set->info.fingerprint;
                return context;
        }
        summary_material_reason(probes->reason, sizeof(probes->reason), material_status(material));
        if (probes->reason[0] == '\0')
                text_set(probes->reason, sizeof(probes->reason),
                        material_state_to_string(material_status(material)->state));
        return context;
}

static void on_turn(void *userdata)
{
        ClusterProbes *probes = userdata;

        if (probes->run && probe_run_start_one(probes->run))
                wakeup_request(probes->wakeup);
}

static void on_ready(void *userdata)
{
        const ClusterProbes *probes = userdata;

        probes->ready(probes->userdata);
}

static void end(void *userdata)
{
        ClusterProbes *probes = userdata;

        probes->run = probe_run_free(probes->run);
}

static int start(const bool *chosen, check_ready_fn ready, void *ready_userdata, void *userdata)
{
        ClusterProbes *probes = userdata;
        const ProbeRunHandlers handlers = {context_of, on_ready, probes};
        Config *config = inventory_ref_config(probes->inventory);
        unsigned parallel = config->parallel_imports < CLUSTER_PROBES_PARALLEL_MAX
                ? config->parallel_imports
                : CLUSTER_PROBES_PARALLEL_MAX;
        int r = probes->run
                ? -EBUSY
                : probe_run_new(&probes->run, probes->event, config, chosen, parallel, &handlers);

        config_unref(config);
        if (r < 0)
                return r;
        probes->ready = ready;
        probes->userdata = ready_userdata;
        wakeup_request(probes->wakeup);
        return 0;
}

static int format(char **ret, const ProbeResult *result)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();

        json_open_object(writer);
        json_key(writer, "cluster");
        if (result->json)
                json_raw(writer, result->json, strlen(result->json));
        else
                json_null(writer);
        json_put_integer(writer, "index", (int64_t)result->cluster);
        json_put_integer(writer, "remaining", (int64_t)result->remaining);
        json_close_object(writer);
        return json_writer_finish(writer, ret);
}

/* The place of the result is free for another prober. */
static int next(char **ret, void *userdata)
{
        ClusterProbes *probes = userdata;
        ProbeResult result = {0};
        int r = probe_run_take(probes->run, &result);

        if (r == -EAGAIN)
                return 1;
        if (r < 0)
                return r;
        r = format(ret, &result);
        free(result.json);
        if (r < 0)
                return r;
        wakeup_request(probes->wakeup);
        if (result.remaining > 0)
                return 1;
        end(probes);
        return 0;
}

int cluster_probes_new(ClusterProbes **ret, sd_event *event, const Inventory *inventory)
{
        CLEANUP(cluster_probes_freep) ClusterProbes *probes = calloc(1, sizeof(*probes));
        int r;

        if (!probes)
                return -ENOMEM;
        *probes = (ClusterProbes){.event = sd_event_ref(event), .inventory = inventory};
        r = wakeup_new(&probes->wakeup, event, on_turn, probes);
        if (r < 0)
                return r;
        *ret = TAKE(probes);
        return 0;
}

ClusterProbes *cluster_probes_free(ClusterProbes *probes)
{
        if (!probes)
                return NULL;
        end(probes);
        wakeup_free(probes->wakeup);
        sd_event_unref(probes->event);
        free(probes);
        return NULL;
}

CheckOperations cluster_probes_operations(ClusterProbes *probes)
{
        return (CheckOperations){.start = start, .next = next, .end = end, .userdata = probes};
}
