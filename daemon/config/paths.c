#include "daemon/config/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"

int paths_directory(char *buffer, size_t size, PathsDirectory directory)
{
        static const struct {
                const char *variable;
                const char *fallback;
        } directories[_PATHS_DIRECTORY_MAX] = {
                {"CONFIGURATION_DIRECTORY", "/etc/binlog-ssld"},
                {"STATE_DIRECTORY", "/var/lib/binlog-ssld"},
                {"RUNTIME_DIRECTORY", "/run/binlog-ssld"},
                {"CREDENTIALS_DIRECTORY", ""},
        };
        const char *value = getenv(directories[directory].variable);
        int n;

        if (!value || value[0] == '\0')
                value = directories[directory].fallback;
        n = snprintf(buffer, size, "%.*s", (int)strcspn(value, ":"), value);
        return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int path_below(
        char *buffer, size_t size, PathsDirectory below, const char *name, const char *suffix)
{
        char directory[CONFIG_PATH_MAX];
        int n, r = paths_directory(directory, sizeof(directory), below);

        if (r < 0)
                return r;
        n = snprintf(buffer, size, "%s/%s%s", directory, name, suffix);
        return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int paths_config_file(char *buffer, size_t size)
{
        return path_below(buffer, size, PATHS_DIRECTORY_CONFIGURATION, "binlog-ssld.conf", "");
}

int paths_record(char *buffer, size_t size, const char *name)
{
        return path_below(buffer, size, PATHS_DIRECTORY_STATE, name, ".json");
}

int paths_rollout(char *buffer, size_t size, const char *name)
{
        return path_below(buffer, size, PATHS_DIRECTORY_STATE, name, ".rollout");
}

int paths_socket(char *buffer, size_t size)
{
        return path_below(buffer, size, PATHS_DIRECTORY_RUNTIME, PATHS_SOCKET_NAME, "");
}
