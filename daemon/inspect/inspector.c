#include "daemon/inspect/inspector.h"

#include <string.h>

#include "common/file.h"
#include "daemon/inspect/payload.h"
#include "daemon/inspect/pem.h"
#include "daemon/inspect/snapshot.h"
#include "daemon/inspect/validate.h"

static int write_payload(Report *report, const InspectorTask *task, const Pem *pem)
{
        CLEANUP(secret_done) Secret payload = SECRET_NULL;
        int r;

        if (report->failed || task->payload_fd < 0)
                return 0;
        r = payload_build(&payload, pem);
        if (r == 0)
                r = file_write_all(task->payload_fd, payload.data, payload.size);
        if (r == 0)
                report->payload_size = payload.size;
        return r;
}

static int take_fingerprints(Report *report, const Pem *pem)
{
        int r = payload_fingerprint(report->fingerprint, pem);

        if (r == 0)
                r = payload_legacy_fingerprint(report->legacy_fingerprint, pem);
        if (r == 0 && strcmp(report->legacy_fingerprint, report->fingerprint) == 0)
                report->legacy_fingerprint[0] = '\0';
        return r;
}

int inspector_run(Report *ret, const InspectorTask *task)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;
        CLEANUP(pem_done) Pem pem = PEM_NULL;
        const char *paths[_MATERIAL_FILE_MAX];
        int r;

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                paths[i] = task->config->path[i];
        r = snapshot_take(&snapshot, paths, task->progress);
        progress_finish(task->progress);
        if (r < 0)
                return r;
        if (snapshot.files_changed) {
                ret->files_changed = true;
                return 0;
        }
        r = pem_parse(&pem, &snapshot, paths, ret, task->now_usec);
        if (r < 0)
                return r;
        r = validate(ret, &pem, task->config, &snapshot.stat[MATERIAL_KEY], task->now_usec);
        if (r == 0 && pem.authorities && pem.chain && pem.key)
                r = take_fingerprints(ret, &pem);
        return r < 0 ? r : write_payload(ret, task, &pem);
}
