#pragma once

/*
 * Progress: shows a parent that its child still gets on with a file system that may hang.
 *
 * The child counts each call to the file system that has returned, in a page that both processes
 * share: nothing is sent and no process is woken. The parent compares counts
 * (daemon/watch/stall.h). A count that a faulty child writes can only make the parent more patient.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/macro.h"

typedef struct Progress Progress;

/* Before the fork; mmap(2). Each process frees its own mapping. */
int progress_new(Progress **ret);
Progress *progress_free(Progress *progress);
DEFINE_CLEANUP(Progress *, progress_free);

/* A call to the file system has returned. NULL: nobody looks. */
void progress_count(Progress *progress);

/* No further call will be made: what takes time from now on is not the file system. */
void progress_finish(Progress *progress);

uint32_t progress_read(const Progress *progress);
bool progress_is_finished(const Progress *progress);
