#include "daemon/record/rollout-table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/record/rollout.h"

typedef struct Rollout {
        char material[CONFIG_NAME_MAX];
        bool loaded;
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* on disk; "": none */
} Rollout;

struct RolloutTable {
        Rollout *rollouts;
        size_t n_rollouts;
};

int rollout_table_new(RolloutTable **ret)
{
        *ret = calloc(1, sizeof(RolloutTable));
        return *ret ? 0 : -ENOMEM;
}

RolloutTable *rollout_table_free(RolloutTable *table)
{
        if (!table)
                return NULL;
        free(table->rollouts);
        free(table);
        return NULL;
}

/* Returns NULL without memory: the set is then written before each import. */
static Rollout *find_or_add(RolloutTable *table, const char *material)
{
        Rollout *rollout;

        for (size_t i = 0; i < table->n_rollouts; i++)
                if (strcmp(table->rollouts[i].material, material) == 0)
                        return &table->rollouts[i];
        if (!GROW(table->rollouts, table->n_rollouts))
                return NULL;
        rollout = &table->rollouts[table->n_rollouts++];
        *rollout = (Rollout){0};
        text_set(rollout->material, sizeof(rollout->material), material);
        return rollout;
}

const char *rollout_table_load(RolloutTable *table, const char *material)
{
        Rollout *rollout = find_or_add(table, material);

        if (!rollout)
                return ROLLOUT_UNREADABLE;
        if (!rollout->loaded)
                rollout_load(rollout->fingerprint, material);
        rollout->loaded = true;
        return rollout->fingerprint;
}

void rollout_table_begin(RolloutTable *table, const char *material, const char *fingerprint)
{
        Rollout *rollout = find_or_add(table, material);

        if (rollout && strcmp(rollout->fingerprint, fingerprint) == 0)
                return;
        if (rollout_save(material, fingerprint) == 0 && rollout)
                text_set(rollout->fingerprint, sizeof(rollout->fingerprint), fingerprint);
}

void rollout_table_end(RolloutTable *table)
{
        for (size_t i = 0; i < table->n_rollouts; i++)
                if (table->rollouts[i].fingerprint[0] != '\0')
                        rollout_remove(table->rollouts[i].material);
        table->n_rollouts = 0;
}
