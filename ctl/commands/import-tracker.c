#include "ctl/commands/import-tracker.h"

#include <errno.h>
#include <string.h>

int import_tracker_add(ImportTracker *list, const ClusterInfo *cluster)
{
        TrackedImport *items = reallocarray(list->items, list->n + 1, sizeof(*items));
        char **names;

        if (!items)
                return -ENOMEM;
        list->items = items;
        names = reallocarray(list->names, list->n + 1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        list->names = names;
        names[list->n] = strdup(cluster->name);
        if (!names[list->n])
                return -ENOMEM;
        items[list->n++] = (TrackedImport){0};
        return 0;
}

void import_tracker_done(ImportTracker *list)
{
        for (size_t i = 0; i < list->n; i++)
                free(list->names[i]);
        free(list->names);
        free(list->items);
        *list = (ImportTracker){0};
}

/* A daemon that just came back has not looked at the files yet: then waiting is no end. */
static bool has_ended(const ImportTracker *list, const ClusterInfo *cluster)
{
        if (cluster->state == CLUSTER_IMPORTING)
                return false;
        if (list->restarted)
                return cluster->state != CLUSTER_WAITING;
        return cluster->last_attempt_usec >= list->asked_usec;
}

size_t import_tracker_update(ImportTracker *list, const StatusInfo *info)
{
        list->n_open = 0;
        for (size_t i = 0; i < list->n; i++) {
                const ClusterInfo *cluster = status_info_cluster(info, list->names[i]);

                list->items[i].done = !cluster || has_ended(list, cluster);
                list->n_open += !list->items[i].done;
        }
        return list->n_open;
}

bool import_tracker_has(const ImportTracker *list, const char *name)
{
        for (size_t i = 0; i < list->n; i++)
                if (strcmp(list->names[i], name) == 0)
                        return true;
        return false;
}

const char *import_tracker_first_open(const ImportTracker *list)
{
        for (size_t i = 0; i < list->n; i++)
                if (!list->items[i].done)
                        return list->names[i];
        return "";
}

size_t import_tracker_current(const ImportTracker *list, const StatusInfo *info)
{
        size_t n = 0;

        for (size_t i = 0; i < list->n; i++) {
                const ClusterInfo *cluster = status_info_cluster(info, list->names[i]);

                n += list->items[i].done && cluster && cluster->state == CLUSTER_CURRENT &&
                        !status_info_import_failed(cluster);
        }
        return n;
}
