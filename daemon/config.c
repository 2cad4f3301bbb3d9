#include "daemon/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const auth_plugin_names[_AUTH_PLUGIN_MAX + 1] = {
        [AUTH_PLUGIN_NATIVE] = "mysql_native_password",
        [AUTH_PLUGIN_SHA2] = "caching_sha2_password",
        [AUTH_PLUGIN_ED25519] = "client_ed25519",
};

Config *config_free(Config *config)
{
        if (!config)
                return NULL;
        free(config->materials);
        free(config->clusters);
        free(config);
        return NULL;
}

void config_list_plugins(const ClusterConfig *cluster, char list[CONFIG_PLUGINS_MAX])
{
        size_t used = 0;

        list[0] = '\0';
        for (unsigned i = 0; i <= _AUTH_PLUGIN_MAX; i++) {
                bool allowed = i < _AUTH_PLUGIN_MAX ? cluster->auth_plugins & 1U << i
                                                    : cluster->cleartext_password;

                if (allowed)
                        used += (size_t)snprintf(list + used, CONFIG_PLUGINS_MAX - used, "%s%s",
                                used > 0 ? "," : "",
                                i < _AUTH_PLUGIN_MAX ? auth_plugin_names[i]
                                                     : "mysql_clear_password");
        }
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
