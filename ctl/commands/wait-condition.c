#include "ctl/commands/wait-condition.h"

#include <string.h>

typedef struct Judge {
        const WaitTarget *target;
        const StatusInfo *info;
        uint64_t now_usec;
        bool moved; /* something came to pass since the start */
        WaitResult result;
} Judge;

bool wait_condition_concerns(const WaitTarget *target, const MaterialInfo *material)
{
        return target->digest[0] == '\0' ||
                strcmp(material->certificate.sha256, target->digest) == 0;
}

static bool passed(const Judge *judge, uint64_t since_usec, uint64_t span_usec)
{
        return judge->now_usec >= since_usec && judge->now_usec - since_usec >= span_usec;
}

static bool grace_is_over(const Judge *judge, const MaterialInfo *material)
{
        return passed(judge, judge->target->start_at_usec,
                strcmp(material->watch, "inotify") == 0 ? WAIT_CONDITION_GRACE_USEC
                                                        : WAIT_CONDITION_GRACE_POLL_USEC);
}

/* It is bad, and not on its way to become good in time. */
static bool is_hopeless(const Judge *judge, const MaterialInfo *material)
{
        switch (material->state) {
        case MATERIAL_STATE_VALID:
        case MATERIAL_STATE_EXPIRING:
        case MATERIAL_STATE_CHANGING:
        case _MATERIAL_STATE_MAX:
                return false;
        case MATERIAL_STATE_NOT_YET_VALID:
                if (material->certificate.not_before_usec < judge->target->deadline_at_usec)
                        return false;
                break;
        case MATERIAL_STATE_MISSING:
        case MATERIAL_STATE_INVALID:
        case MATERIAL_STATE_EXPIRED:
                break;
        }
        return grace_is_over(judge, material) &&
                passed(judge, material->since_usec, WAIT_CONDITION_LASTING_USEC);
}

static WaitAnswer evaluate_materials(Judge *judge)
{
        size_t concerned = 0, good = 0, hopeless = 0, hopeless_concerned = 0;

        for (size_t i = 0; i < judge->info->n_materials; i++) {
                const MaterialInfo *material = &judge->info->materials[i];
                bool without_hope = is_hopeless(judge, material);

                judge->moved = judge->moved || material->changed;
                hopeless += without_hope;
                if (!wait_condition_concerns(judge->target, material))
                        continue;
                concerned++;
                good += material_state_is_good(material->state);
                hopeless_concerned += without_hope;
        }
        if (hopeless_concerned > 0)
                return WAIT_NO;
        /* None has the certificate. One that is good may still get it. */
        if (concerned == 0)
                return hopeless > 0 && hopeless == judge->info->n_materials ? WAIT_NO
                                                                            : WAIT_NOT_YET;
        return good == concerned ? WAIT_YES : WAIT_NOT_YET;
}

/* The material's word may come before that of the cluster which it makes outdated, so the
 * fingerprints are compared as well. */
static bool is_current(const ClusterInfo *cluster, const MaterialInfo *material)
{
        return cluster->state == CLUSTER_CURRENT &&
                strcmp(cluster->imported, material->fingerprint) == 0;
}

/* Held over the set that is on disk now: it became so before our eyes, or was so long enough for
 * the word of a new attempt to be here. */
static bool is_lost(const Judge *judge, const ClusterInfo *cluster, const MaterialInfo *material)
{
        return cluster->state == CLUSTER_HELD &&
                (cluster->changed ||
                        (grace_is_over(judge, material) &&
                                passed(judge, material->last_change_usec,
                                        WAIT_CONDITION_LASTING_USEC)));
}

static WaitAnswer evaluate_clusters(Judge *judge)
{
        WaitResult *result = &judge->result;
        bool lost = false;

        for (size_t i = 0; i < judge->info->n_clusters; i++) {
                const ClusterInfo *cluster = &judge->info->clusters[i];
                const MaterialInfo *material = status_info_material(judge->info, cluster->material);

                judge->moved = judge->moved || cluster->changed;
                if (cluster->state == CLUSTER_DISABLED || !material ||
                        !wait_condition_concerns(judge->target, material))
                        continue;
                result->n_concerned++;
                result->n_current += is_current(cluster, material);
                if (cluster->state == CLUSTER_IMPORTING)
                        result->importing = cluster->name;
                lost = lost || is_lost(judge, cluster, material);
        }
        if (lost)
                return WAIT_NO;
        return result->n_current == result->n_concerned ? WAIT_YES : WAIT_NOT_YET;
}

WaitResult wait_condition_evaluate(
        const WaitTarget *target, const StatusInfo *info, uint64_t now_usec)
{
        Judge judge = {.target = target, .info = info, .now_usec = now_usec};
        WaitAnswer materials = evaluate_materials(&judge);
        WaitAnswer clusters = evaluate_clusters(&judge);

        if (materials == WAIT_NO || clusters == WAIT_NO)
                judge.result.answer = WAIT_NO;
        else if (materials != WAIT_YES || clusters != WAIT_YES)
                judge.result.answer = WAIT_NOT_YET;
        else if (target->digest[0] == '\0' && !judge.moved &&
                !passed(&judge, target->start_at_usec, WAIT_CONDITION_STEADY_USEC))
                judge.result.answer = WAIT_NOT_YET;
        else
                judge.result.answer = WAIT_YES;
        return judge.result;
}
