#include "daemon/snapshot.h"

#include <errno.h>

#include "common/file.h"
#include "common/macro.h"
#include "daemon/trail.h"

static int read_one(Snapshot *snapshot, MaterialFile file, const TrailEnd *end)
{
        Stamp after;
        int r;

        snapshot->stamp[file] = stamp_take_at(end->directory_fd, end->name);
        r = file_read(&snapshot->content[file], end->directory_fd, end->name, SNAPSHOT_FILE_LIMIT);
        after = stamp_take_at(end->directory_fd, end->name);
        /* ESTALE: a file server replaced the file under us (open(2)). */
        if (!stamp_equal(&snapshot->stamp[file], &after) || r == -ESTALE)
                snapshot->moving = true;
        return r;
}

static int read_all(Snapshot *snapshot, const char *const paths[_MATERIAL_FILE_MAX])
{
        CLEANUP(trail_done) Trail before = TRAIL_NULL;
        CLEANUP(trail_done) Trail after = TRAIL_NULL;
        TrailEnd end[_MATERIAL_FILE_MAX];
        Stamp last;

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                snapshot->error[i] = trail_add(&before, paths[i], &end[i]);
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                if (snapshot->error[i] == 0)
                        snapshot->error[i] = read_one(snapshot, i, &end[i]);
                if (snapshot->error[i] == -ENOMEM)
                        return -ENOMEM;
        }
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                if (trail_add(&after, paths[i], NULL) == -ENOMEM)
                        return -ENOMEM;
        snapshot->moving = snapshot->moving || !trail_equal(&before, &after);
        /* Once more at the end: the first file may have changed while the last was read. */
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                if (snapshot->error[i] != 0)
                        continue;
                last = stamp_take_at(end[i].directory_fd, end[i].name);
                snapshot->moving = snapshot->moving || !stamp_equal(&last, &snapshot->stamp[i]);
        }
        return 0;
}

int snapshot_take(Snapshot *ret, const char *const paths[_MATERIAL_FILE_MAX])
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;

        for (unsigned i = 0; i < SNAPSHOT_ATTEMPTS; i++) {
                int r;

                snapshot_done(&snapshot);
                r = read_all(&snapshot, paths);
                if (r < 0)
                        return r;
                if (!snapshot.moving)
                        break;
        }
        *ret = snapshot;
        snapshot = SNAPSHOT_NULL;
        return 0;
}

void snapshot_done(Snapshot *snapshot)
{
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                secret_done(&snapshot->content[i]);
        *snapshot = SNAPSHOT_NULL;
}
