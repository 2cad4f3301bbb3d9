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

/* The fingerprint and a line end. */
static bool is_fingerprint_line(const Secret *content)
{
        size_t length = REPORT_FINGERPRINT_MAX - 1;

        return content->size == length + 1 && content->data[length] == '\n' &&
                strspn(content->data, "0123456789abcdef") == length;
}

void rollout_load(char ret[static REPORT_FINGERPRINT_MAX], const char *material)
{
        CLEANUP(secret_done) Secret content = SECRET_NULL;
        char path[PATH_MAX];
        int r = paths_rollout(path, sizeof(path), material);

        if (r == 0)
                r = file_read(&content, AT_FDCWD, path, ROLLOUT_FILE_LIMIT);
        if (r == -ENOENT)
                ret[0] = '\0';
        else if (r < 0 || !is_fingerprint_line(&content))
                text_set(ret, REPORT_FINGERPRINT_MAX, ROLLOUT_UNREADABLE);
        else {
                memcpy(ret, content.data, REPORT_FINGERPRINT_MAX - 1);
                ret[REPORT_FINGERPRINT_MAX - 1] = '\0';
        }
}

int rollout_save(const char *material, const char *fingerprint)
{
        char path[PATH_MAX], line[REPORT_FINGERPRINT_MAX + 1];
        int r = paths_rollout(path, sizeof(path), material);

        snprintf(line, sizeof(line), "%s\n", fingerprint);
        return r < 0 ? r : file_replace(path, line, strlen(line), 0600);
}

void rollout_remove(const char *material)
{
        char path[PATH_MAX];

        if (paths_rollout(path, sizeof(path), material) == 0)
                (void)unlink(path);
}

bool rollout_doubt(const char *fingerprint, Record *record)
{
        RecordImport *imported = &record->imported;

        if (fingerprint[0] == '\0' || imported->fingerprint[0] == '\0' ||
                strcmp(imported->fingerprint, fingerprint) == 0)
                return false;
        *imported = (RecordImport){0};
        return true;
}
