#include "daemon/inspector.h"

#include "common/file.h"
#include "daemon/identity.h"
#include "daemon/payload.h"
#include "daemon/snapshot.h"
#include "daemon/validation.h"

static int deliver(Report *report, const InspectorTask *task, const Identity *identity)
{
        CLEANUP(secret_done) Secret payload = SECRET_NULL;
        int r;

        if (report->failed || task->payload_fd < 0)
                return 0;
        r = payload_build(&payload, identity);
        if (r == 0)
                r = file_write_all(task->payload_fd, payload.data, payload.size);
        if (r == 0)
                report->payload_size = payload.size;
        return r;
}

int inspector_run(Report *ret, const InspectorTask *task)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;
        CLEANUP(identity_done) Identity identity = IDENTITY_NULL;
        const char *paths[_MATERIAL_FILE_MAX];
        int r;

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                paths[i] = task->config->path[i];
        r = snapshot_take(&snapshot, paths);
        if (r < 0)
                return r;
        if (snapshot.moving) {
                ret->moving = true;
                return 0;
        }
        r = identity_parse(&identity, &snapshot, paths, ret);
        if (r < 0)
                return r;
        validation_run(ret, &identity, task->config, &snapshot.stamp[MATERIAL_KEY], task->now_usec);
        if (identity.authorities && identity.chain && identity.key)
                r = payload_fingerprint(ret->fingerprint, &identity);
        return r < 0 ? r : deliver(ret, task, &identity);
}
