#include "daemon/manager/scheduler.h"

#include "common/clock.h"
#include "daemon/manager/cluster-start.h"
#include "daemon/manager/wave.h"

/* Limit of one pass, a few forks long; a status request waits at most this long. */
#define SCHEDULER_PASS_USEC (3 * USEC_PER_MSEC)

static bool is_due(const Plan *plan, const Cluster *cluster)
{
        if (plan->action == PLAN_CHECK)
                return !cluster_is_checking(cluster);
        return plan_starts(plan->action);
}

typedef struct WaveCounts {
        bool proven[CONFIG_MATERIALS_MAX]; /* by a cluster of the material */
        unsigned n_included[CONFIG_MATERIALS_MAX];
} WaveCounts;

static void count_clusters(WaveCounts *ret, Inventory *inventory, const Config *config)
{
        const Material *material = NULL;
        const char *fingerprint = "";

        for (size_t i = 0; i < config->n_clusters; i++) {
                const ClusterStatus *cluster = cluster_status(inventory_cluster(inventory, i));
                size_t own = config->clusters[i].material;

                if (inventory_material_of(inventory, i) != material)
                        fingerprint = sealed_set_fingerprint(
                                material_set(inventory_material_of(inventory, i)));
                material = inventory_material_of(inventory, i);
                ret->proven[own] |= wave_is_proven_by(cluster, fingerprint);
                ret->n_included[own] += wave_includes(cluster, fingerprint);
        }
}

static void update_wave(Inventory *inventory, size_t canary, bool proven, unsigned n_included)
{
        Cluster *cluster = inventory_cluster(inventory, canary);
        Material *material = inventory_material_of(inventory, canary);
        WaveInput input = {.canary = cluster_status(cluster),
                .fingerprint = sealed_set_fingerprint(material_set(material)),
                .proven = proven,
                .n_included = n_included,
                .hold_usec = inventory_config(inventory)->canary_hold_usec};
        RecordProof proof = wave_prove(&input);
        WaveStatus wave;

        cluster_set_proof(cluster, &proof);
        wave_evaluate(&wave, &input);
        material_set_wave(material, &wave);
}

/* After what has become known since the last pass. */
static void update_waves(Inventory *inventory)
{
        const Config *config = inventory_config(inventory);
        WaveCounts counts = {0};

        if (config->rollout != ROLLOUT_CANARY)
                return;
        count_clusters(&counts, inventory, config);
        for (size_t i = 0; i < config->n_materials; i++) {
                size_t canary = config->materials[i].canary;

                if (canary < SIZE_MAX)
                        update_wave(inventory, canary, counts.proven[i], counts.n_included[i]);
        }
}

uint64_t scheduler_start_due(Inventory *inventory, size_t *turn, uint64_t now_usec)
{
        const Config *config = inventory_config(inventory);
        size_t n = config->n_clusters, first = *turn;
        unsigned importing = inventory_counts(inventory)->n_importing;
        unsigned running = importing + inventory_counts(inventory)->n_checking;
        bool started = false;
        uint64_t earliest = USEC_NEVER;
        const Material *material = NULL;
        const WaveStatus *wave = NULL;
        SealedSet *set = NULL;

        update_waves(inventory);
        for (size_t k = 0; k < n; k++) {
                size_t i = (first + k) % n;
                Cluster *cluster = inventory_cluster(inventory, i);
                const Material *own = inventory_material_of(inventory, i);
                Plan plan;

                /* Thousands of clusters may share a material. */
                if (own != material) {
                        set = material_set(own);
                        wave = &material_status(own)->wave;
                }
                material = own;
                plan = cluster_plan(cluster, set, wave, now_usec);
                if (plan.not_before_usec > 0 && plan.not_before_usec < earliest)
                        earliest = plan.not_before_usec;
                if (!is_due(&plan, cluster))
                        continue;
                if ((plan.action == PLAN_CHECK ? running : importing) >= config->parallel_imports)
                        continue;
                if (plan.action != PLAN_CHECK && inventory_is_server_busy(inventory, i))
                        continue;
                if (started && clock_boottime_usec() - now_usec >= SCHEDULER_PASS_USEC) {
                        earliest = now_usec;
                        continue;
                }
                if (plan.action == PLAN_IMPORT || plan.action == PLAN_HEAL)
                        inventory_begin_rollout(inventory, i, set->info.fingerprint,
                                wave_is_alone(wave, cluster_status(cluster)));
                (void)cluster_start(cluster, plan.action, set);
                started = true;
                *turn = (i + 1) % n;
                /* An import has ended the check of its cluster, and a start may have failed. */
                importing = inventory_counts(inventory)->n_importing;
                running = importing + inventory_counts(inventory)->n_checking;
        }
        return earliest;
}

bool scheduler_is_idle(const Inventory *inventory, bool *ret_current)
{
        ManagerStatus status = inventory_status(inventory, 0);
        bool current = true;

        for (size_t i = 0; i < status.n_materials; i++) {
                const MaterialStatus *material = status.materials[i];

                if (material->not_responding_since_at_usec > 0)
                        current = false; /* no end of the wait is known */
                else if (!material->inspected || material->state == MATERIAL_STATE_CHANGING)
                        return false;
        }
        for (size_t i = 0; i < status.n_clusters; i++) {
                ClusterState state = status.clusters[i]->state;

                if (state == CLUSTER_IMPORTING || status.clusters[i]->check.due)
                        return false; /* it runs or waits for its turn */
                current = current && (state == CLUSTER_CURRENT || state == CLUSTER_DISABLED);
        }
        *ret_current = current;
        return true;
}
