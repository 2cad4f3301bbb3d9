#pragma once

/*
 * Due times: when a cluster is tried, checked and started again, in boot time.
 *
 * The delays are those of daemon/cluster/plan.h, with the configuration in force. With --once
 * nothing comes again.
 */

#include "daemon/config/config.h"
#include "daemon/model/outcome.h"

typedef struct DueTimes {
        uint64_t retry_usec;     /* before it the attempted set is not tried again */
        uint64_t start_usec;     /* before it stopped replication is not started again */
        uint64_t check_usec;     /* of the next check */
        uint64_t checked_usec;   /* of the last check or attempt; 0: none since the start */
        unsigned retry_failures; /* in a row since the back-off was last reset */
} DueTimes;

/* Ends every back-off. */
void due_times_reset(DueTimes *times);

void due_times_after_check(DueTimes *times, const Config *config);

/* `failures` is the count of the record, which a reset leaves as it is. */
void due_times_after_attempt(
        DueTimes *times, const Config *config, const Outcome *outcome, unsigned failures);

/* `failures` of starts in a row. */
void due_times_after_start(DueTimes *times, const Config *config, unsigned failures);
