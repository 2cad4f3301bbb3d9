#include "daemon/manager/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/schema.h"
#include "daemon/record/record-file.h"
#include "daemon/record/rollout-table.h"
#include "daemon/record/rollout.h"

/* The objects of one configuration, in its order. */
typedef struct Generation {
        Config *config;
        Material **materials;
        size_t n_materials;
        Cluster **clusters;
        size_t n_clusters;
        const MaterialStatus **material_statuses;
        const ClusterStatus **cluster_statuses;
} Generation;

struct Inventory {
        sd_event *event;
        InventoryHandlers handlers;
        RolloutTable *rollouts;
        Generation generation;
        Generation *retired; /* earlier ones, as long as an importer of their clusters runs */
        size_t n_retired;
};

static int generation_new(Generation *ret, Config *config)
{
        *ret = (Generation){
                .config = config,
                .materials = calloc(config->n_materials, sizeof(Material *)),
                .n_materials = config->n_materials,
                .clusters = calloc(config->n_clusters, sizeof(Cluster *)),
                .n_clusters = config->n_clusters,
                .material_statuses = calloc(config->n_materials, sizeof(MaterialStatus *)),
                .cluster_statuses = calloc(config->n_clusters, sizeof(ClusterStatus *)),
        };
        return ret->materials && ret->clusters && ret->material_statuses && ret->cluster_statuses
                ? 0
                : -ENOMEM;
}

/* Frees the configuration and the objects that are still in the arrays. */
static void generation_done(Generation *generation)
{
        for (size_t i = 0; generation->clusters && i < generation->n_clusters; i++)
                cluster_free(generation->clusters[i]);
        for (size_t i = 0; generation->materials && i < generation->n_materials; i++)
                material_free(generation->materials[i]);
        free(generation->materials);
        free(generation->clusters);
        free(generation->material_statuses);
        free(generation->cluster_statuses);
        config_free(generation->config);
        *generation = (Generation){0};
}

static Material **find_material(const Generation *generation, const MaterialConfig *config)
{
        for (size_t i = 0; i < generation->n_materials; i++) {
                const MaterialConfig *other = &generation->config->materials[i];

                if (strcmp(other->name, config->name) == 0 &&
                        config_key_table_equal(&schema_material, other, config))
                        return &generation->materials[i];
        }
        return NULL;
}

static Cluster **find_cluster(const Generation *generation, const char *name)
{
        for (size_t i = 0; i < generation->n_clusters; i++)
                if (strcmp(generation->config->clusters[i].name, name) == 0)
                        return &generation->clusters[i];
        return NULL;
}

/* Returns NULL unless a cluster of this name is retired. */
static Cluster **find_retired(const Inventory *inventory, const char *name)
{
        for (size_t i = 0; i < inventory->n_retired; i++)
                for (size_t k = 0; k < inventory->retired[i].n_clusters; k++) {
                        Cluster **cluster = &inventory->retired[i].clusters[k];

                        if (*cluster && strcmp(cluster_status(*cluster)->config->name, name) == 0)
                                return cluster;
                }
        return NULL;
}

/* There is at most one cluster of a name. */
static Cluster **find_existing(const Inventory *inventory, const char *name)
{
        Cluster **cluster = find_cluster(&inventory->generation, name);

        return cluster ? cluster : find_retired(inventory, name);
}

/* At the start: a daemon that was killed may have left the set of a rollout in the cluster. This is
 * written at once, since the next import replaces the rollout on disk. */
static void doubt_record(Inventory *inventory, Record *record, const ClusterConfig *config)
{
        bool is_start = !inventory->generation.config;

        if (is_start &&
                rollout_doubt(rollout_table_load(inventory->rollouts, config->material_name),
                        config->name, record))
                (void)record_save(config->name, record);
}

static int load_cluster(
        Inventory *inventory, Cluster **ret, const Config *daemon, const ClusterConfig *config)
{
        Record record;
        int r = record_load(&record, config->name);

        if (r < 0 && r != -ENOENT)
                inventory->handlers.record_unreadable(
                        config->name, r, inventory->handlers.userdata);
        doubt_record(inventory, &record, config);
        return cluster_new(ret, inventory->event, daemon, config, &record,
                inventory->handlers.cluster_changed, inventory->handlers.userdata);
}

