#include "daemon/herald.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/journal.h"
#include "daemon/summary.h"

typedef struct Told {
        bool state_told;
        MaterialState state;
        char fingerprint[REPORT_FINGERPRINT_MAX];
        bool polling;
} Told;

struct Herald {
        Told *materials;
};

int herald_new(Herald **ret, size_t n_materials)
{
        CLEANUP(herald_freep) Herald *herald = calloc(1, sizeof(*herald));

        if (!herald)
                return -ENOMEM;
        herald->materials = calloc(n_materials, sizeof(*herald->materials));
        if (!herald->materials)
                return -ENOMEM;
        *ret = TAKE(herald);
        return 0;
}

Herald *herald_free(Herald *herald)
{
        if (!herald)
                return NULL;
        free(herald->materials);
        free(herald);
        return NULL;
}

void herald_material(Herald *herald, size_t index, const MaterialStatus *material)
{
        Told *told = &herald->materials[index];
        const char *fingerprint = material->report->fingerprint;
        char reason[PROBLEM_TEXT_MAX + 64];

        if (told->polling == material->lookout->watching) {
                told->polling = !material->lookout->watching;
                journal_watch(material);
        }
        if (!material->inspected ||
                (told->state_told && told->state == material->state &&
                        strcmp(told->fingerprint, fingerprint) == 0))
                return;
        told->state_told = true;
        told->state = material->state;
        text_set(told->fingerprint, sizeof(told->fingerprint), fingerprint);
        summary_material_reason(reason, sizeof(reason), material);
        journal_material(material, reason);
}

void herald_attempt(Herald *herald, const ClusterStatus *cluster, const Outcome *outcome)
{
        unsigned attempts = cluster->record->attempts;

        (void)herald;
        if (outcome_is_success(outcome->kind))
                journal_import_succeeded(cluster, outcome);
        else if (!outcome_is_passing(outcome->kind) || (attempts & (attempts - 1)) == 0)
                journal_import_failed(cluster, outcome, outcome_advice(outcome->kind));
        if (cluster->record_error != 0)
                journal_record_unwritable(cluster->config->name, cluster->record_error);
}
