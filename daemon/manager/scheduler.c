#include "daemon/manager/scheduler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/cluster/cluster-start.h"
#include "daemon/cluster/wave.h"

/* Limit of one pass, a few forks long; a status request waits at most this long. */
#define SCHEDULER_PASS_USEC (3 * USEC_PER_MSEC)

/* A flag for each cluster, by its index in the configuration: memchr(3) finds the next of 4096 in
 * less than a microsecond. */
typedef char Flags[CONFIG_CLUSTERS_MAX];

struct Scheduler {
        Inventory *inventory;
        size_t turn;                         /* index of the first cluster of the next pass */
        Flags marked;                        /* to be planned */
        Flags import_due, check_due;         /* may start as soon as there is a place */
        uint64_t times[CONFIG_CLUSTERS_MAX]; /* of the next plan */
        Flags included, proven;              /* see wave_includes(), wave_is_proven_by() */
        unsigned n_included[CONFIG_MATERIALS_MAX], n_proven[CONFIG_MATERIALS_MAX]; /* of these */
        bool wave_marked[CONFIG_MATERIALS_MAX];
};

/* Returns the first index from `i` on with that flag; `n` if there is none below it. */
static size_t next(const Flags flags, size_t i, size_t n)
{
        const char *found = i < n ? memchr(flags + i, 1, n - i) : NULL;

        return found ? (size_t)(found - flags) : n;
}

/* The same for the `k` of the index (turn + k) % n. */
static size_t next_in_turn(const Flags flags, size_t turn, size_t k, size_t n)
{
        size_t begin = turn + k, i = next(flags, begin, n);

        if (i < n)
                return i - turn;
        i = next(flags, begin > n ? begin - n : 0, turn);
        return i < turn ? i + n - turn : n;
}

int scheduler_new(Scheduler **ret, Inventory *inventory)
{
        Scheduler *scheduler = calloc(1, sizeof(*scheduler));

        if (!scheduler)
                return -ENOMEM;
        scheduler->inventory = inventory;
        *ret = scheduler;
        return 0;
}

Scheduler *scheduler_free(Scheduler *scheduler)
{
        free(scheduler);
        return NULL;
}

void scheduler_reset(Scheduler *scheduler)
{
        size_t n = inventory_config(scheduler->inventory)->n_clusters;

        *scheduler = (Scheduler){.inventory = scheduler->inventory, .turn = scheduler->turn};
        memset(scheduler->marked, 1, n);
        for (size_t i = 0; i < n; i++)
                scheduler->times[i] = USEC_NEVER;
}

void scheduler_mark(Scheduler *scheduler, size_t cluster)
{
        scheduler->marked[cluster] = 1;
}

void scheduler_mark_material(Scheduler *scheduler, const Material *material)
{
        size_t n = inventory_config(scheduler->inventory)->n_clusters;

        for (size_t i = 0; i < n; i++)
                if (inventory_material_of(scheduler->inventory, i) == material)
                        scheduler_mark(scheduler, i);
}

static void set_flag(char *flag, bool value, unsigned *n)
{
        *n += (unsigned)value - (unsigned)*flag;
        *flag = value;
}

/* What the cluster is for the wave of its material may have changed. */
static void count_cluster(Scheduler *scheduler, size_t i)
{
        size_t own = inventory_config(scheduler->inventory)->clusters[i].material;
        const ClusterStatus *cluster = cluster_status(inventory_cluster(scheduler->inventory, i));
        const char *fingerprint = sealed_set_fingerprint(
                material_set(inventory_material_of(scheduler->inventory, i)));

        set_flag(&scheduler->included[i], wave_includes(cluster, fingerprint),
                &scheduler->n_included[own]);
        set_flag(&scheduler->proven[i], wave_is_proven_by(cluster, fingerprint),
                &scheduler->n_proven[own]);
        scheduler->wave_marked[own] = true;
}

static void update_wave(Scheduler *scheduler, size_t own, size_t canary)
{
        Cluster *cluster = inventory_cluster(scheduler->inventory, canary);
        Material *material = inventory_material_of(scheduler->inventory, canary);
        WaveInput input = {.canary = cluster_status(cluster),
                .fingerprint = sealed_set_fingerprint(material_set(material)),
                .proven = scheduler->n_proven[own] > 0,
                .n_included = scheduler->n_included[own],
                .hold_usec = inventory_config(scheduler->inventory)->canary_hold_usec};
        char fault[OUTCOME_TEXT_MAX];
        RecordProof proof = wave_prove(fault, &input);
        WaveStatus wave;

        cluster_set_proof(cluster, &proof, fault);
        count_cluster(scheduler, canary);
        wave_evaluate(&wave, &input);
        scheduler_mark(scheduler, canary); /* it may be checked more often, or less */
        if (!wave_status_equal(&wave, &material_status(material)->wave))
                scheduler_mark_material(scheduler, material);
        material_set_wave(material, &wave);
}

/* After what has become known since the last pass. */
static void update_waves(Scheduler *scheduler)
{
        const Config *config = inventory_config(scheduler->inventory);
        size_t n = config->n_clusters;

        if (config->rollout != ROLLOUT_CANARY)
                return;
        for (size_t i = next(scheduler->marked, 0, n); i < n; i = next(scheduler->marked, i + 1, n))
                count_cluster(scheduler, i);
        for (size_t i = 0; i < config->n_materials; i++) {
                size_t canary = config->materials[i].canary;

                if (scheduler->wave_marked[i] && canary < SIZE_MAX)
                        update_wave(scheduler, i, canary);
                scheduler->wave_marked[i] = false;
        }
}

