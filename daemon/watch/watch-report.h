#pragma once

/*
 * Watch report: what a watch process sends to the manager, one datagram each.
 *
 * The manager does not trust it: a report that a watcher cannot have made is not used
 * (watch_report_is_valid()).
 */

#include <stddef.h>

#include "common/file.h"
#include "daemon/config/config.h"
#include "daemon/model/rule.h"
#include "daemon/model/status.h"

typedef enum WatchEvent {
        WATCH_READ,      /* read the files: at the start, and after a change */
        WATCH_UNCHANGED, /* a poll found no change */
        WATCH_BUSY,      /* the files are about to be compared: an answer is due */
        _WATCH_EVENT_MAX,
} WatchEvent;

typedef struct WatchReport {
        WatchEvent event;
        uint64_t due_usec; /* boot time: the next report comes at the latest then */
        WatchStatus status;
        FileStat files[_MATERIAL_FILE_MAX]; /* at the last comparison */
} WatchReport;

/* Returns true if a watcher of `config` can have sent these `size` bytes at `now_usec` (boot time).
 * Pure. */
bool watch_report_is_valid(
        const WatchReport *report, size_t size, const MaterialConfig *config, uint64_t now_usec);

/* Returns the longest time from one poll to the next: the timer has slack to save wake-ups. */
uint64_t watch_report_interval_usec(const MaterialConfig *config);
