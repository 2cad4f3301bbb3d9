#include "daemon/snapshot.h"

#include <errno.h>
#include <fcntl.h>

#include "common/file.h"
#include "common/macro.h"

static int read_all(Snapshot *snapshot, const char *const paths[_MATERIAL_FILE_MAX])
{
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                snapshot->stamp[i] = stamp_take(paths[i]);
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                int r = file_read(&snapshot->content[i], AT_FDCWD, paths[i], SNAPSHOT_FILE_LIMIT);

                if (r == -ENOMEM)
                        return r;
                snapshot->error[i] = r;
        }
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                Stamp after = stamp_take(paths[i]);

                if (!stamp_equal(&snapshot->stamp[i], &after))
                        snapshot->moving = true;
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
