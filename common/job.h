#pragma once

/*
 * Job: a forked child that does one thing, sends one datagram and exits.
 *
 * Fork without exec, because the child must use exactly the bytes and the configuration that the
 * manager has; honest only because the manager has no threads. The child resets signals and mask,
 * dies with the manager, is not dumpable, closes every descriptor that it was not told to keep, has
 * an alarm, and ends in _exit(). Its result is a value without pointers.
 *
 * A job ends when its datagram and its exit are both known. The datagram is sent before the exit,
 * so it lies in the socket when the exit is seen.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "common/macro.h"

#define JOB_KEEP_MAX        4
#define JOB_RESULT_SIZE_MAX (64 * 1024)

typedef struct Job Job;

typedef struct JobSpec {
        const char *name; /* becomes the child's process name, 15 characters of it */
        int (*run)(void *result, const void *task); /* in the child; 0 or a negative errno */
        const void *task;
        size_t result_size;     /* `run` finds that many zero bytes */
        int keep[JOB_KEEP_MAX]; /* descriptors that stay open in the child */
        size_t n_keep;
        uint64_t deadline_usec; /* from now; then the child is killed */
} JobSpec;

typedef enum JobResult {
        JOB_DONE,   /* the result is whole and the child left in order */
        JOB_FAILED, /* `run` said no; `detail` is its errno */
        JOB_TIMED_OUT,
        JOB_CRASHED, /* `detail` is the signal, or 0 */
        _JOB_RESULT_MAX,
} JobResult;

/* `result` lives until the handler returns; it is NULL unless JOB_DONE. The handler may free the
 * job. */
typedef void (*job_end_fn)(Job *job, JobResult end, int detail, const void *result, void *userdata);

int job_start(Job **ret, sd_event *event, const JobSpec *spec, job_end_fn fn, void *userdata);

/* A child that still runs is killed and reaped. */
Job *job_free(Job *job);
DEFINE_CLEANUP(Job *, job_free);

pid_t job_pid(const Job *job);
