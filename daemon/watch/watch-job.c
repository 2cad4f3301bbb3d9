#include "daemon/watch/watch-job.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/job.h"
#include "common/text.h"
#include "daemon/watch/stall.h"
#include "daemon/watch/watch-report.h"
#include "daemon/watch/watcher.h"

/* Seldom: another start helps only where another file system has been mounted meanwhile. */
#define WATCH_JOB_STALLS_PER_RESTART 6

struct WatchJob {
        const MaterialConfig *config;
        sd_event *event;
        watch_job_fn fn;
        void *userdata;
        WatchReport last;
        bool has_report;
        WatchProcessStatus status;

        Job *process, *abandoned; /* the second: killed, and not ended yet */
        const char *fault;        /* why the process was killed; NULL: it was not */
        Progress *progress;       /* of the process */
        Stall *stall;
        sd_event_source *report_source; /* owns the socket */
        sd_event_source *start_timer;
        uint64_t started_usec;     /* boot time */
        unsigned n_failures;       /* processes in a row that did not live long */
        unsigned n_stalls;         /* looks in a row that found no progress */
        uint64_t answered_at_usec; /* wall clock of the last sign of progress */
        uint64_t counted_usec;     /* boot time at which the count of reports began */
        unsigned n_reports;
};

static void set_not_responding(WatchJob *job, uint64_t since_at_usec)
{
        if (job->status.not_responding_since_at_usec == since_at_usec)
                return;
        job->status.not_responding_since_at_usec = since_at_usec;
        job->fn(WATCH_JOB_STATUS, job->userdata);
}

static void expect(WatchJob *job, uint64_t due_usec)
{
        stall_expect(job->stall, job->progress, due_usec);
        job->status.deadline_usec = stall_deadline_usec(job->stall);
}

/* The file system has answered. */
static void answered(WatchJob *job)
{
        job->n_stalls = 0;
        job->answered_at_usec = clock_wall_usec();
        set_not_responding(job, 0);
}

static void let_go(WatchJob *job)
{
        job->process = NULL;
        job->fault = NULL;
        job->report_source = sd_event_source_disable_unref(job->report_source);
        stall_stop(job->stall);
        job->status.deadline_usec = USEC_NEVER;
        job->progress = progress_free(job->progress);
}

static uint64_t restart_delay_usec(unsigned n_failures)
{
        uint64_t delay = n_failures < 2 ? 0 : USEC_PER_SEC << (n_failures < 8 ? n_failures - 2 : 6);

        return delay < WATCH_JOB_RESTART_MAX_USEC ? delay : WATCH_JOB_RESTART_MAX_USEC;
}

static void start_later(WatchJob *job, const char *end)
{
        WatchStatus *status = &job->last.status;
        bool lived = clock_boottime_usec() - job->started_usec >= WATCH_JOB_HEALTHY_USEC;
        uint64_t delay;

        text_set(job->status.end, sizeof(job->status.end), end);
        job->status.restarts++;
        job->n_failures = lived ? 1 : job->n_failures + 1;
        delay = restart_delay_usec(job->n_failures);
        if (delay > 0) {
                status->watching = false;
                text_format(
                        status->watch, sizeof(status->watch), "none (the watch process %s)", end);
        }
        (void)sd_event_source_set_time_relative(job->start_timer, delay);
        (void)sd_event_source_set_enabled(job->start_timer, SD_EVENT_ONESHOT);
        job->fn(WATCH_JOB_STATUS, job->userdata);
}

static void on_end(Job *ended, JobResult result, int detail, const void *data, void *userdata)
{
        WatchJob *job = userdata;
        bool abandoned = ended == job->abandoned;
        char end[WATCH_END_MAX];

        job_free(ended);
        if (abandoned) {
                job->abandoned = NULL;
                return;
        }
        if (job->fault)
                text_set(end, sizeof(end), job->fault);
        else
                job_end_text(end, sizeof(end), result, detail);
        let_go(job);
        start_later(job, end);
}

static void stop_process(WatchJob *job, const char *fault)
{
        job->fault = fault;
        job->report_source = sd_event_source_disable_unref(job->report_source);
        job_kill(job->process);
}

/* It may not end before the file system answers. */
static void abandon_process(WatchJob *job)
{
        if (job->abandoned)
                return;
        job->abandoned = job->process;
        job_kill(job->abandoned);
        let_go(job);
        start_later(job, "made no progress");
}

static void on_stall(StallEvent event, void *userdata)
{
        WatchJob *job = userdata;

        job->status.deadline_usec = stall_deadline_usec(job->stall);
        if (event == STALL_PROGRESS)
                answered(job);
        if (event != STALL_NO_PROGRESS)
                return;
        job->n_stalls++;
        if (job->n_stalls > 1)
                set_not_responding(job, job->answered_at_usec);
        if (job->n_stalls % WATCH_JOB_STALLS_PER_RESTART == 1)
                abandon_process(job);
}

