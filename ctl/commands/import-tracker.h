#pragma once

/*
 * Awaited: the clusters whose imports somebody waits for, and which of these have ended.
 *
 * An import may begin and end between two words of the daemon, and another one may have ended just
 * before it was asked for. So one that was asked for has ended when the cluster does not import and
 * its last attempt ended after the asking.
 */

#include "ctl/client/status-info.h"

typedef struct TrackedImport {
        bool done;
} TrackedImport;

typedef struct ImportTracker {
        TrackedImport *items;
        char **names; /* beside the items */
        size_t n;
        size_t n_open;       /* as of the last look */
        uint64_t asked_usec; /* wall clock, before the asking */
        bool restarted;      /* the daemon is another one by now: what it was doing is over */
} ImportTracker;

int import_tracker_add(ImportTracker *list, const ClusterInfo *cluster);
void import_tracker_done(ImportTracker *list);

/* Looks at each again; returns how many have not ended. One that is in the view no more has. */
size_t import_tracker_update(ImportTracker *list, const StatusInfo *info);

bool import_tracker_has(const ImportTracker *list, const char *name);
const char *import_tracker_first_open(const ImportTracker *list); /* "" if there is none */

/* How many have ended and are current. */
size_t import_tracker_current(const ImportTracker *list, const StatusInfo *info);
