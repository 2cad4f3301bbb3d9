#include "ctl/client/import-tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int import_tracker_add(ImportTracker *tracker, const char *name)
{
        if (!GROW(tracker->names, tracker->n) || !GROW(tracker->ended, tracker->n))
                return -ENOMEM;
        tracker->names[tracker->n] = strdup(name);
        if (!tracker->names[tracker->n])
                return -ENOMEM;
        tracker->ended[tracker->n++] = false;
        return 0;
}

void import_tracker_done(ImportTracker *tracker)
{
        for (size_t i = 0; i < tracker->n; i++)
                free(tracker->names[i]);
        free(tracker->names);
        free(tracker->ended);
        *tracker = (ImportTracker){0};
}

/* A daemon that has just restarted reports a cluster as waiting until it has read the files. */
static bool has_ended(const ImportTracker *tracker, const ClusterInfo *cluster)
{
        if (cluster->state == CLUSTER_IMPORTING)
                return false;
        if (tracker->restarted)
                return cluster->state != CLUSTER_WAITING;
        return cluster->last_attempt_usec >= tracker->requested_usec;
}

size_t import_tracker_update(ImportTracker *tracker, const StatusInfo *info)
{
        tracker->n_open = 0;
        for (size_t i = 0; i < tracker->n; i++) {
                const ClusterInfo *cluster = status_info_cluster(info, tracker->names[i]);

                tracker->ended[i] = !cluster || has_ended(tracker, cluster);
                tracker->n_open += !tracker->ended[i];
        }
        return tracker->n_open;
}

bool import_tracker_has(const ImportTracker *tracker, const char *name)
{
        for (size_t i = 0; i < tracker->n; i++)
                if (strcmp(tracker->names[i], name) == 0)
                        return true;
        return false;
}

const char *import_tracker_first_open(const ImportTracker *tracker)
{
        for (size_t i = 0; i < tracker->n; i++)
                if (!tracker->ended[i])
                        return tracker->names[i];
        return "";
}

size_t import_tracker_count_imported(const ImportTracker *tracker, const StatusInfo *info)
{
        size_t n = 0;

        for (size_t i = 0; i < tracker->n; i++) {
                const ClusterInfo *cluster = status_info_cluster(info, tracker->names[i]);

                n += tracker->ended[i] && cluster && cluster->state == CLUSTER_CURRENT &&
                        !status_info_import_failed(cluster);
        }
        return n;
}
