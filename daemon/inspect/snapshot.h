#pragma once

/*
 * Snapshot: the bytes of the three files, read once and consistently.
 *
 * The files are opened by directory descriptor and name, each symbolic link on the way having been
 * looked up once for all of them (daemon/watch/path-walk.h), so what is read is of one generation. The way
 * and the files are compared before and after, and all is read again when something moved: so a
 * write in place is seen as well. Nothing here blocks: a FIFO, a device and a directory are
 * results. A file that cannot be read is a result too, per file.
 */

#include <stdbool.h>

#include "common/file.h"
#include "common/secret.h"
#include "daemon/model/rule.h"

#define SNAPSHOT_FILE_LIMIT (1024 * 1024)
#define SNAPSHOT_ATTEMPTS   5

typedef struct Snapshot {
        Secret content[_MATERIAL_FILE_MAX];
        int error[_MATERIAL_FILE_MAX]; /* 0 or a negative errno as file_read() has them */
        FileStat stat[_MATERIAL_FILE_MAX];
        bool files_changed; /* every attempt saw a change; what is here must not be used */
} Snapshot;

#define SNAPSHOT_NULL ((Snapshot){0})

/* -ENOMEM is the only failure. `paths` are absolute. */
int snapshot_take(Snapshot *ret, const char *const paths[_MATERIAL_FILE_MAX]);
void snapshot_done(Snapshot *snapshot);
