#include "daemon/config/config-section.h"

#include <errno.h>
#include <string.h>

#define SHOWN_MAX 300 /* bytes of a value in an error, so that what is allowed fits behind it */

/* A user may have written the password itself as the value of such a key. */
static bool value_is_secret(const ConfigKey *key)
{
        return strstr(key->name, "password-") != NULL;
}

/* DNS ends a full name with a dot; no certificate does. */
static void trim_host(char *host)
{
        size_t length = strlen(host);

        if (length > 0 && host[length - 1] == '.')
                host[length - 1] = '\0';
}

static int load_key(const Load *load, void *object, const ConfigKey *key, const Setting *setting)
{
        if (key->kind == CONFIG_KEY_HOST)
                trim_host(setting->value);
        if (config_key_parse(object, key, setting->value) == 0)
                return 0;
        if (value_is_secret(key))
                return LOAD_PROBLEM(load, setting, "%s: this is not %s", key->name, key->allowed);
        return LOAD_PROBLEM(load, setting, "%s = %.*s%s: this is not %s", key->name, SHOWN_MAX,
                setting->value, strlen(setting->value) > SHOWN_MAX ? "..." : "", key->allowed);
}

const Setting *config_section_find(const Section *section, const Section *defaults, const char *key)
{
        const Setting *setting = section_find(section, key);

        return setting ? setting : section_find(defaults, key);
}

int config_section_load(const Load *load, void *object, const ConfigKeyTable *table,
        const Section *section, const Section *defaults)
{
        int r = 0;

        for (size_t i = 0; i < table->n_keys && r == 0; i++) {
                const ConfigKey *key = &table->keys[i];
                const Setting *setting = config_section_find(section, defaults, key->name);

                if (setting)
                        r = load_key(load, object, key, setting);
                else
                        r = config_key_set_default(object, key);
        }
        return r;
}
