#include "daemon/roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/schema.h"
#include "daemon/state.h"

/* What belongs to one configuration; the arrays are as long as its lists. */
typedef struct Ranks {
        Config *config;
        Material **materials;
        Cluster **clusters;
        const MaterialStatus **material_statuses;
        const ClusterStatus **cluster_statuses;
} Ranks;

struct Roster {
        sd_event *event;
        RosterHandlers handlers;
        Ranks ranks;
        Cluster **leaving;
        size_t n_leaving;
};

static size_t n_materials(const Ranks *ranks)
{
        return ranks->config ? ranks->config->n_materials : 0;
}

static size_t n_clusters(const Ranks *ranks)
{
        return ranks->config ? ranks->config->n_clusters : 0;
}

static int ranks_make(Ranks *ret, Config *config)
{
        *ret = (Ranks){
                .config = config,
                .materials = calloc(config->n_materials, sizeof(Material *)),
                .clusters = calloc(config->n_clusters, sizeof(Cluster *)),
                .material_statuses = calloc(config->n_materials, sizeof(MaterialStatus *)),
                .cluster_statuses = calloc(config->n_clusters, sizeof(ClusterStatus *)),
        };
        return ret->materials && ret->clusters && ret->material_statuses && ret->cluster_statuses
                ? 0
                : -ENOMEM;
}

/* Frees what has not been taken out of the arrays. */
static void ranks_done(Ranks *ranks)
{
        for (size_t i = 0; ranks->clusters && i < n_clusters(ranks); i++)
                cluster_free(ranks->clusters[i]);
        for (size_t i = 0; ranks->materials && i < n_materials(ranks); i++)
                material_free(ranks->materials[i]);
        free(ranks->materials);
        free(ranks->clusters);
        free(ranks->material_statuses);
        free(ranks->cluster_statuses);
        config_free(ranks->config);
        *ranks = (Ranks){0};
}

static Material **find_material(const Ranks *ranks, const MaterialConfig *config)
{
        for (size_t i = 0; i < n_materials(ranks); i++) {
                const MaterialConfig *other = &ranks->config->materials[i];

                if (strcmp(other->name, config->name) == 0 &&
                        key_table_equal(&schema_material, other, config))
                        return &ranks->materials[i];
        }
        return NULL;
}

static Cluster **find_cluster(const Ranks *ranks, const char *name)
{
        for (size_t i = 0; i < n_clusters(ranks); i++)
                if (strcmp(ranks->config->clusters[i].name, name) == 0)
                        return &ranks->clusters[i];
        return NULL;
}

static int recall_cluster(Roster *roster, Cluster **ret, const ClusterConfig *config)
{
        Record record;
        int r = state_load(&record, config->name);

        if (r < 0 && r != -ENOENT)
                roster->handlers.record_unreadable(config->name, r, roster->handlers.userdata);
        return cluster_new(ret, roster->event, config, &record, roster->handlers.cluster_changed,
                roster->handlers.userdata);
}

