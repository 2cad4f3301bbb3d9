#pragma once

/*
 * Snapshot: reads the bytes of the three files once and consistently.
 *
 * The files are opened by directory descriptor and name, and each symbolic link on the way is
 * resolved once for all three (daemon/watch/path-walk.h), so the bytes are of one generation. Paths
 * and files are compared before and after, and everything is read again after a change, which also
 * detects a write in place. Nothing blocks: a FIFO, a device and a directory are errors of their
 * file, as is a file that cannot be read.
 */

#include <stdbool.h>

#include "common/file.h"
#include "common/secret.h"
#include "daemon/model/rule.h"
#include "daemon/watch/progress.h"

#define SNAPSHOT_FILE_LIMIT (1024 * 1024) /* bytes */
#define SNAPSHOT_ATTEMPTS   5

typedef struct Snapshot {
        Secret content[_MATERIAL_FILE_MAX];
        int error[_MATERIAL_FILE_MAX];    /* 0 or a negative errno as of file_read() */
        char *closed[_MATERIAL_FILE_MAX]; /* with -EACCES, a directory that may not be entered */
        FileStat stat[_MATERIAL_FILE_MAX];
        bool files_changed; /* during every attempt; the content must not be used */
} Snapshot;

#define SNAPSHOT_NULL ((Snapshot){0})

/* `paths` are absolute. `progress` counts each call to the file system; NULL: none. Returns 0 or
 * -ENOMEM. */
int snapshot_take(Snapshot *ret, const char *const paths[_MATERIAL_FILE_MAX], Progress *progress);
void snapshot_done(Snapshot *snapshot);
