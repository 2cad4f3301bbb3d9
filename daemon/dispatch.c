#include "daemon/dispatch.h"

#include "common/clock.h"

/* A few forks long; whoever asks for the status meanwhile waits as long. */
#define DISPATCH_TURN_USEC (3 * USEC_PER_MSEC)

static bool is_due(const Plan *plan, const Cluster *cluster)
{
        if (plan->action == PLAN_CHECK)
                return !cluster_is_checking(cluster);
        return plan->action == PLAN_IMPORT || plan->action == PLAN_RECONNECT;
}

uint64_t dispatch_imports(Roster *roster, size_t *turn, uint64_t now_usec)
{
        const Config *config = roster_config(roster);
        size_t n = config->n_clusters, first = *turn;
        unsigned importing = roster_count_busy(roster);
        unsigned running = importing + roster_count_checking(roster);
        bool started = false;
        uint64_t earliest = USEC_NEVER;

        for (size_t k = 0; k < n; k++) {
                size_t i = (first + k) % n;
                Cluster *cluster = roster_cluster(roster, i);
                MaterialSet set = material_set(roster_material_of(roster, i));
                Plan plan;

                if (cluster_is_busy(cluster))
                        continue;
                plan = cluster_plan(cluster, &set, now_usec);
                if (plan.not_before_usec > 0 && plan.not_before_usec < earliest)
                        earliest = plan.not_before_usec;
                if (!is_due(&plan, cluster))
                        continue;
                if ((plan.action == PLAN_CHECK ? running : importing) >= config->parallel_imports)
                        continue;
                if (started && clock_boottime_usec() - now_usec >= DISPATCH_TURN_USEC) {
                        earliest = now_usec;
                        continue;
                }
                (void)cluster_start(cluster, config, plan.action, &set);
                started = true;
                importing += plan.action != PLAN_CHECK;
                running++;
                *turn = (i + 1) % n;
        }
        return earliest;
}

bool dispatch_is_settled(const Roster *roster, bool *ret_current)
{
        Model model = roster_model(roster, 0);
        bool current = true;

        for (size_t i = 0; i < model.n_materials; i++)
                if (!model.materials[i]->inspected ||
                        model.materials[i]->state == MATERIAL_STATE_CHANGING)
                        return false;
        for (size_t i = 0; i < model.n_clusters; i++) {
                ClusterState state = model.clusters[i]->state;

                if (state == CLUSTER_IMPORTING || model.clusters[i]->check_due)
                        return false; /* runs, or waits for its turn */
                current = current && (state == CLUSTER_CURRENT || state == CLUSTER_DISABLED);
        }
        *ret_current = current;
        return true;
}
