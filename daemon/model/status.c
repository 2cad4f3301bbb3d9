#include "daemon/model/status.h"

#include <string.h>

#include "common/text.h"
#include "daemon/model/replication-state.h"

const char *health_to_string(Health health)
{
        static const char *const names[_HEALTH_MAX] = {"ok", "warning", "critical"};

        return (unsigned)health < _HEALTH_MAX ? names[health] : "";
}

const char *wave_state_to_string(WaveState state)
{
        static const char *const names[_WAVE_STATE_MAX] = {
                [WAVE_NONE] = "",
                [WAVE_IMPORTING] = "importing",
                [WAVE_HOLDING] = "holding",
                [WAVE_OPEN] = "open",
                [WAVE_STOPPED] = "stopped",
        };

        return (unsigned)state < _WAVE_STATE_MAX ? names[state] : "";
}

bool wave_status_equal(const WaveStatus *a, const WaveStatus *b)
{
        return a->state == b->state && strcmp(a->canary, b->canary) == 0 &&
                a->queued == b->queued && a->since_at_usec == b->since_at_usec &&
                a->hold_usec == b->hold_usec && strcmp(a->reason, b->reason) == 0 &&
                a->n_waiting == b->n_waiting;
}

Health health_of_material(MaterialState state, bool responding, WaveState wave)
{
        if (wave == WAVE_STOPPED)
                return HEALTH_CRITICAL;
        switch (state) {
        case MATERIAL_STATE_VALID:
        case MATERIAL_STATE_CHANGING:
                return responding ? HEALTH_OK : HEALTH_WARNING;
        case MATERIAL_STATE_EXPIRING:
        case MATERIAL_STATE_NOT_YET_VALID:
                return HEALTH_WARNING;
        case MATERIAL_STATE_MISSING:
        case MATERIAL_STATE_INVALID:
        case MATERIAL_STATE_EXPIRED:
        case _MATERIAL_STATE_MAX:
                break;
        }
        return HEALTH_CRITICAL;
}

const char *cluster_state_to_string(ClusterState state)
{
        static const char *const names[_CLUSTER_STATE_MAX] = {
                [CLUSTER_WAITING] = "waiting",
                [CLUSTER_IMPORTING] = "importing",
                [CLUSTER_CURRENT] = "current",
                [CLUSTER_RETRYING] = "retrying",
                [CLUSTER_HELD] = "held",
                [CLUSTER_DISABLED] = "disabled",
        };

        return (unsigned)state < _CLUSTER_STATE_MAX ? names[state] : "";
}

bool cluster_check_update(ClusterCheck *check, const Outcome *outcome)
{
        bool failed = outcome->kind != OUTCOME_ALREADY_CURRENT;
        bool changed = failed != check->failure.known;

        if (failed)
                kept_outcome_set(&check->failure, outcome);
        else
                kept_outcome_done(&check->failure);
        return changed;
}

void cluster_start_update(ClusterStart *start, bool is_stopped, const Outcome *outcome)
{
        if (!is_stopped) {
                kept_outcome_done(&start->failure);
                start->failures = 0;
                return;
        }
        start->failures++;
        if (outcome)
                kept_outcome_set(&start->failure, outcome);
}

static Health health_of_replication(const Replication *replication, bool importing)
{
        switch (replication_state(replication)) {
        case REPLICATION_STATE_FAILING:
                return HEALTH_CRITICAL;
        case REPLICATION_STATE_STOPPED_BY_US:
                return importing ? HEALTH_OK : HEALTH_CRITICAL;
        case REPLICATION_STATE_STOPPED: /* perhaps on purpose */
                return HEALTH_WARNING;
        case REPLICATION_STATE_RUNNING:
                return replication->lag_known ? HEALTH_OK : HEALTH_WARNING;
        case REPLICATION_STATE_UNKNOWN: /* if it was not read, the error of the check is shown */
                return replication->known ? HEALTH_WARNING : HEALTH_OK;
        case REPLICATION_STATE_NOT_CONFIGURED:
        case REPLICATION_STATE_CONNECTING:
        case _REPLICATION_STATE_MAX:
                break;
        }
        return HEALTH_OK;
}

Health health_of_cluster(ClusterState state, const Replication *replication, bool has_warning)
{
        Health health = health_of_replication(replication, state == CLUSTER_IMPORTING);

        if (state == CLUSTER_DISABLED)
                return HEALTH_OK;
        if (state == CLUSTER_HELD || health == HEALTH_CRITICAL)
                return HEALTH_CRITICAL;
        if (state == CLUSTER_RETRYING || has_warning)
                return HEALTH_WARNING;
        return health; /* a waiting cluster: its material has the health */
}

bool cluster_reimport_failed(ClusterState state, OutcomeKind last_outcome, bool same_set)
{
        return state == CLUSTER_CURRENT && last_outcome != _OUTCOME_KIND_MAX &&
                !outcome_is_success(last_outcome) && same_set;
}