/* Makes the objects that do not exist yet; the others are adopted later. */
static int create_new(Inventory *inventory, Generation *generation)
{
        /* First, so that the watch processes do not keep what clusters change. */
        for (size_t i = 0; i < generation->n_materials; i++) {
                const MaterialConfig *config = &generation->config->materials[i];
                int r = find_material(&inventory->generation, config)
                        ? 0
                        : material_new(&generation->materials[i], inventory->event, config,
                                  inventory->handlers.material_changed,
                                  inventory->handlers.userdata);

                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < generation->n_clusters; i++) {
                const ClusterConfig *config = &generation->config->clusters[i];
                int r = find_existing(inventory, config->name)
                        ? 0
                        : load_cluster(
                                  inventory, &generation->clusters[i], generation->config, config);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Cannot fail, so that every error of a reload leaves the inventory unchanged. */
static void adopt_existing(Inventory *inventory, Generation *generation)
{
        const Generation *old = &inventory->generation;

        for (size_t i = 0; i < generation->n_materials; i++) {
                const MaterialConfig *config = &generation->config->materials[i];

                if (!generation->materials[i])
                        generation->materials[i] = TAKE(*find_material(old, config));
                material_configure(generation->materials[i], config);
                generation->material_statuses[i] = material_status(generation->materials[i]);
        }
        for (size_t i = 0; i < generation->n_clusters; i++) {
                const ClusterConfig *config = &generation->config->clusters[i];

                if (!generation->clusters[i])
                        generation->clusters[i] = TAKE(*find_existing(inventory, config->name));
                cluster_configure(generation->clusters[i], generation->config, config);
                cluster_reset_back_off(generation->clusters[i]);
                generation->cluster_statuses[i] = cluster_status(generation->clusters[i]);
        }
}

static void report_removed(const InventoryHandlers *handlers, const Generation *old)
{
        for (size_t i = 0; i < old->n_clusters; i++)
                if (old->clusters[i]) {
                        cluster_flush(old->clusters[i]);
                        handlers->cluster_removed(
                                cluster_status(old->clusters[i]), handlers->userdata);
                }
        for (size_t i = 0; i < old->n_materials; i++)
                if (old->materials[i])
                        handlers->material_removed(
                                material_status(old->materials[i]), handlers->userdata);
}

/* Keeps the clusters whose importer runs, and the configuration into which they point. Returns true
 * if there are any. */
static bool generation_retire(Generation *generation)
{
        size_t kept = 0;

        for (size_t i = 0; i < generation->n_clusters; i++)
                if (generation->clusters[i] && cluster_is_importing(generation->clusters[i]))
                        generation->clusters[kept++] = generation->clusters[i];
                else
                        cluster_free(generation->clusters[i]);
        generation->n_clusters = kept;
        for (size_t i = 0; i < generation->n_materials; i++)
                material_free(generation->materials[i]);
        generation->n_materials = 0;
        return kept > 0;
}

int inventory_new(Inventory **ret, sd_event *event, const InventoryHandlers *handlers)
{
        CLEANUP(inventory_freep) Inventory *inventory = calloc(1, sizeof(*inventory));
        int r;

        if (!inventory)
                return -ENOMEM;
        *inventory = (Inventory){.event = sd_event_ref(event), .handlers = *handlers};
        r = rollout_table_new(&inventory->rollouts);
        if (r < 0)
                return r;
        *ret = TAKE(inventory);
        return 0;
}

Inventory *inventory_free(Inventory *inventory)
{
        if (!inventory)
                return NULL;
        for (size_t i = 0; i < inventory->n_retired; i++)
                generation_done(&inventory->retired[i]);
        free(inventory->retired);
        generation_done(&inventory->generation);
        rollout_table_free(inventory->rollouts);
        sd_event_unref(inventory->event);
        free(inventory);
        return NULL;
}

void inventory_free_retired(Inventory *inventory)
{
        size_t kept = 0;

        for (size_t i = 0; i < inventory->n_retired; i++) {
                Generation *retired = &inventory->retired[i];

                for (size_t k = 0; k < retired->n_clusters; k++)
                        if (retired->clusters[k] && !cluster_is_importing(retired->clusters[k]))
                                cluster_flush(retired->clusters[k]);
                if (generation_retire(retired))
                        inventory->retired[kept++] = *retired;
                else
                        generation_done(retired);
        }
        inventory->n_retired = kept;
}

int inventory_apply(Inventory *inventory, Config *config)
{
        CLEANUP(generation_done) Generation generation = {0};
        CLEANUP(generation_done) Generation old = {0};
        int r;

        r = generation_new(&generation, config);
        if (r == 0)
                r = create_new(inventory, &generation);
        if (r < 0)
                return r;
        if (!GROW(inventory->retired, inventory->n_retired))
                return -ENOMEM;
        adopt_existing(inventory, &generation);
        old = inventory->generation;
        inventory->generation = generation;
        generation = (Generation){0};
        report_removed(&inventory->handlers, &old);
        if (generation_retire(&old)) {
                inventory->retired[inventory->n_retired++] = old;
                old = (Generation){0};
        }
        inventory_free_retired(inventory); /* a cluster may have left one of them */
        return 0;
}

const Config *inventory_config(const Inventory *inventory)
{
        return inventory->generation.config;
}

Cluster *inventory_cluster(const Inventory *inventory, size_t index)
{
        return inventory->generation.clusters[index];
}

Material *inventory_material_of(const Inventory *inventory, size_t cluster)
{
        return inventory->generation
                .materials[inventory->generation.config->clusters[cluster].material];
}

bool inventory_is_in_force(const Inventory *inventory, const Cluster *cluster)
{
        for (size_t i = 0; i < inventory->generation.n_clusters; i++)
                if (inventory->generation.clusters[i] == cluster)
                        return true;
        return false;
}

unsigned inventory_count_importing(const Inventory *inventory)
{
        unsigned n = 0;

        for (size_t i = 0; i < inventory->generation.n_clusters; i++)
                n += cluster_is_importing(inventory->generation.clusters[i]);
        for (size_t i = 0; i < inventory->n_retired; i++)
                for (size_t k = 0; k < inventory->retired[i].n_clusters; k++)
                        n += cluster_is_importing(inventory->retired[i].clusters[k]);
        return n;
}

void inventory_begin_rollout(
        Inventory *inventory, size_t cluster, const char *fingerprint, bool alone)
{
        const ClusterConfig *config = &inventory->generation.config->clusters[cluster];

        rollout_table_begin(
                inventory->rollouts, config->material_name, fingerprint, alone ? config->name : "");
}

void inventory_end_rollouts(Inventory *inventory)
{
        for (size_t i = 0; i < inventory->generation.n_clusters; i++)
                if (inventory->generation.cluster_statuses[i]->record_error != 0)
                        return;
        rollout_table_end(inventory->rollouts);
}

bool inventory_is_server_busy(const Inventory *inventory, size_t cluster)
{
        const ClusterConfig *configs = inventory->generation.config->clusters;
        const ClusterConfig *config = &configs[cluster];

        for (size_t i = 0; i < inventory->n_retired; i++)
                for (size_t k = 0; k < inventory->retired[i].n_clusters; k++)
                        if (cluster_is_importing_into(inventory->retired[i].clusters[k],
                                    config->login.host, config->login.port))
                                return true;
        for (size_t i = 0; i < inventory->generation.n_clusters; i++)
                if ((configs[i].login.port != config->login.port ||
                            strcmp(configs[i].login.host, config->login.host) != 0) &&
                        cluster_is_importing_into(inventory->generation.clusters[i],
                                config->login.host, config->login.port))
                        return true;
        return false;
}

unsigned inventory_count_checking(const Inventory *inventory)
{
        unsigned n = 0;

        for (size_t i = 0; i < inventory->generation.n_clusters; i++)
                n += cluster_is_checking(inventory->generation.clusters[i]);
        return n;
}

static uint64_t later(uint64_t usec, const Cluster *cluster)
{
        uint64_t deadline = cluster_status(cluster)->deadline_usec;

        return deadline > usec ? deadline : usec;
}

uint64_t inventory_import_deadline_usec(const Inventory *inventory)
{
        uint64_t latest = 0;

        for (size_t i = 0; i < inventory->generation.n_clusters; i++)
                latest = later(latest, inventory->generation.clusters[i]);
        for (size_t i = 0; i < inventory->n_retired; i++)
                for (size_t k = 0; k < inventory->retired[i].n_clusters; k++)
                        latest = later(latest, inventory->retired[i].clusters[k]);
        return latest;
}

void inventory_end_checks(Inventory *inventory)
{
        for (size_t i = 0; i < inventory->generation.n_clusters; i++)
                cluster_end_check(inventory->generation.clusters[i]);
}

void inventory_abort_imports(Inventory *inventory)
{
        for (size_t i = 0; i < inventory->generation.n_clusters; i++)
                cluster_abort_import(inventory->generation.clusters[i]);
        for (size_t i = 0; i < inventory->n_retired; i++)
                for (size_t k = 0; k < inventory->retired[i].n_clusters; k++)
                        cluster_abort_import(inventory->retired[i].clusters[k]);
}

void inventory_flush(Inventory *inventory)
{
        for (size_t i = 0; i < inventory->generation.n_clusters; i++)
                cluster_flush(inventory->generation.clusters[i]);
        for (size_t i = 0; i < inventory->n_retired; i++)
                for (size_t k = 0; k < inventory->retired[i].n_clusters; k++)
                        cluster_flush(inventory->retired[i].clusters[k]);
}

bool inventory_flush_one(Inventory *inventory)
{
        for (size_t i = 0; i < inventory->generation.n_clusters; i++)
                if (cluster_flush_pending(inventory->generation.clusters[i]))
                        return true;
        return false;
}

bool inventory_set_warned(
        Inventory *inventory, const char *material, const char *fingerprint, uint64_t within_usec)
{
        const Config *config = inventory->generation.config;
        bool first = true;

        for (size_t i = 0; i < config->n_clusters; i++) {
                Cluster *cluster = inventory->generation.clusters[i];

                if (strcmp(config->clusters[i].material_name, material) != 0)
                        continue;
                if (cluster_was_warned(cluster, fingerprint, within_usec))
                        first = false;
                else
                        cluster_set_warned(cluster, fingerprint, within_usec);
        }
        return first;
}

ManagerStatus inventory_status(const Inventory *inventory, uint64_t now_usec)
{
        return (ManagerStatus){
                .materials = inventory->generation.material_statuses,
                .n_materials = inventory->generation.n_materials,
                .clusters = inventory->generation.cluster_statuses,
                .n_clusters = inventory->generation.n_clusters,
                .now_usec = now_usec,
        };
}
