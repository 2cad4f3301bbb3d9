#pragma once

/*
 * Journal filter: logs each transition once; daemon/status/journal.h has the wording.
 *
 * The filter keeps the last logged state of every material. Of attempts that fail in the same way
 * it logs the first and every one whose number is a power of two, and so of starts of replication
 * that an import has stopped. The history of the cluster counts attempts (daemon/model/history.h):
 * another failure, or one after a success, is a first one. An expiry warning is logged once per
 * threshold; the records of the clusters keep both across restarts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/macro.h"
#include "daemon/model/status.h"

typedef struct JournalFilter JournalFilter;

/* Records durably that the warning for this set and threshold is logged. Returns false if it was
 * logged before, also before a restart. */
typedef bool (*journal_filter_expiry_fn)(
        const char *material, const char *fingerprint, uint64_t within_usec, void *userdata);

int journal_filter_new(JournalFilter **ret, journal_filter_expiry_fn fn, void *userdata);
JournalFilter *journal_filter_free(JournalFilter *filter);
DEFINE_CLEANUP(JournalFilter *, journal_filter_free);

/* Logs the changes of a material since the last call. Returns true if there were any. */
bool journal_filter_material(JournalFilter *filter, const MaterialStatus *material);
void journal_filter_forget_material(JournalFilter *filter, const char *name);

/* Logs an event of a cluster. `outcome` is that of the attempt or check, NULL for the other
 * events. */
void journal_filter_cluster(
        const ClusterStatus *cluster, ClusterEvent event, const Outcome *outcome);
