#include "daemon/config/config-key.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/config/password-command.h"

#define LABEL_MAX 63 /* RFC 1035, section 2.3.4 */

bool config_key_is_name(const char *text)
{
        if (text[0] == '\0' || text[0] == '.' || strlen(text) > NAME_MAX)
                return false;
        for (; *text != '\0'; text++)
                if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
                        return false;
        return true;
}

/* Returns true if no component, as separated by `separator`, is empty or longer than `maximum`. */
static bool has_components(const char *text, char separator, size_t maximum)
{
        for (;; text++) {
                size_t length = (size_t)(strchrnul(text, separator) - text);

                if (length == 0 || length > maximum)
                        return false;
                text += length;
                if (*text == '\0')
                        return true;
        }
}

/* A host is an argument of programs (password-command), so it must not look like an option. Digits
 * alone in the last label are a part of an address, and of no name. */
bool config_key_is_host(const char *text)
{
        static const char allowed[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
        size_t size = strspn(text, allowed);
        struct in6_addr address;
        const char *last;

        if (strchr(text, ':'))
                return inet_pton(AF_INET6, text, &address) == 1;
        if (inet_pton(AF_INET, text, &address) == 1)
                return true;
        if (size >= CONFIG_HOST_MAX || text[size] != '\0' || text[0] == '-' ||
                !has_components(text, '.', LABEL_MAX))
                return false;
        last = strrchr(text, '.') ? strrchr(text, '.') + 1 : text;
        return last[strspn(last, "0123456789")] != '\0';
}

static bool is_path(const char *text)
{
        for (text += strspn(text, "/"); *text != '\0'; text += strspn(text, "/")) {
                size_t length = strcspn(text, "/");

                if (length > NAME_MAX)
                        return false;
                text += length;
        }
        return true;
}

/* A path that ends in a slash or in dots is that of a directory. */
static bool is_file(const char *text)
{
        const char *slash = strrchr(text, '/'), *name = slash ? slash + 1 : text;

        return is_path(text) && name[0] != '\0' && strcmp(name, ".") != 0 &&
                strcmp(name, "..") != 0;
}

/* Counted in characters; settings are UTF-8. */
static bool is_user(const char *text)
{
        size_t n = 0;

        for (; *text != '\0'; text++)
                n += ((unsigned char)*text & 0xc0) != 0x80;
        return n > 0 && n <= CONFIG_USER_MAX;
}

/* Nobody can create a table in these two. */
static bool is_virtual_schema(const char *text, size_t size)
{
        static const char *const names[] = {"information_schema", "performance_schema"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strlen(names[i]) == size && strncasecmp(text, names[i], size) == 0)
                        return true;
        return false;
}

/* The text is used in SQL statements between backticks. */
static bool is_table(const char *text)
{
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789_$";
        size_t schema = strspn(text, allowed), table;

        if (text[schema] != '.')
                return false;
        table = strspn(text + schema + 1, allowed);
        return schema >= 1 && schema <= 64 && table >= 1 && table <= 64 &&
                text[schema + 1 + table] == '\0' && !is_virtual_schema(text, schema);
}

static int parse_unsigned(unsigned *ret, const ConfigKey *key, const char *text)
{
        unsigned long value;
        char *end;

        if (!isdigit((unsigned char)text[0]))
                return -EINVAL;
        errno = 0;
        value = strtoul(text, &end, 10);
        if (*end != '\0' || errno != 0 || value < key->minimum || value > key->maximum)
                return -EINVAL;
        *ret = (unsigned)value;
        return 0;
}

static int parse_duration(uint64_t *ret, const ConfigKey *key, const char *text)
{
        uint64_t usec;

        if (duration_parse(&usec, text) < 0 || usec < key->minimum || usec > key->maximum)
                return -EINVAL;
        *ret = usec;
        return 0;
}

static int parse_durations(uint64_t *ret, const ConfigKey *key, const char *text)
{
        uint64_t values[CONFIG_EXPIRY_WARNINGS_MAX + 1] = {0};
        char copy[CONFIG_VALUE_MAX];
        char *rest = NULL;
        size_t n = 0;

        text_set(copy, sizeof(copy), text);
        for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
                if (n >= CONFIG_EXPIRY_WARNINGS_MAX || parse_duration(&values[n], key, word) < 0 ||
                        (n > 0 && values[n] >= values[n - 1]))
                        return -EINVAL;
                n++;
        }
        if (n == 0)
                return -EINVAL;
        memcpy(ret, values, CONFIG_EXPIRY_WARNINGS_MAX * sizeof(*values));
        return 0;
}

static int parse_choice(int *ret, const ConfigKey *key, const char *text)
{
        int index = text_index(key->choices, text);

        if (index < 0)
                return -EINVAL;
        *ret = index;
        return 0;
}

/* A name may occur once. */
static int parse_choices(unsigned *ret, const ConfigKey *key, const char *text)
{
        char copy[CONFIG_VALUE_MAX];
        char *rest = copy, *word;
        unsigned flags = 0;

        text_set(copy, sizeof(copy), text);
        while ((word = strsep(&rest, ",")) != NULL) {
                int index, r = parse_choice(&index, key, word + strspn(word, " "));

                if (r < 0 || flags & 1U << index)
                        return -EINVAL;
                flags |= 1U << index;
        }
        *ret = flags;
        return 0;
}

