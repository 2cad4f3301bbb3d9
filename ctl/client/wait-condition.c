#include "ctl/client/wait-condition.h"

#include <string.h>

#include "daemon/model/replication-state.h"

typedef struct Evaluation {
        const WaitTarget *target;
        const StatusInfo *info;
        uint64_t now_usec, wall_usec;
        bool changed; /* since the start */
        WaitResult result;
} Evaluation;

bool wait_condition_concerns(const WaitTarget *target, const MaterialInfo *material)
{
        return target->digest[0] == '\0' ||
                strcmp(material->certificate.sha256, target->digest) == 0;
}

static bool passed(const Evaluation *evaluation, uint64_t span_usec)
{
        return evaluation->now_usec - evaluation->target->start_usec >= span_usec;
}

/* By the wall clock, as the status has it. A time ahead is from before the clock was set back. */
static bool has_lasted(const Evaluation *evaluation, uint64_t since_at_usec)
{
        uint64_t now = evaluation->wall_usec;

        return (now > since_at_usec ? now - since_at_usec : since_at_usec - now) >=
                WAIT_CONDITION_LASTING_USEC;
}

bool wait_condition_includes(
        const WaitTarget *target, const StatusInfo *info, const ClusterInfo *cluster)
{
        const MaterialInfo *material = status_info_material(info, cluster->material);

        return cluster->state != CLUSTER_DISABLED && material &&
                wait_condition_concerns(target, material);
}

static bool grace_is_over(const Evaluation *evaluation, const MaterialInfo *material)
{
        return passed(evaluation,
                strcmp(material->watch, "inotify") == 0 ? WAIT_CONDITION_GRACE_USEC
                                                        : WAIT_CONDITION_GRACE_POLL_USEC);
}

/* Returns true if the material is bad and cannot become good in time by itself. */
static bool is_hopeless(const Evaluation *evaluation, const MaterialInfo *material)
{
        switch (material->state) {
        case MATERIAL_STATE_VALID:
        case MATERIAL_STATE_EXPIRING:
        case MATERIAL_STATE_CHANGING:
        case _MATERIAL_STATE_MAX:
                return false;
        case MATERIAL_STATE_NOT_YET_VALID:
                if (material->certificate.not_before_usec < evaluation->wall_usec +
                                (evaluation->target->deadline_usec - evaluation->now_usec))
                        return false;
                break;
        case MATERIAL_STATE_MISSING:
        case MATERIAL_STATE_INVALID:
        case MATERIAL_STATE_EXPIRED:
                break;
        }
        return grace_is_over(evaluation, material) && has_lasted(evaluation, material->since_usec);
}

static WaitAnswer evaluate_materials(Evaluation *evaluation)
{
        size_t concerned = 0, good = 0, hopeless = 0, hopeless_concerned = 0;

        for (size_t i = 0; i < evaluation->info->n_materials; i++) {
                const MaterialInfo *material = &evaluation->info->materials[i];
                bool bad = is_hopeless(evaluation, material);

                evaluation->changed = evaluation->changed || material->changed;
                hopeless += bad;
                if (!wait_condition_concerns(evaluation->target, material))
                        continue;
                concerned++;
                good += material_state_is_good(material->state);
                hopeless_concerned += bad;
        }
        if (hopeless_concerned > 0)
                return WAIT_NO;
        /* No material has the certificate. A good one may still get it. */
        if (concerned == 0)
                return hopeless > 0 && hopeless == evaluation->info->n_materials ? WAIT_NO
                                                                                 : WAIT_NOT_YET;
        return good == concerned ? WAIT_YES : WAIT_NOT_YET;
}

/* Compares the fingerprints as well, because the event of a material comes before those of the
 * clusters that are no longer current by it. */
static bool is_current(const ClusterInfo *cluster, const MaterialInfo *material)
{
        return cluster->state == CLUSTER_CURRENT &&
                strcmp(cluster->imported, material->fingerprint) == 0;
}

/* Returns true if the cluster does not get the set that is on disk now, because it or its canary
 * failed: an event reported that, or the set has been on disk long enough for the event of a new
 * attempt to arrive. */
static bool is_held_for_set(
        const Evaluation *evaluation, const ClusterInfo *cluster, const MaterialInfo *material)
{
        bool stopped = cluster->state == CLUSTER_WAITING && material->rollout.state == WAVE_STOPPED;

        return (cluster->state == CLUSTER_HELD || stopped) &&
                (cluster->changed ||
                        (grace_is_over(evaluation, material) &&
                                has_lasted(evaluation, material->last_change_usec)));
}

WaitAnswer wait_condition_replication(const ClusterInfo *cluster, uint64_t wall_usec)
{
        if (replication_state(&cluster->replication) != REPLICATION_STATE_FAILING)
                return WAIT_YES;
        return wall_usec < cluster->imported_at_usec + REPLICATION_RECONNECT_USEC ? WAIT_NOT_YET
                                                                                  : WAIT_NO;
}

static void count_cluster(Evaluation *evaluation, const ClusterInfo *cluster,
        const MaterialInfo *material, bool *ret_pending)
{
        WaitResult *result = &evaluation->result;
        WaitAnswer replication = evaluation->target->ignores_replication
                ? WAIT_YES
                : wait_condition_replication(cluster, evaluation->wall_usec);

        result->n_concerned++;
        if (cluster->state == CLUSTER_IMPORTING)
                result->importing = cluster->name;
        if (!is_current(cluster, material))
                return;
        result->n_current++;
        result->n_failing += replication != WAIT_YES;
        *ret_pending = *ret_pending || replication == WAIT_NOT_YET;
}

static WaitAnswer evaluate_clusters(Evaluation *evaluation)
{
        WaitResult *result = &evaluation->result;
        bool lost = false, pending = false;

        for (size_t i = 0; i < evaluation->info->n_clusters; i++) {
                const ClusterInfo *cluster = &evaluation->info->clusters[i];
                const MaterialInfo *material =
                        status_info_material(evaluation->info, cluster->material);

                evaluation->changed = evaluation->changed || cluster->changed;
                if (!wait_condition_includes(evaluation->target, evaluation->info, cluster))
                        continue;
                count_cluster(evaluation, cluster, material, &pending);
                lost = lost || is_held_for_set(evaluation, cluster, material);
        }
        if (lost)
                return WAIT_NO;
        if (result->n_current < result->n_concerned || pending)
                return WAIT_NOT_YET;
        return result->n_failing > 0 ? WAIT_NO : WAIT_YES;
}

WaitResult wait_condition_evaluate(
        const WaitTarget *target, const StatusInfo *info, uint64_t now_usec, uint64_t wall_usec)
{
        Evaluation evaluation = {
                .target = target, .info = info, .now_usec = now_usec, .wall_usec = wall_usec};
        WaitAnswer materials = evaluate_materials(&evaluation);
        WaitAnswer clusters = evaluate_clusters(&evaluation);

        if (materials == WAIT_NO || clusters == WAIT_NO)
                evaluation.result.answer = WAIT_NO;
        else if (materials != WAIT_YES || clusters != WAIT_YES)
                evaluation.result.answer = WAIT_NOT_YET;
        else if (target->digest[0] == '\0' && !evaluation.changed &&
                !passed(&evaluation, WAIT_CONDITION_STEADY_USEC))
                evaluation.result.answer = WAIT_NOT_YET;
        else
                evaluation.result.answer = WAIT_YES;
        return evaluation.result;
}
