#include "daemon/manager/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/manager/generation.h"
#include "daemon/record/record-file.h"
#include "daemon/record/rollout-table.h"
#include "daemon/record/rollout.h"

/* In one turn of the loop: a reload can remove thousands. */
#define INVENTORY_FREE_MAX 256

struct Inventory {
        sd_event *event;
        InventoryHandlers handlers;
        RolloutTable *rollouts;
        Generation generation; /* in force */
        Generation next;       /* while it is prepared */
        GenerationSlot *existing;
        size_t n_prepared; /* clusters of it that exist */
        ClusterOwner owner;
        size_t unwritten; /* where the search for a record to be written goes on */
        bool strays; /* an import may run into a server that is not that of its cluster in force */
};

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
        Inventory *inventory, Cluster **ret, Config *daemon, const ClusterConfig *config)
{
        CLEANUP(record_done) Record record = RECORD_NULL;
        int r = record_load(&record, config->name);

        if (r < 0 && r != -ENOENT)
                inventory->handlers.record_unreadable(
                        config->name, r, inventory->handlers.userdata);
        doubt_record(inventory, &record, config);
        return cluster_new(ret, &inventory->owner, daemon, config, &record);
}

/* Reports nothing of a material that is not in force yet; see inventory_adopt(). */
static void on_material(Material *material, void *userdata)
{
        const Inventory *inventory = userdata;
        const Generation *generation = &inventory->generation;

        for (size_t i = 0; generation->config && i < generation->config->n_materials; i++)
                if (generation->materials[i] == material)
                        inventory->handlers.material_changed(
                                material, inventory->handlers.userdata);
}

/* Those that do not exist yet; the others are adopted later. */
static int create_materials(Inventory *inventory, Generation *generation)
{
        const Config *config = generation->config;
        int r = 0;

        for (size_t i = 0; i < config->n_materials && r == 0; i++)
                if (!generation_find_material(&inventory->generation, &config->materials[i]))
                        r = material_new(&generation->materials[i], inventory->event,
                                &config->materials[i], on_material, inventory);
        return r;
}

static void report_removed(const InventoryHandlers *handlers, const Generation *old)
{
        for (size_t i = 0; i < generation_n_clusters(old); i++)
                if (old->clusters[i]) {
                        cluster_flush(old->clusters[i]);
                        handlers->cluster_removed(
                                cluster_status(old->clusters[i]), handlers->userdata);
                }
        for (size_t i = 0; old->config && i < old->config->n_materials; i++)
                if (old->materials[i])
                        handlers->material_removed(
                                material_status(old->materials[i]), handlers->userdata);
}

int inventory_new(Inventory **ret, sd_event *event, const InventoryHandlers *handlers)
{
        CLEANUP(inventory_freep) Inventory *inventory = calloc(1, sizeof(*inventory));
        int r;

        if (!inventory)
                return -ENOMEM;
        *inventory = (Inventory){.event = sd_event_ref(event),
                .handlers = *handlers,
                .owner = {.event = event,
                        .changed = handlers->cluster_changed,
                        .userdata = handlers->userdata}};
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
        inventory_cancel(inventory);
        generation_done(&inventory->generation);
        rollout_table_free(inventory->rollouts);
        sd_event_unref(inventory->event);
        free(inventory);
        return NULL;
}

bool inventory_free_gone(Inventory *inventory)
{
        Generation *generation = &inventory->generation;
        size_t kept = generation_n_clusters(generation);
        unsigned n_freed = 0, n_left = 0;

        if (inventory->existing)
                return false; /* one of them may come back */
        for (size_t i = kept; i < generation->n_clusters; i++) {
                Cluster *cluster = generation->clusters[i];
                bool idle = !cluster_is_importing(cluster);

                if (idle && n_freed < INVENTORY_FREE_MAX) {
                        cluster_free(cluster);
                        n_freed++;
                        continue;
                }
                n_left += idle;
                generation->clusters[kept++] = cluster;
        }
        generation->n_clusters = kept;
        return n_left > 0;
}

void inventory_cancel(Inventory *inventory)
{
        generation_done(&inventory->next);
        free(TAKE(inventory->existing));
}

int inventory_prepare(Inventory *inventory, Config *config)
{
        int r;

        inventory_cancel(inventory);
        r = generation_new(&inventory->next, config, inventory->generation.n_clusters);
        inventory->existing = generation_list(&inventory->generation);
        inventory->n_prepared = 0;
        if (r == 0)
                /* First, so that the watch processes do not keep what clusters change. */
                r = inventory->existing ? create_materials(inventory, &inventory->next) : -ENOMEM;
        if (r < 0)
                inventory_cancel(inventory);
        return r;
}

int inventory_prepare_some(Inventory *inventory, size_t n)
{
        Generation *next = &inventory->next;
        size_t *i = &inventory->n_prepared;
        int r = 0;

        for (; *i < next->config->n_clusters && n > 0 && r == 0; (*i)++) {
                const ClusterConfig *config = &next->config->clusters[*i];

                if (generation_find(&inventory->generation, inventory->existing, *i, config->name))
                        continue;
                r = load_cluster(inventory, &next->clusters[*i], next->config, config);
                n--;
        }
        if (r < 0)
                inventory_cancel(inventory);
        return r < 0 ? r : *i < next->config->n_clusters;
}

