#include "daemon/varlink/history-json.h"

#include "common/json-writer.h"

static void write_cluster(JsonWriter *writer, const ClusterStatus *cluster, unsigned limit)
{
        const History *history = cluster->record->history;
        HistoryEntry entries[HISTORY_MAX];
        unsigned n = history_read(entries, limit < HISTORY_MAX ? limit : HISTORY_MAX, history);

        json_open_object(writer);
        json_put_string(writer, "name", cluster->config->name);
        json_put_integer(writer, "older", (int64_t)(history_size(history) - n));
        json_key(writer, "entries");
        json_open_array(writer);
        for (unsigned i = 0; i < n; i++)
                history_write_entry(writer, &entries[i]);
        json_close_array(writer);
        json_close_object(writer);
}

int history_json_format(char **ret, const ManagerStatus *status, const bool *chosen)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        size_t n_chosen = 0;

        _Static_assert(HISTORY_JSON_MAX >= CONFIG_CLUSTERS_MAX, "each has its newest entry");
        for (size_t i = 0; i < status->n_clusters; i++)
                n_chosen += chosen[i];
        json_open_object(writer);
        json_key(writer, "clusters");
        json_open_array(writer);
        for (size_t i = 0; i < status->n_clusters; i++)
                if (chosen[i])
                        write_cluster(writer, status->clusters[i],
                                (unsigned)(HISTORY_JSON_MAX / n_chosen));
        json_close_array(writer);
        json_close_object(writer);
        return json_writer_finish(writer, ret);
}
