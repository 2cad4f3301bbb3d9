#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "common/file.h"
#include "common/macro.h"
#include "daemon/config.h"

#define STATE_FILE_LIMIT (64 * 1024)

static int state_path(char path[PATH_MAX], const char *cluster)
{
        char directory[CONFIG_PATH_MAX];
        int r = config_directory(directory, sizeof(directory), CONFIG_DIRECTORY_STATE);

        if (r < 0)
                return r;
        snprintf(path, PATH_MAX, "%s/%s.json", directory, cluster);
        return 0;
}

int state_load(Record *ret, const char *cluster)
{
        CLEANUP(secret_done) Secret content = SECRET_NULL;
        char path[PATH_MAX];
        int r;

        *ret = RECORD_NULL;
        r = state_path(path, cluster);
        if (r == 0)
                r = file_read(&content, AT_FDCWD, path, STATE_FILE_LIMIT);
        return r < 0 ? r : record_parse(ret, content.data, content.size);
}

int state_save(const char *cluster, const Record *record)
{
        CLEANUP(freep) char *text = NULL;
        char path[PATH_MAX];
        size_t size;
        int r;

        r = state_path(path, cluster);
        if (r == 0)
                r = record_format(&text, &size, record);
        return r < 0 ? r : file_replace(path, text, size, 0600);
}
