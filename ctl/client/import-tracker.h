#pragma once

/*
 * Import tracker: the clusters whose imports `import --wait` waits for, and which of these have
 * ended.
 *
 * An import may begin and end between two events of the daemon, and an earlier one may have ended
 * just before the request. So a requested import has ended when the cluster is not importing and
 * its last attempt ended after the request. Pure: the status and the time are arguments.
 */

#include "ctl/client/status-info.h"

typedef struct ImportTracker {
        char **names; /* of the clusters */
        bool *ended;  /* beside the names, as of the last update */
        size_t n;
        size_t n_open;           /* have not ended, as of the last update */
        uint64_t requested_usec; /* wall clock, before the request */
        bool restarted;          /* the connection was lost since, and maybe the imports with it */
} ImportTracker;

int import_tracker_add(ImportTracker *tracker, const char *name);
void import_tracker_done(ImportTracker *tracker);

/* Returns how many imports have not ended. The import of a cluster that was removed has. */
size_t import_tracker_update(ImportTracker *tracker, const StatusInfo *info);

bool import_tracker_has(const ImportTracker *tracker, const char *name);
const char *import_tracker_first_open(const ImportTracker *tracker); /* "" if there is none */

/* Returns how many imports have ended with success. */
size_t import_tracker_count_imported(const ImportTracker *tracker, const StatusInfo *info);
