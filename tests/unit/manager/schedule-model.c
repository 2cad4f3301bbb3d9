#include "tests/unit/manager/schedule-model.h"

#include <string.h>

ModelDue model_due(const ModelCluster *cluster, int set)
{
        bool checks = cluster->replication > 0 || cluster->has_ledger;
        uint64_t retry_at = cluster->attempted == set ? cluster->retry_at : 0;

        if (!cluster->enabled || set == 0)
                return (ModelDue){MODEL_NOTHING, MODEL_NEVER};
        if (cluster->forced == set)
                return (ModelDue){MODEL_IMPORT, 0};
        if (cluster->imported != set)
                return (ModelDue){MODEL_IMPORT, retry_at};
        if (cluster->restart_due)
                return (ModelDue){MODEL_RESTART, retry_at};
        if (checks)
                return (ModelDue){MODEL_CHECK, cluster->check_at};
        return (ModelDue){MODEL_NOTHING, MODEL_NEVER};
}

bool model_is_current(const ModelCluster *cluster, int set)
{
        return set != 0 && cluster->imported == set && cluster->forced != set &&
                !cluster->restart_due;
}

void model_plan(ModelCluster *cluster, int set)
{
        cluster->planned = set;
        if (cluster->forced != set)
                cluster->forced = 0;
}

void model_retry_now(ModelCluster *cluster, bool force)
{
        bool no_call = cluster->restarting || cluster->has_ledger;

        cluster->failures = 0;
        cluster->retry_at = cluster->check_at = 0;
        if (force && cluster->enabled && (!cluster->importing || no_call))
                cluster->forced = cluster->planned;
}

bool model_configure(ModelCluster *cluster, const ModelCluster *config)
{
        bool moves = cluster->host != config->host;
        bool asks_else = cluster->replication != config->replication ||
                cluster->ledger != config->ledger || moves;

        cluster->enabled = config->enabled;
        cluster->has_ledger = config->has_ledger;
        cluster->ledger = config->ledger;
        cluster->replication = config->replication;
        cluster->host = config->host;
        cluster->material = config->material;
        memset(cluster->overtaken, 0, sizeof(cluster->overtaken));
        if (moves) {
                cluster->imported = cluster->attempted = 0;
                cluster->restart_due = false;
                cluster->moved = cluster->importing;
        }
        return asks_else;
}

static uint64_t check_delay(const ModelTimes *times)
{
        uint64_t fifth = times->check_interval / 5;

        return times->check_interval - fifth / 2 + (fifth > 0 ? times->random % fifth : 0);
}

static uint64_t retry_delay(const ModelTimes *times, bool transient, unsigned failures)
{
        uint64_t delay = times->retry_min < times->retry_max ? times->retry_min : times->retry_max;

        if (!transient)
                return times->retry_held;
        while (--failures > 0 && delay < times->retry_max)
                delay = 2 * delay < times->retry_max ? 2 * delay : times->retry_max;
        return delay / 2 > 0 ? delay - times->random % (delay / 2) : delay;
}

static void set_imported(ModelCluster *cluster, int set)
{
        if (cluster->imported != set)
                cluster->restart_due = false;
        cluster->imported = set;
}

void model_end_import(
        ModelCluster *cluster, int set, const ModelEnd *end, const ModelTimes *times, uint64_t now)
{
        cluster->importing = false;
        cluster->check_at = times->once ? MODEL_NEVER : now + check_delay(times);
        if (cluster->attempted != set)
                cluster->failures = 0;
        cluster->attempted = set;
        cluster->failures = end->success ? 0 : cluster->failures + 1;
        if (end->success)
                cluster->retry_at = 0;
        else
                cluster->retry_at = times->once
                        ? MODEL_NEVER
                        : now + retry_delay(times, end->transient, cluster->failures);
        if (cluster->moved) {
                cluster->moved = false;
                cluster->failures = 0;
                cluster->retry_at = 0;
                return;
        }
        if (end->ledger_known)
                set_imported(cluster, end->ledger_set);
        if (end->committed) {
                cluster->imported = set;
                cluster->restart_due = false;
        }
        if (end->in_doubt && cluster->imported != set)
                set_imported(cluster, 0);
        if (end->restart_due || end->success)
                cluster->restart_due = end->restart_due;
}

void model_end_check(
        ModelCluster *cluster, const ModelEnd *end, const ModelTimes *times, uint64_t now)
{
        cluster->checking = false;
        cluster->check_at = times->once ? MODEL_NEVER : now + check_delay(times);
        if (end->ledger_known)
                set_imported(cluster, end->ledger_set);
}