static bool is_due(const Plan *plan, const Cluster *cluster)
{
        if (plan->action == PLAN_CHECK)
                return !cluster_is_checking(cluster);
        return plan_starts(plan->action);
}

static Plan plan(Scheduler *scheduler, size_t i, uint64_t now_usec)
{
        Cluster *cluster = inventory_cluster(scheduler->inventory, i);
        const Material *material = inventory_material_of(scheduler->inventory, i);
        Plan plan = cluster_plan(
                cluster, material_set(material), &material_status(material)->wave, now_usec);
        bool due = is_due(&plan, cluster);

        scheduler->marked[i] = 0;
        scheduler->times[i] = plan.not_before_usec > 0 ? plan.not_before_usec : USEC_NEVER;
        scheduler->import_due[i] = due && plan.action != PLAN_CHECK;
        scheduler->check_due[i] = due && plan.action == PLAN_CHECK;
        return plan;
}

static void plan_marked(Scheduler *scheduler, uint64_t now_usec)
{
        size_t n = inventory_config(scheduler->inventory)->n_clusters;

        for (size_t i = next(scheduler->marked, 0, n); i < n; i = next(scheduler->marked, i + 1, n))
                (void)plan(scheduler, i, now_usec);
}

static void mark_by_time(Scheduler *scheduler, uint64_t now_usec)
{
        for (size_t i = 0; i < inventory_config(scheduler->inventory)->n_clusters; i++)
                if (scheduler->times[i] <= now_usec)
                        scheduler_mark(scheduler, i);
}

static uint64_t earliest_time(const Scheduler *scheduler)
{
        uint64_t earliest = USEC_NEVER;

        for (size_t i = 0; i < inventory_config(scheduler->inventory)->n_clusters; i++)
                if (scheduler->times[i] < earliest)
                        earliest = scheduler->times[i];
        return earliest;
}

static void start(Scheduler *scheduler, size_t i, PlanAction action)
{
        Inventory *inventory = scheduler->inventory;
        Cluster *cluster = inventory_cluster(inventory, i);
        const Material *material = inventory_material_of(inventory, i);
        SealedSet *set = material_set(material);

        scheduler->import_due[i] = scheduler->check_due[i] = 0;
        if (action == PLAN_IMPORT || action == PLAN_HEAL)
                inventory_begin_rollout(inventory, i, set->info.fingerprint,
                        wave_is_alone(&material_status(material)->wave, cluster_status(cluster)));
        (void)cluster_start(cluster, action, set);
        scheduler->turn = (i + 1) % inventory_config(inventory)->n_clusters;
}

/* Returns false if the pass ends early. */
static bool start_due(Scheduler *scheduler, uint64_t now_usec)
{
        const Config *config = inventory_config(scheduler->inventory);
        const ClusterCounts *counts = inventory_counts(scheduler->inventory);
        size_t n = config->n_clusters, turn = n > 0 ? scheduler->turn % n : 0;
        bool started = false;

        for (size_t k = 0; k < n; k++) {
                unsigned running = counts->n_importing + counts->n_checking;
                size_t import = counts->n_importing < config->parallel_imports
                        ? next_in_turn(scheduler->import_due, turn, k, n)
                        : n;
                size_t check = running < config->parallel_imports
                        ? next_in_turn(scheduler->check_due, turn, k, n)
                        : n;
                PlanAction action;
                size_t i;

                k = import < check ? import : check;
                i = (turn + k) % n;
                if (k == n)
                        break;
                if (k == import && inventory_is_server_busy(scheduler->inventory, i))
                        continue;
                if (started && clock_boottime_usec() - now_usec >= SCHEDULER_PASS_USEC)
                        return false;
                /* It may have waited for its place for long. */
                action = plan(scheduler, i, now_usec).action;
                if (!(k == import ? scheduler->import_due : scheduler->check_due)[i])
                        continue;
                start(scheduler, i, action);
                started = true;
        }
        return true;
}

uint64_t scheduler_start_due(Scheduler *scheduler, uint64_t now_usec)
{
        mark_by_time(scheduler, now_usec);
        update_waves(scheduler);
        plan_marked(scheduler, now_usec);
        return start_due(scheduler, now_usec) ? earliest_time(scheduler) : now_usec;
}

bool scheduler_is_idle(const Scheduler *scheduler, bool *ret_current)
{
        ManagerStatus status = inventory_status(scheduler->inventory, 0);
        size_t n = status.n_clusters;
        bool current = true;

        for (size_t i = 0; i < status.n_materials; i++) {
                const MaterialStatus *material = status.materials[i];

                if (material->not_responding_since_at_usec > 0)
                        current = false; /* no end of the wait is known */
                else if (!material->inspected || material->state == MATERIAL_STATE_CHANGING)
                        return false;
        }
        if (next(scheduler->import_due, 0, n) < n || next(scheduler->check_due, 0, n) < n)
                return false;
        for (size_t i = 0; i < n; i++) {
                ClusterState state = status.clusters[i]->state;

                if (state == CLUSTER_IMPORTING || status.clusters[i]->check.due)
                        return false; /* it runs, or waits for its turn */
                current = current && (state == CLUSTER_CURRENT || state == CLUSTER_DISABLED);
        }
        *ret_current = current;
        return true;
}
