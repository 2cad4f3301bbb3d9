/*
 * A value for each key of each section: a key accepts it and then has a value within its limits, or
 * refuses it and leaves the object as it was. The input is one value, as common/text.h calls a line
 * displayable.
 */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/text.h"
#include "daemon/config/password-command.h"
#include "daemon/config/schema.h"

typedef union Object {
        Config daemon;
        MaterialConfig material;
        ClusterConfig cluster;
        uint8_t bytes[sizeof(Config) + sizeof(MaterialConfig) + sizeof(ClusterConfig)];
} Object;

/* What is used in a statement between backticks. */
static void check_table(const char *table)
{
        const char *dot = strchr(table, '.');

        MUST(table[0] == '\0' || (dot && dot > table && dot[1] != '\0' && !strchr(dot + 1, '.')));
        MUST(!strpbrk(table, "`'\"\\; "));
}

static void check_durations(const ConfigKey *key, const uint64_t *usec)
{
        MUST(usec[0] > 0);
        for (size_t i = 0; i < CONFIG_EXPIRY_WARNINGS_MAX && usec[i] > 0; i++) {
                MUST(usec[i] >= key->minimum && usec[i] <= key->maximum);
                MUST(i == 0 || usec[i] < usec[i - 1]);
        }
}

static void check_command(const char *command)
{
        /* Each specifier has a value of its own. */
        const LoginConfig login = {.host = "db.example", .port = 3306, .user = "ssl_importer"};
        CLEANUP(freep) char **words = NULL;
        int n = password_command_parse(&words, command, &login);

        MUST(n > 0 && words[0][0] == '/' && !words[n]);
}

static void check_choice(const ConfigKey *key, int choice, const char *text)
{
        int n = 0;

        while (key->choices[n])
                n++;
        MUST(choice >= 0 && choice < n && strcmp(key->choices[choice], text) == 0);
}

static void check_text(const ConfigKey *key, const char *stored)
{
        switch (key->kind) {
        case CONFIG_KEY_PATH:
        case CONFIG_KEY_FILE:
                MUST(stored[0] == '/');
                break;
        case CONFIG_KEY_NAME:
                MUST(!strchr(stored, '/') && stored[0] != '.' && stored[0] != '\0');
                break;
        case CONFIG_KEY_HOST: /* an argument of a program */
                MUST(stored[0] != '-' && strlen(stored) < CONFIG_HOST_MAX);
                MUST(!strpbrk(stored, " /@[]?#%"));
                break;
        case CONFIG_KEY_TABLE:
                check_table(stored);
                break;
        case CONFIG_KEY_COMMAND:
                check_command(stored);
                break;
        case CONFIG_KEY_FILE_NAME:
        case CONFIG_KEY_USER:
        case CONFIG_KEY_FIELD:
        case CONFIG_KEY_UNSIGNED:
        case CONFIG_KEY_DURATION:
        case CONFIG_KEY_DURATIONS:
        case CONFIG_KEY_CHOICE:
        case CONFIG_KEY_CHOICES:
        case CONFIG_KEY_BOOLEAN:
                break;
        }
}

static void check_member(const ConfigKey *key, const void *member, const char *text)
{
        switch (key->kind) {
        case CONFIG_KEY_UNSIGNED:
                MUST(*(const unsigned *)member >= key->minimum &&
                        *(const unsigned *)member <= key->maximum);
                break;
        case CONFIG_KEY_DURATION:
                MUST(*(const uint64_t *)member >= key->minimum &&
                        *(const uint64_t *)member <= key->maximum);
                break;
        case CONFIG_KEY_DURATIONS:
                check_durations(key, member);
                break;
        case CONFIG_KEY_CHOICE:
                check_choice(key, *(const int *)member, text);
                break;
        case CONFIG_KEY_CHOICES:
                MUST(*(const unsigned *)member > 0);
                break;
        case CONFIG_KEY_BOOLEAN:
                MUST(*(const bool *)member == (text[0] == 'y'));
                break;
        case CONFIG_KEY_PATH:
        case CONFIG_KEY_FILE:
        case CONFIG_KEY_FILE_NAME:
        case CONFIG_KEY_USER:
        case CONFIG_KEY_TABLE:
        case CONFIG_KEY_FIELD:
        case CONFIG_KEY_NAME:
        case CONFIG_KEY_HOST:
        case CONFIG_KEY_COMMAND:
                check_text(key, *(const char *const *)member);
                break;
        }
}

static void check_key(const ConfigKey *key, const char *text)
{
        Object object, before;

        memset(&object, 0xa5, sizeof(object));
        before = object;
        if (config_key_parse(&object, key, text) < 0)
                MUST(memcmp(&object, &before, sizeof(object)) == 0);
        else if (key->offset != SIZE_MAX)
                check_member(key, object.bytes + key->offset, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const ConfigKeyTable *const tables[] = {
                &schema_daemon, &schema_material, &schema_cluster};
        CLEANUP(freep) char *text = NULL;

        if (size >= CONFIG_VALUE_MAX || !text_is_displayable((const char *)data, size))
                return 0;
        text = strndup((const char *)data, size);
        MUST(text && strlen(text) == size);
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                for (size_t k = 0; k < tables[i]->n_keys; k++)
                        check_key(&tables[i]->keys[k], text);
        return 0;
}
