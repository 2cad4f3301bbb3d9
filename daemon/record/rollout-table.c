#include "daemon/record/rollout-table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

typedef struct Entry {
        char material[CONFIG_NAME_MAX];
        bool loaded;
        Rollout rollout; /* on disk */
} Entry;

struct RolloutTable {
        Entry *entries;
        size_t n_entries;
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
        free(table->entries);
        free(table);
        return NULL;
}

/* Returns NULL without memory: the set is then written before each import. */
static Entry *find_or_add(RolloutTable *table, const char *material)
{
        Entry *entry;

        for (size_t i = 0; i < table->n_entries; i++)
                if (strcmp(table->entries[i].material, material) == 0)
                        return &table->entries[i];
        if (!GROW(table->entries, table->n_entries))
                return NULL;
        entry = &table->entries[table->n_entries++];
        *entry = (Entry){0};
        text_set(entry->material, sizeof(entry->material), material);
        return entry;
}

const Rollout *rollout_table_load(RolloutTable *table, const char *material)
{
        static const Rollout unreadable = {.fingerprint = ROLLOUT_UNREADABLE};
        Entry *entry = find_or_add(table, material);

        if (!entry)
                return &unreadable;
        if (!entry->loaded)
                rollout_load(&entry->rollout, material);
        entry->loaded = true;
        return &entry->rollout;
}

void rollout_table_begin(
        RolloutTable *table, const char *material, const char *fingerprint, const char *cluster)
{
        Entry *entry = find_or_add(table, material);
        bool same = entry && strcmp(entry->rollout.fingerprint, fingerprint) == 0;
        Rollout rollout = {0};

        if (same &&
                (entry->rollout.cluster[0] == '\0' || strcmp(entry->rollout.cluster, cluster) == 0))
                return;
        text_set(rollout.fingerprint, sizeof(rollout.fingerprint), fingerprint);
        if (!same)
                text_set(rollout.cluster, sizeof(rollout.cluster), cluster);
        if (rollout_save(material, &rollout) == 0 && entry)
                entry->rollout = rollout;
}

void rollout_table_end(RolloutTable *table)
{
        for (size_t i = 0; i < table->n_entries; i++)
                if (table->entries[i].rollout.fingerprint[0] != '\0')
                        rollout_remove(table->entries[i].material);
        table->n_entries = 0;
}
