#include "ctl/judgement.h"

#include <string.h>

typedef struct Judge {
        const Expectation *expectation;
        const View *view;
        uint64_t now_usec;
        bool moved; /* something came to pass since the start */
        Judgement judgement;
} Judge;

bool judgement_concerns(const Expectation *expectation, const MaterialView *material)
{
        return expectation->digest[0] == '\0' ||
                strcmp(material->certificate.sha256, expectation->digest) == 0;
}

static bool passed(const Judge *judge, uint64_t since_usec, uint64_t span_usec)
{
        return judge->now_usec >= since_usec && judge->now_usec - since_usec >= span_usec;
}

static bool grace_is_over(const Judge *judge, const MaterialView *material)
{
        return passed(judge, judge->expectation->start_at_usec,
                strcmp(material->watch, "inotify") == 0 ? JUDGEMENT_GRACE_USEC
                                                        : JUDGEMENT_GRACE_POLL_USEC);
}

/* It is bad, and not on its way to become good in time. */
static bool is_hopeless(const Judge *judge, const MaterialView *material)
{
        switch (material->state) {
        case MATERIAL_STATE_VALID:
        case MATERIAL_STATE_EXPIRING:
        case MATERIAL_STATE_CHANGING:
        case _MATERIAL_STATE_MAX:
                return false;
        case MATERIAL_STATE_NOT_YET_VALID:
                if (material->certificate.not_before_usec < judge->expectation->deadline_at_usec)
                        return false;
                break;
        case MATERIAL_STATE_MISSING:
        case MATERIAL_STATE_INVALID:
        case MATERIAL_STATE_EXPIRED:
                break;
        }
        return grace_is_over(judge, material) &&
                passed(judge, material->since_usec, JUDGEMENT_LASTING_USEC);
}

static Answer judge_materials(Judge *judge)
{
        size_t concerned = 0, good = 0, hopeless = 0, hopeless_concerned = 0;

        for (size_t i = 0; i < judge->view->n_materials; i++) {
                const MaterialView *material = &judge->view->materials[i];
                bool without_hope = is_hopeless(judge, material);

                judge->moved = judge->moved || material->moved;
                hopeless += without_hope;
                if (!judgement_concerns(judge->expectation, material))
                        continue;
                concerned++;
                good += material_state_is_good(material->state);
                hopeless_concerned += without_hope;
        }
        if (hopeless_concerned > 0)
                return ANSWER_NO;
        /* None has the certificate. One that is good may still get it. */
        if (concerned == 0)
                return hopeless > 0 && hopeless == judge->view->n_materials ? ANSWER_NO
                                                                            : ANSWER_NOT_YET;
        return good == concerned ? ANSWER_YES : ANSWER_NOT_YET;
}

/* The material's word may come before that of the cluster which it makes outdated, so the
 * fingerprints are compared as well. */
static bool is_current(const ClusterView *cluster, const MaterialView *material)
{
        return cluster->state == CLUSTER_CURRENT &&
                strcmp(cluster->imported, material->fingerprint) == 0;
}

/* Held over the set that is on disk now: it became so before our eyes, or was so long enough for
 * the word of a new attempt to be here. */
static bool is_lost(const Judge *judge, const ClusterView *cluster, const MaterialView *material)
{
        return cluster->state == CLUSTER_HELD &&
                (cluster->moved ||
                        (grace_is_over(judge, material) &&
                                passed(judge, material->last_change_usec, JUDGEMENT_LASTING_USEC)));
}

static Answer judge_clusters(Judge *judge)
{
        Judgement *judgement = &judge->judgement;
        bool lost = false;

        for (size_t i = 0; i < judge->view->n_clusters; i++) {
                const ClusterView *cluster = &judge->view->clusters[i];
                const MaterialView *material = view_material(judge->view, cluster->material);

                judge->moved = judge->moved || cluster->moved;
                if (cluster->state == CLUSTER_DISABLED || !material ||
                        !judgement_concerns(judge->expectation, material))
                        continue;
                judgement->n_concerned++;
                judgement->n_current += is_current(cluster, material);
                if (cluster->state == CLUSTER_IMPORTING)
                        judgement->importing = cluster->name;
                lost = lost || is_lost(judge, cluster, material);
        }
        if (lost)
                return ANSWER_NO;
        return judgement->n_current == judgement->n_concerned ? ANSWER_YES : ANSWER_NOT_YET;
}

Judgement judgement_of(const Expectation *expectation, const View *view, uint64_t now_usec)
{
        Judge judge = {.expectation = expectation, .view = view, .now_usec = now_usec};
        Answer materials = judge_materials(&judge);
        Answer clusters = judge_clusters(&judge);

        if (materials == ANSWER_NO || clusters == ANSWER_NO)
                judge.judgement.answer = ANSWER_NO;
        else if (materials != ANSWER_YES || clusters != ANSWER_YES)
                judge.judgement.answer = ANSWER_NOT_YET;
        else if (expectation->digest[0] == '\0' && !judge.moved &&
                !passed(&judge, expectation->start_at_usec, JUDGEMENT_STEADY_USEC))
                judge.judgement.answer = ANSWER_NOT_YET;
        else
                judge.judgement.answer = ANSWER_YES;
        return judge.judgement;
}