static bool is_command(const char *text)
{
        const LoginConfig any = {.host = "h", .user = "u"};
        CLEANUP(freep) char **words = NULL;

        return password_command_parse(&words, text, &any) > 0 && words[0][0] == '/' &&
                is_file(words[0]);
}

const ConfigKey *config_key_find(const ConfigKeyTable *table, const char *name)
{
        for (size_t i = 0; i < table->n_keys; i++)
                if (strcmp(table->keys[i].name, name) == 0)
                        return &table->keys[i];
        return NULL;
}

const char *config_key_list(char *buffer, size_t size, const ConfigKeyTable *table)
{
        size_t used = 0;

        buffer[0] = '\0';
        for (size_t i = 0; i < table->n_keys && used < size; i++) {
                text_format(
                        buffer + used, size - used, "%s%s", i > 0 ? ", " : "", table->keys[i].name);
                used += strlen(buffer + used);
        }
        return buffer;
}

int config_key_parse(void *object, const ConfigKey *key, const char *text)
{
        void *member = key->offset == SIZE_MAX ? NULL : (char *)object + key->offset;
        bool valid = false;

        switch (key->kind) {
        case CONFIG_KEY_PATH:
                valid = text[0] == '/' && is_path(text);
                break;
        case CONFIG_KEY_FILE:
                valid = text[0] == '/' && is_file(text);
                break;
        case CONFIG_KEY_FILE_NAME:
                valid = is_file(text);
                break;
        case CONFIG_KEY_USER:
                valid = is_user(text);
                break;
        case CONFIG_KEY_NAME:
                valid = config_key_is_name(text);
                break;
        case CONFIG_KEY_HOST:
                valid = config_key_is_host(text);
                break;
        case CONFIG_KEY_TABLE:
                valid = is_table(text) || strcmp(text, "off") == 0;
                text = is_table(text) ? text : "";
                break;
        case CONFIG_KEY_FIELD:
                valid = text[0] != '\0';
                text = strcmp(text, "off") == 0 ? "" : text;
                break;
        case CONFIG_KEY_UNSIGNED:
                return parse_unsigned(member, key, text);
        case CONFIG_KEY_DURATION:
                return parse_duration(member, key, text);
        case CONFIG_KEY_DURATIONS:
                return parse_durations(member, key, text);
        case CONFIG_KEY_CHOICE:
                return parse_choice(member, key, text);
        case CONFIG_KEY_CHOICES:
                return parse_choices(member, key, text);
        case CONFIG_KEY_COMMAND:
                valid = is_command(text);
                break;
        case CONFIG_KEY_BOOLEAN:
                if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
                        return -EINVAL;
                *(bool *)member = text[0] == 'y';
                return 0;
        }
        if (valid && member)
                *(const char **)member = text;
        return valid ? 0 : -EINVAL;
}

int config_key_set_default(void *object, const ConfigKey *key)
{
        void *member;

        if (key->fallback[0] != '\0')
                return config_key_parse(object, key, key->fallback);
        /* Only a text or a number can be unset, and both are stored. */
        member = (char *)object + key->offset;
        if (key->kind == CONFIG_KEY_UNSIGNED)
                *(unsigned *)member = 0;
        else
                *(const char **)member = "";
        return 0;
}

static bool key_equal(const ConfigKey *key, const void *a, const void *b)
{
        switch (key->kind) {
        case CONFIG_KEY_PATH:
        case CONFIG_KEY_FILE:
        case CONFIG_KEY_FILE_NAME:
        case CONFIG_KEY_USER:
        case CONFIG_KEY_TABLE:
        case CONFIG_KEY_FIELD:
        case CONFIG_KEY_NAME:
        case CONFIG_KEY_HOST:
        case CONFIG_KEY_COMMAND:
                return text_equal(*(const char *const *)a, *(const char *const *)b);
        case CONFIG_KEY_UNSIGNED:
        case CONFIG_KEY_CHOICES:
        case CONFIG_KEY_CHOICE: /* an int */
                return memcmp(a, b, sizeof(unsigned)) == 0;
        case CONFIG_KEY_DURATION:
                return *(const uint64_t *)a == *(const uint64_t *)b;
        case CONFIG_KEY_DURATIONS:
                return memcmp(a, b, CONFIG_EXPIRY_WARNINGS_MAX * sizeof(uint64_t)) == 0;
        case CONFIG_KEY_BOOLEAN:
                return *(const bool *)a == *(const bool *)b;
        }
        return false;
}

bool config_key_table_equal(const ConfigKeyTable *table, const void *a, const void *b)
{
        for (size_t i = 0; i < table->n_keys; i++) {
                const ConfigKey *key = &table->keys[i];

                if (key->offset != SIZE_MAX &&
                        !key_equal(
                                key, (const char *)a + key->offset, (const char *)b + key->offset))
                        return false;
        }
        return true;
}
