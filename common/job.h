#pragma once

/*
 * Job: runs one function in a forked child and returns its result as one datagram.
 *
 * Fork without exec, because the child must use exactly the bytes and the configuration that the
 * manager has; safe only because the manager has no threads (fork(2)). The child resets signal
 * handlers and mask, dies with the manager, is not dumpable, closes every descriptor that is not in
 * `keep`, has a limit of memory and an alarm, and ends in _exit(). Its result is a value without
 * pointers.
 *
 * A job ends when both its datagram and its exit are known. The datagram is sent before the exit,
 * so it is in the socket when the manager handles the exit.
 *
 * Before that, a child can ask: job_ask() sends a request over a second socket and waits for the
 * answer of the manager's handler, 0 or a negative errno.
 */

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "common/macro.h"

#define JOB_STUCK_USEC      (3 * UINT64_C(1000000))
#define JOB_KEEP_MAX        4
#define JOB_RESULT_SIZE_MAX (64 * 1024)
#define JOB_END_TEXT_MAX    128

typedef struct Job Job;

/* The child's end of the socket for requests. */
typedef struct JobLink {
        int fd; /* -1: closed */
} JobLink;

#define JOB_LINK_NULL ((JobLink){.fd = -1})

/* In the manager: answers a request of JobSpec.request_size bytes, which is valid until the handler
 * returns. Returns 0 or a negative errno. The child waits meanwhile; the handler does not free the
 * job. */
typedef int (*job_answer_fn)(const void *request, void *userdata);

typedef struct JobSpec {
        const char *name; /* the child's process name; 15 characters are used (prctl(2)) */
        int (*run)(void *result, const void *task); /* in the child; 0 or a negative errno */
        const void *task;
        size_t result_size;     /* bytes of `result`, all zero when `run` is called */
        int keep[JOB_KEEP_MAX]; /* descriptors that stay open in the child */
        size_t n_keep;
        uint64_t deadline_usec; /* from the start; then the child is killed; USEC_NEVER: none */
        JobLink *link;          /* set in the child before `run`; NULL: the child asks nothing */
        size_t request_size;    /* bytes of each request */
        job_answer_fn answer;   /* with the `userdata` of job_start() */
} JobSpec;

typedef enum JobResult {
        JOB_DONE,   /* the result is complete and the child exited with 0 */
        JOB_FAILED, /* `run` failed; `detail` is its errno */
        JOB_TIMED_OUT,
        JOB_STUCK,   /* killed at the deadline, and not ended JOB_STUCK_USEC later: it waits in the
                        kernel for a file system. The handler is called again at the end. */
        JOB_CRASHED, /* `detail` is the signal, or 0 */
        _JOB_RESULT_MAX,
} JobResult;

/* `data` is valid until the handler returns; it is NULL unless `result` is JOB_DONE. The handler
 * may free the job. */
typedef void (*job_end_fn)(
        Job *job, JobResult result, int detail, const void *data, void *userdata);

/* What is said of a process that has ended with JOB_FAILED or JOB_CRASHED: "failed: ...", "was
 * terminated by signal 9", "exited". */
void job_end_text(char *buffer, size_t size, JobResult result, int detail);

/* -E2BIG: `result_size` or `request_size` is larger than JOB_RESULT_SIZE_MAX. */
int job_start(Job **ret, sd_event *event, const JobSpec *spec, job_end_fn fn, void *userdata);

/* Kills a child that still runs and does not wait for its end: a process that waits for a file
 * system may not be killable for a long time. The event loop reaps it. */
Job *job_free(Job *job);
DEFINE_CLEANUP(Job *, job_free);

/* Kills the child; its end is reported as always, JOB_CRASHED. */
void job_kill(Job *job);

pid_t job_pid(const Job *job);

/* Reaps the children of freed jobs until none is left, for at most `limit_usec`: before the
 * exit, so that only a child that cannot be killed is left to init. SIGCHLD is blocked. */
void job_reap(uint64_t limit_usec);

/* Runs a job from within the child of another one, which has no loop, and waits for its result,
 * which `ret` receives; nothing can be asked. -ETIMEDOUT: killed at the deadline; -ECHILD: it ended
 * without a result; or the errno of `run`. A child that cannot be killed is left to its own. */
int job_run(void *ret, const JobSpec *spec);

/* In the child: sends a request and returns the answer. -ETIMEDOUT: there is none at
 * `deadline_usec` (boot time); -ECONNRESET: the manager has ended. The link is closed then, and
 * further requests return -EBADF. */
int job_ask(JobLink *link, const void *request, size_t size, uint64_t deadline_usec);

/* Gives all signals their default action and unblocks them, in a child after fork(2). */
void job_reset_signals(void);
