#include "daemon/manager/scheduler.h"

#include "common/clock.h"

/* Limit of one pass, a few forks long; a status request waits at most this long. */
#define SCHEDULER_PASS_USEC (3 * USEC_PER_MSEC)

static bool is_due(const Plan *plan, const Cluster *cluster)
{
        if (plan->action == PLAN_CHECK)
                return !cluster_is_checking(cluster);
        return plan->action == PLAN_IMPORT || plan->action == PLAN_RESTART_REPLICATION ||
                plan->action == PLAN_START_REPLICATION;
}

uint64_t scheduler_start_due(Inventory *inventory, size_t *turn, uint64_t now_usec)
{
        const Config *config = inventory_config(inventory);
        size_t n = config->n_clusters, first = *turn;
        unsigned importing = inventory_count_importing(inventory);
        unsigned running = importing + inventory_count_checking(inventory);
        bool started = false;
        uint64_t earliest = USEC_NEVER;
        const Material *material = NULL;
        SealedSet *set = NULL;

        for (size_t k = 0; k < n; k++) {
                size_t i = (first + k) % n;
                Cluster *cluster = inventory_cluster(inventory, i);
                const Material *own = inventory_material_of(inventory, i);
                Plan plan;

                /* Thousands of clusters may share a material. */
                if (own != material)
                        set = material_set(own);
                material = own;
                plan = cluster_plan(cluster, set, now_usec);
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
                if (plan.action == PLAN_IMPORT)
                        inventory_begin_rollout(inventory, i, set->info.fingerprint);
                (void)cluster_start(cluster, plan.action, set);
                started = true;
                *turn = (i + 1) % n;
                /* An import has ended the check of its cluster, and a start may have failed. */
                importing = inventory_count_importing(inventory);
                running = importing + inventory_count_checking(inventory);
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
