#include "daemon/herald.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/journal.h"

typedef struct Told {
        char material[CONFIG_NAME_MAX];
        bool state_told;
        MaterialState state;
        char fingerprint[REPORT_FINGERPRINT_MAX];
        uint64_t within_usec; /* the expiry warning of that set */
        bool polling;
} Told;

struct Herald {
        Told *told;
        size_t n_told;
};

int herald_new(Herald **ret)
{
        *ret = calloc(1, sizeof(Herald));
        return *ret ? 0 : -ENOMEM;
}

Herald *herald_free(Herald *herald)
{
        if (!herald)
                return NULL;
        free(herald->told);
        free(herald);
        return NULL;
}

/* NULL: there is no memory; then it is told again rather than not at all. */
static Told *recall(Herald *herald, const char *material)
{
        Told *told;

        for (size_t i = 0; i < herald->n_told; i++)
                if (strcmp(herald->told[i].material, material) == 0)
                        return &herald->told[i];
        told = reallocarray(herald->told, herald->n_told + 1, sizeof(Told));
        if (!told)
                return NULL;
        herald->told = told;
        told += herald->n_told++;
        *told = (Told){0};
        text_set(told->material, sizeof(told->material), material);
        return told;
}

static bool clusters_were_warned(
        const Roster *roster, const char *material, const char *fingerprint, uint64_t within_usec)
{
        const Config *config = roster_config(roster);

        for (size_t i = 0; i < config->n_clusters; i++)
                if (strcmp(config->clusters[i].material_name, material) == 0 &&
                        cluster_was_warned(roster_cluster(roster, i), fingerprint, within_usec))
                        return true;
        return false;
}

static void note_warning(
        const Roster *roster, const char *material, const char *fingerprint, uint64_t within_usec)
{
        const Config *config = roster_config(roster);

        for (size_t i = 0; i < config->n_clusters; i++) {
                Cluster *cluster = roster_cluster(roster, i);

                if (strcmp(config->clusters[i].material_name, material) == 0 &&
                        !cluster_was_warned(cluster, fingerprint, within_usec))
                        cluster_note_warning(cluster, fingerprint, within_usec);
        }
}

static bool tell_expiry(const Roster *roster, Told *told, const MaterialStatus *material)
{
        const Report *report = material->report;
        const char *name = material->config->name;
        bool reached = told->within_usec == 0 || report->expires_within_usec < told->within_usec;

        if (!material->inspected || material->state != MATERIAL_STATE_EXPIRING || !reached)
                return false;
        told->within_usec = report->expires_within_usec;
        if (!clusters_were_warned(roster, name, report->fingerprint, told->within_usec))
                journal_material_expiring(material);
        note_warning(roster, name, report->fingerprint, told->within_usec);
        return true;
}

bool herald_material(Herald *herald, const Roster *roster, const MaterialStatus *material)
{
        const char *fingerprint = material->report->fingerprint;
        char reason[PROBLEM_TEXT_MAX + 64];
        Told nothing = {0};
        Told *told = recall(herald, material->config->name);
        bool news = false;

        if (!told)
                told = &nothing;
        if (told->polling == material->lookout->watching) {
                told->polling = !material->lookout->watching;
                journal_watch(material);
                news = true;
        }
        if (!material->inspected)
                return news;
        if (!told->state_told || told->state != material->state ||
                strcmp(told->fingerprint, fingerprint) != 0) {
                if (strcmp(told->fingerprint, fingerprint) != 0)
                        told->within_usec = 0;
                told->state_told = true;
                told->state = material->state;
                text_set(told->fingerprint, sizeof(told->fingerprint), fingerprint);
                summary_material_reason(reason, sizeof(reason), material);
                journal_material(material, reason);
                news = true;
        }
        return tell_expiry(roster, told, material) || news;
}

void herald_forget_material(Herald *herald, const char *name)
{
        for (size_t i = 0; i < herald->n_told; i++)
                if (strcmp(herald->told[i].material, name) == 0) {
                        herald->told[i] = herald->told[--herald->n_told];
                        return;
                }
}

static void tell_attempt(const ClusterStatus *cluster, const Outcome *outcome)
{
        unsigned attempts = cluster->record->attempts;

        if (outcome->kind == OUTCOME_ALREADY_CURRENT)
                journal_already_current(cluster, outcome);
        else if (outcome_is_success(outcome->kind))
                journal_import_succeeded(cluster, outcome);
        else if (!outcome_is_passing(outcome->kind, outcome->sql_errno) ||
                (attempts & (attempts - 1)) == 0)
                journal_import_failed(cluster, outcome);
}

void herald_cluster(const ClusterStatus *cluster, ClusterNews news, const Outcome *outcome)
{
        switch (news) {
        case CLUSTER_NEWS_STATE:
                break; /* an attempt or a material says why */
        case CLUSTER_NEWS_ATTEMPT:
                tell_attempt(cluster, outcome);
                break;
        case CLUSTER_NEWS_RECORD:
                if (cluster->record_error == 0)
                        journal_record_written(cluster->config->name);
                else
                        journal_record_unwritable(cluster->config->name, cluster->record_error);
                break;
        case CLUSTER_NEWS_CHECK:
                journal_check(cluster, outcome);
                break;
        case CLUSTER_NEWS_DRIFT:
                journal_drift(cluster, outcome);
                break;
        case CLUSTER_NEWS_REPLICATION:
                journal_replication(cluster);
                break;
        }
}