/* Returns false if the process has sent too many reports within a second. */
static bool count_report(WatchJob *job)
{
        uint64_t now = clock_boottime_usec();

        if (now - job->counted_usec >= USEC_PER_SEC) {
                job->counted_usec = now;
                job->n_reports = 0;
        }
        return ++job->n_reports <= WATCH_JOB_REPORTS_PER_SEC;
}

static void apply(WatchJob *job, const WatchReport *report)
{
        expect(job, report->due_usec);
        if (report->event == WATCH_BUSY)
                return;
        job->last = *report;
        job->has_report = true;
        answered(job);
        job->fn(report->event == WATCH_READ ? WATCH_JOB_READ : WATCH_JOB_UNCHANGED, job->userdata);
}

static int on_report(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        WatchJob *job = userdata;
        char data[sizeof(WatchReport) + 1] = {0};
        WatchReport report;
        ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        memcpy(&report, data, sizeof(report));
        if (n <= 0) /* the process ends, or has closed its socket */
                stop_process(job, NULL);
        else if (!watch_report_is_valid(&report, (size_t)n, job->config, clock_boottime_usec()))
                stop_process(job, "sent an invalid report");
        else if (!count_report(job))
                stop_process(job, "sent too many reports");
        else
                apply(job, &report);
        return 0;
}

static int run(void *result, const void *task)
{
        return watcher_run(task);
}

static int start_process(WatchJob *job)
{
        CLEANUP(closep) int fd = -1;
        CLEANUP(closep) int process_fd = -1;
        WatcherTask task = {.config = job->config, .last = job->has_report ? &job->last : NULL};
        JobSpec spec = {
                .name = "binlog-watch",
                .run = run,
                .task = &task,
                .n_keep = 1,
                .deadline_usec = USEC_NEVER,
        };
        int pair[2];
        int r = progress_new(&job->progress);

        job->started_usec = clock_boottime_usec();
        if (r < 0)
                return r;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        fd = pair[0];
        process_fd = pair[1];
        task.progress = job->progress;
        spec.keep[0] = task.fd = process_fd;
        r = sd_event_add_io(job->event, &job->report_source, fd, EPOLLIN, on_report, job);
        if (r == 0)
                r = sd_event_source_set_io_fd_own(job->report_source, true);
        if (r < 0)
                return r;
        (void)TAKE_FD(fd);
        return job_start(&job->process, job->event, &spec, on_end, job);
}

static void start(WatchJob *job)
{
        char end[WATCH_END_MAX];
        int r = start_process(job);

        if (r == 0) {
                expect(job, job->started_usec);
                return;
        }
        let_go(job);
        text_format(end, sizeof(end), "could not be started: %s", strerror(-r));
        start_later(job, end);
}

static int on_start(sd_event_source *source, uint64_t usec, void *userdata)
{
        start(userdata);
        return 0;
}

int watch_job_new(WatchJob **ret, sd_event *event, const MaterialConfig *config, watch_job_fn fn,
        void *userdata)
{
        CLEANUP(watch_job_freep) WatchJob *job = calloc(1, sizeof(*job));
        int r;

        if (!job)
                return -ENOMEM;
        *job = (WatchJob){.config = config,
                .event = sd_event_ref(event),
                .fn = fn,
                .userdata = userdata,
                .answered_at_usec = clock_wall_usec()};
        text_set(job->last.status.watch, sizeof(job->last.status.watch), "none yet");
        r = stall_new(&job->stall, event, STALL_GRACE_USEC, STALL_LIMIT_USEC, on_stall, job);
        if (r == 0)
                r = sd_event_add_time(
                        event, &job->start_timer, CLOCK_BOOTTIME, USEC_NEVER, 1, on_start, job);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(job->start_timer, "watch-start");
        /* At once, since a process shares what the manager never changes, and keeps what it
         * does. */
        if (start_process(job) == 0)
                expect(job, job->started_usec);
        else {
                let_go(job);
                (void)sd_event_source_set_time_relative(job->start_timer, USEC_PER_SEC);
        }
        *ret = TAKE(job);
        return 0;
}

WatchJob *watch_job_free(WatchJob *job)
{
        if (!job)
                return NULL;
        sd_event_source_disable_unref(job->report_source);
        sd_event_source_disable_unref(job->start_timer);
        job_free(job->process);
        job_free(job->abandoned);
        stall_free(job->stall);
        progress_free(job->progress);
        sd_event_unref(job->event);
        free(job);
        return NULL;
}

const WatchStatus *watch_job_status(const WatchJob *job)
{
        return &job->last.status;
}

const WatchProcessStatus *watch_job_process_status(const WatchJob *job)
{
        return &job->status;
}

pid_t watch_job_pid(const WatchJob *job)
{
        return job->process ? job_pid(job->process) : 0;
}

void watch_job_request_read(WatchJob *job)
{
        static const char request = 'r';

        if (job->report_source)
                (void)send(sd_event_source_get_io_fd(job->report_source), &request, sizeof(request),
                        MSG_DONTWAIT | MSG_NOSIGNAL);
}