void inventory_adopt(Inventory *inventory)
{
        const InventoryHandlers *handlers = &inventory->handlers;
        CLEANUP(generation_done) Generation old = inventory->generation;
        bool is_new[CONFIG_MATERIALS_MAX] = {0};
        Generation *generation = &inventory->generation;

        for (size_t i = 0; i < inventory->next.config->n_materials; i++)
                is_new[i] = inventory->next.materials[i];
        generation_adopt(&inventory->next, &old, inventory->existing);
        *generation = inventory->next;
        inventory->next = GENERATION_NULL;
        free(TAKE(inventory->existing));
        report_removed(handlers, &old);
        generation_keep_gone(generation, &old);
        inventory->strays = inventory->owner.counts.n_importing > 0;
        for (size_t i = 0; i < generation->config->n_materials; i++)
                if (is_new[i] && material_status(generation->materials[i])->inspected)
                        handlers->material_changed(generation->materials[i], handlers->userdata);
}

int inventory_apply(Inventory *inventory, Config *config)
{
        int r = inventory_prepare(inventory, config);

        if (r == 0)
                r = inventory_prepare_some(inventory, SIZE_MAX);
        if (r == 0)
                inventory_adopt(inventory);
        return r;
}

const Config *inventory_config(const Inventory *inventory)
{
        return inventory->generation.config;
}

Config *inventory_ref_config(const Inventory *inventory)
{
        return config_ref(inventory->generation.config);
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

void inventory_adopt_set(Inventory *inventory, const Material *material)
{
        const SealedSet *set = material_set(material);

        for (size_t i = 0; set && i < generation_n_clusters(&inventory->generation); i++)
                if (inventory_material_of(inventory, i) == material)
                        cluster_adopt_set(inventory->generation.clusters[i], &set->info);
}

bool inventory_find(const Inventory *inventory, const Cluster *cluster, size_t *ret)
{
        const Config *config = inventory->generation.config;
        const ClusterConfig *own = cluster_status(cluster)->config;

        *ret = own >= config->clusters ? (size_t)(own - config->clusters) : SIZE_MAX;
        return *ret < config->n_clusters;
}

const ClusterCounts *inventory_counts(const Inventory *inventory)
{
        return &inventory->owner.counts;
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
        for (size_t i = 0; i < generation_n_clusters(&inventory->generation); i++)
                if (inventory->generation.cluster_statuses[i]->record_error != 0)
                        return;
        rollout_table_end(inventory->rollouts);
}

/* Returns true if an import of it runs into another server than that of a cluster in force. */
static bool is_stray(const Generation *generation, size_t i)
{
        const Cluster *cluster = generation->clusters[i];
        const LoginConfig *own = &cluster_status(cluster)->config->login;

        return cluster_is_importing(cluster) &&
                (i >= generation_n_clusters(generation) ||
                        !cluster_is_importing_into(cluster, own->host, own->port));
}

bool inventory_is_server_busy(Inventory *inventory, size_t cluster)
{
        const Generation *generation = &inventory->generation;
        const LoginConfig *login = &generation->config->clusters[cluster].login;
        bool strays = false;

        for (size_t i = 0; inventory->strays && i < generation->n_clusters; i++) {
                if (!is_stray(generation, i))
                        continue;
                strays = true;
                if (cluster_is_importing_into(generation->clusters[i], login->host, login->port))
                        return true;
        }
        inventory->strays = strays;
        return false;
}

bool inventory_is_inspected(const Inventory *inventory)
{
        for (size_t i = 0; i < inventory->generation.config->n_materials; i++)
                if (!material_status(inventory->generation.materials[i])->inspected)
                        return false;
        return true;
}

uint64_t inventory_import_deadline_usec(const Inventory *inventory)
{
        uint64_t latest = 0;

        for (size_t i = 0; i < inventory->generation.n_clusters; i++) {
                const ClusterStatus *status = cluster_status(inventory->generation.clusters[i]);

                if (status->deadline_usec > latest)
                        latest = status->deadline_usec;
        }
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
}

void inventory_flush(Inventory *inventory)
{
        for (size_t i = 0; i < inventory->generation.n_clusters; i++)
                cluster_flush(inventory->generation.clusters[i]);
}

bool inventory_flush_one(Inventory *inventory)
{
        const Generation *generation = &inventory->generation;

        for (size_t i = 0; inventory->owner.counts.n_unwritten > 0 && i < generation->n_clusters;
                i++) {
                size_t next = inventory->unwritten++ % generation->n_clusters;

                if (cluster_flush_pending(generation->clusters[next]))
                        return true;
        }
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
        const Config *config = inventory->generation.config;

        return (ManagerStatus){
                .materials = inventory->generation.material_statuses,
                .n_materials = config ? config->n_materials : 0,
                .clusters = inventory->generation.cluster_statuses,
                .n_clusters = generation_n_clusters(&inventory->generation),
                .now_usec = now_usec,
        };
}
