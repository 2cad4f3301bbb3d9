#include "daemon/record/rollout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/config/paths.h"

#define ROLLOUT_FILE_LIMIT 4096

/* A line: the fingerprint and, after a blank, the name of the one cluster. */
static bool parse(Rollout *ret, const Secret *content)
{
        size_t length = REPORT_FINGERPRINT_MAX - 1, rest;
        const char *name;

        if (content->size <= length || content->data[content->size - 1] != '\n' ||
                strspn(content->data, "0123456789abcdef") != length)
                return false;
        name = content->data + length;
        rest = content->size - length - 1;
        if (rest > 0 &&
                (*name++ != ' ' || --rest == 0 || rest >= CONFIG_NAME_MAX ||
                        memchr(name, '\n', rest)))
                return false;
        memcpy(ret->fingerprint, content->data, length);
        ret->fingerprint[length] = '\0';
        memcpy(ret->cluster, name, rest);
        ret->cluster[rest] = '\0';
        return true;
}

void rollout_load(Rollout *ret, const char *material)
{
        CLEANUP(secret_done) Secret content = SECRET_NULL;
        char path[PATH_MAX];
        int r = paths_rollout(path, sizeof(path), material);

        *ret = (Rollout){0};
        if (r == 0)
                r = file_read(&content, AT_FDCWD, path, ROLLOUT_FILE_LIMIT);
        if (r != -ENOENT && (r < 0 || !parse(ret, &content)))
                text_set(ret->fingerprint, sizeof(ret->fingerprint), ROLLOUT_UNREADABLE);
}

int rollout_save(const char *material, const Rollout *rollout)
{
        char path[PATH_MAX], line[REPORT_FINGERPRINT_MAX + CONFIG_NAME_MAX + 2];
        int r = paths_rollout(path, sizeof(path), material);

        snprintf(line, sizeof(line), "%s%s%s\n", rollout->fingerprint,
                rollout->cluster[0] != '\0' ? " " : "", rollout->cluster);
        return r < 0 ? r : file_replace(path, line, strlen(line), 0600);
}

void rollout_remove(const char *material)
{
        char path[PATH_MAX];

        if (paths_rollout(path, sizeof(path), material) == 0)
                (void)unlink(path);
}

bool rollout_doubt(const Rollout *rollout, const char *cluster, Record *record)
{
        RecordImport *imported = &record->imported;

        if (rollout->fingerprint[0] == '\0' || imported->fingerprint[0] == '\0' ||
                strcmp(imported->fingerprint, rollout->fingerprint) == 0 ||
                (rollout->cluster[0] != '\0' && strcmp(rollout->cluster, cluster) != 0))
                return false;
        record_forget_import(record);
        return true;
}