/* Makes what is not there yet; what is stays in the old ranks for now. */
static int fill(Roster *roster, Ranks *ranks)
{
        for (size_t i = 0; i < n_clusters(ranks); i++) {
                const ClusterConfig *config = &ranks->config->clusters[i];
                int r = find_cluster(&roster->ranks, config->name)
                        ? 0
                        : recall_cluster(roster, &ranks->clusters[i], config);

                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n_materials(ranks); i++) {
                const MaterialConfig *config = &ranks->config->materials[i];
                int r = find_material(&roster->ranks, config)
                        ? 0
                        : material_new(&ranks->materials[i], roster->event, config,
                                  roster->handlers.material_changed, roster->handlers.userdata);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* From here on nothing can fail. */
static void move(Ranks *ranks, Ranks *old)
{
        for (size_t i = 0; i < n_materials(ranks); i++) {
                if (!ranks->materials[i])
                        ranks->materials[i] =
                                TAKE(*find_material(old, &ranks->config->materials[i]));
                ranks->material_statuses[i] = material_status(ranks->materials[i]);
        }
        for (size_t i = 0; i < n_clusters(ranks); i++) {
                const ClusterConfig *config = &ranks->config->clusters[i];

                if (!ranks->clusters[i])
                        ranks->clusters[i] = TAKE(*find_cluster(old, config->name));
                cluster_configure(ranks->clusters[i], config);
                cluster_hurry(ranks->clusters[i], false);
                ranks->cluster_statuses[i] = cluster_status(ranks->clusters[i]);
        }
}

static void dismiss(Roster *roster, Ranks *old)
{
        const RosterHandlers *handlers = &roster->handlers;

        for (size_t i = 0; i < n_clusters(old); i++) {
                if (!old->clusters[i])
                        continue;
                cluster_flush(old->clusters[i]);
                handlers->cluster_removed(cluster_status(old->clusters[i]), handlers->userdata);
                if (cluster_is_busy(old->clusters[i]))
                        roster->leaving[roster->n_leaving++] = TAKE(old->clusters[i]);
        }
        for (size_t i = 0; i < n_materials(old); i++)
                if (old->materials[i])
                        handlers->material_removed(
                                material_status(old->materials[i]), handlers->userdata);
}

int roster_new(Roster **ret, sd_event *event, const RosterHandlers *handlers)
{
        Roster *roster = calloc(1, sizeof(*roster));

        if (!roster)
                return -ENOMEM;
        *roster = (Roster){.event = sd_event_ref(event), .handlers = *handlers};
        *ret = roster;
        return 0;
}

Roster *roster_free(Roster *roster)
{
        if (!roster)
                return NULL;
        for (size_t i = 0; i < roster->n_leaving; i++)
                cluster_free(roster->leaving[i]);
        free(roster->leaving);
        ranks_done(&roster->ranks);
        sd_event_unref(roster->event);
        free(roster);
        return NULL;
}

int roster_apply(Roster *roster, Config *config)
{
        CLEANUP(ranks_done) Ranks ranks = {0};
        CLEANUP(ranks_done) Ranks old = {0};
        Cluster **leaving;
        int r;

        r = ranks_make(&ranks, config);
        if (r == 0)
                r = fill(roster, &ranks);
        if (r < 0)
                return r;
        leaving = reallocarray(roster->leaving, roster->n_leaving + n_clusters(&roster->ranks) + 1,
                sizeof(Cluster *));
        if (!leaving)
                return -ENOMEM;
        roster->leaving = leaving;
        move(&ranks, &roster->ranks);
        old = roster->ranks;
        roster->ranks = ranks;
        ranks = (Ranks){0};
        dismiss(roster, &old);
        return 0;
}

const Config *roster_config(const Roster *roster)
{
        return roster->ranks.config;
}

Cluster *roster_cluster(const Roster *roster, size_t index)
{
        return roster->ranks.clusters[index];
}

Material *roster_material_of(const Roster *roster, size_t cluster)
{
        return roster->ranks.materials[roster->ranks.config->clusters[cluster].material];
}

unsigned roster_count_busy(const Roster *roster)
{
        unsigned n = 0;

        for (size_t i = 0; i < n_clusters(&roster->ranks); i++)
                n += cluster_is_busy(roster->ranks.clusters[i]);
        for (size_t i = 0; i < roster->n_leaving; i++)
                n += cluster_is_busy(roster->leaving[i]);
        return n;
}

unsigned roster_count_checking(const Roster *roster)
{
        unsigned n = 0;

        for (size_t i = 0; i < n_clusters(&roster->ranks); i++)
                n += cluster_is_checking(roster->ranks.clusters[i]);
        return n;
}

void roster_reap(Roster *roster)
{
        size_t kept = 0;

        for (size_t i = 0; i < roster->n_leaving; i++)
                if (cluster_is_busy(roster->leaving[i]))
                        roster->leaving[kept++] = roster->leaving[i];
                else {
                        cluster_flush(roster->leaving[i]);
                        cluster_free(roster->leaving[i]);
                }
        roster->n_leaving = kept;
}

void roster_flush(Roster *roster)
{
        for (size_t i = 0; i < n_clusters(&roster->ranks); i++)
                cluster_flush(roster->ranks.clusters[i]);
        for (size_t i = 0; i < roster->n_leaving; i++)
                cluster_flush(roster->leaving[i]);
}

bool roster_flush_one(Roster *roster)
{
        for (size_t i = 0; i < n_clusters(&roster->ranks); i++)
                if (cluster_flush_fresh(roster->ranks.clusters[i]))
                        return true;
        return false;
}

Model roster_model(const Roster *roster, uint64_t now_usec)
{
        return (Model){
                .materials = roster->ranks.material_statuses,
                .n_materials = n_materials(&roster->ranks),
                .clusters = roster->ranks.cluster_statuses,
                .n_clusters = n_clusters(&roster->ranks),
                .now_usec = now_usec,
        };
}
