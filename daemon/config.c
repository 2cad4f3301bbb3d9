#include "daemon/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

Config *config_free(Config *config)
{
        if (!config)
                return NULL;
        free(config->materials);
        free(config->clusters);
        free(config);
        return NULL;
}

int config_directory(char *buffer, size_t size, ConfigDirectory directory)
{
        static const struct {
                const char *variable;
                const char *fallback;
        } directories[_CONFIG_DIRECTORY_MAX] = {
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
