#pragma once

/*
 * Watch job: keeps one watch process running for a material and passes on what it reports.
 *
 * A process that ends, sends what no watcher sends, or sends too much is replaced, at once and then
 * with back-off. One that owes a report and makes no progress is killed and replaced once; when its
 * successor makes none either, the file system does not respond. A process that waits for such a
 * file system may not be killable: there are two of a material at most, and their end or the first
 * answer of the second brings everything up to date. The first report of every process makes the
 * manager read the files, so that nothing is lost between two of them.
 */

#include <sys/types.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config/config.h"
#include "daemon/model/status.h"

#define WATCH_JOB_RESTART_MAX_USEC (30 * UINT64_C(1000000)) /* between two starts */
#define WATCH_JOB_HEALTHY_USEC     (60 * UINT64_C(1000000)) /* lived so long: no back-off */

/* More than a watcher sends with the shortest settle time. */
#define WATCH_JOB_REPORTS_PER_SEC 4000

typedef struct WatchJob WatchJob;

typedef enum WatchJobEvent {
        WATCH_JOB_READ,      /* read the files */
        WATCH_JOB_UNCHANGED, /* a poll found no change */
        WATCH_JOB_STATUS,    /* only the status of the watch process has changed */
} WatchJobEvent;

typedef void (*watch_job_fn)(WatchJobEvent event, void *userdata);

/* `config` must outlive the job. A process that cannot be started is started later. */
int watch_job_new(WatchJob **ret, sd_event *event, const MaterialConfig *config, watch_job_fn fn,
        void *userdata);
WatchJob *watch_job_free(WatchJob *job);
DEFINE_CLEANUP(WatchJob *, watch_job_free);

/* Both live as long as the job. */
const WatchStatus *watch_job_status(const WatchJob *job);
const WatchProcessStatus *watch_job_process_status(const WatchJob *job);

/* The process that is in use; 0: none is. */
pid_t watch_job_pid(const WatchJob *job);

/* Requests a WATCH_JOB_READ after the next quiet time. */
void watch_job_request_read(WatchJob *job);
