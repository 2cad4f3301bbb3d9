#include "daemon/config/settings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "common/file.h"
#include "common/text.h"

/* The state of parsing one file. libinih passes no line numbers and does not report an empty
 * section, so the function that passes it lines counts them and detects sections itself. */
typedef struct Parse {
        Settings *settings;
        const char *file;
        const char *cursor;
        const char *end;
        unsigned line;
        ConfigProblem *problem;
        int error;
} Parse;

#define PARSE_PROBLEM(parse, ...)                                                             \
        do {                                                                                  \
                if ((parse)->error == 0) {                                                    \
                        (parse)->error = -EINVAL;                                             \
                        config_problem_set(                                                   \
                                (parse)->problem, (parse)->file, (parse)->line, __VA_ARGS__); \
                }                                                                             \
        } while (0)

/* "cluster   orders" and "cluster orders" are one section. */
static int section_normalise(char *ret, const char *text)
{
        size_t size = 0;
        bool blank = false;

        for (; *text != '\0'; text++) {
                if (*text == ' ' || *text == '\t') {
                        blank = size > 0;
                        continue;
                }
                if (size + blank + 1 >= SETTINGS_SECTION_MAX)
                        return -E2BIG;
                if (blank)
                        ret[size++] = ' ';
                blank = false;
                ret[size++] = *text;
        }
        ret[size] = '\0';
        return 0;
}

static void add_section(Parse *parse, const char *name)
{
        Settings *settings = parse->settings;
        char *copy;

        for (size_t i = 0; i < settings->n_sections; i++) {
                Section *section = &settings->sections[i];

                if (strcmp(section->name, name) != 0)
                        continue;
                if (section->last_file == parse->file)
                        PARSE_PROBLEM(parse, "section [%s] occurs twice in this file", name);
                section->last_file = parse->file;
                return;
        }
        copy = GROW(settings->sections, settings->n_sections) ? strdup(name) : NULL;
        if (!copy) {
                parse->error = -ENOMEM;
                return;
        }
        settings->sections[settings->n_sections++] = (Section){
                .name = copy, .file = parse->file, .last_file = parse->file, .line = parse->line};
}

static void parse_section_line(Parse *parse, const char *line)
{
        char inside[CONFIG_VALUE_MAX];
        char name[SETTINGS_SECTION_MAX];
        const char *end = strchr(line, ']');

        if (!end)
                return; /* libinih reports this line */
        text_copy(inside, sizeof(inside), line + 1, (size_t)(end - line - 1));
        end += 1 + strspn(end + 1, " \t\r");
        if (section_normalise(name, inside) < 0 || strlen(inside) >= SETTINGS_SECTION_MAX)
                PARSE_PROBLEM(parse, "section name is longer than %d characters",
                        SETTINGS_SECTION_MAX - 1);
        else if (*end != '\0' && !strchr(";#", *end)) /* libinih would ignore the rest */
                PARSE_PROBLEM(parse, "only a comment may follow the section [%s]", name);
        else
                add_section(parse, name);
}

/* Returns true if text_copy() would not change the line, so that messages, paths and names display
 * every text as it is. A comment may contain anything. */
static bool line_is_clean(const char *line, size_t length)
{
        char blanks[CONFIG_VALUE_MAX], clean[CONFIG_VALUE_MAX];

        if (length == 0 || strchr(";#", line[0]))
                return true;
        if (line[length - 1] == '\r')
                length--;
        for (size_t i = 0; i < length; i++)
                blanks[i] = (char)(line[i] == '\t' ? ' ' : line[i]);
        text_copy(clean, sizeof(clean), blanks, length);
        return strlen(clean) == length && memcmp(clean, blanks, length) == 0;
}

/* Passes one line to libinih, without indentation: libinih would treat an indented line as the
 * continuation of the value before it. */
static char *parse_read_line(char *buffer, int size, void *userdata)
{
        Parse *parse = userdata;
        const char *end;
        size_t length;

        if (parse->cursor == parse->end)
                return NULL;
        parse->line++;
        end = memchr(parse->cursor, '\n', (size_t)(parse->end - parse->cursor));
        if (!end)
                end = parse->end;
        if (parse->line == 1 && parse->end - parse->cursor >= 3 &&
                memcmp(parse->cursor, "\xef\xbb\xbf", 3) == 0)
                parse->cursor += 3;
        while (parse->cursor < end && (*parse->cursor == ' ' || *parse->cursor == '\t'))
                parse->cursor++;
        length = (size_t)(end - parse->cursor);
        if (length > (size_t)size - 2) {
                PARSE_PROBLEM(parse, "line is longer than %d characters", size - 2);
                length = (size_t)size - 2;
        }
        if (memchr(parse->cursor, '\0', length)) {
                PARSE_PROBLEM(parse, "line contains a NUL byte");
                length = 0;
        }
        memcpy(buffer, parse->cursor, length);
        buffer[length] = '\0';
        if (!line_is_clean(buffer, length))
                PARSE_PROBLEM(parse, "line contains a control character or is not UTF-8");
        if (buffer[0] == '[' && parse->error == 0)
                parse_section_line(parse, buffer);
        buffer[length] = '\n';
        buffer[length + 1] = '\0';
        parse->cursor = end < parse->end ? end + 1 : end;
        return buffer;
}

static void setting_done(Setting *setting)
{
        free(setting->section);
        free(setting->key);
        free(setting->value);
        *setting = (Setting){0};
}

const Setting *settings_find(const Settings *settings, const char *section, const char *key)
{
        /* Backwards, because the last file overrides the others. */
        for (size_t i = settings->n_items; i-- > 0;)
                if (strcmp(settings->items[i].section, section) == 0 &&
                        strcmp(settings->items[i].key, key) == 0)
                        return &settings->items[i];
        return NULL;
}

/* Handler of libinih: returns 1 for success, 0 to refuse the line. */
static int parse_setting(void *userdata, const char *section, const char *key, const char *value)
{
        Parse *parse = userdata;
        Settings *settings = parse->settings;
        char name[SETTINGS_SECTION_MAX];
        const Setting *first;
        Setting setting;

        if (parse->error < 0)
                return 0;
        if (section[0] == '\0') {
                PARSE_PROBLEM(parse, "%s comes before the first section", key);
                return 0;
        }
        if (section_normalise(name, section) < 0)
                return 0;
        first = settings_find(settings, name, key);
        if (first && first->file == parse->file) {
                PARSE_PROBLEM(
                        parse, "%s occurs twice in [%s], first in line %u", key, name, first->line);
                return 0;
        }
        setting = (Setting){
                .section = strdup(name),
                .key = strdup(key),
                .value = strdup(value),
                .file = parse->file,
                .line = parse->line,
        };
        if (!setting.section || !setting.key || !setting.value ||
                !GROW(settings->items, settings->n_items)) {
                setting_done(&setting);
                parse->error = -ENOMEM;
                return 0;
        }
        settings->items[settings->n_items++] = setting;
        return 1;
}

static int read_file(Settings *settings, const char *path, ConfigProblem *ret_problem)
{
        CLEANUP(secret_done) Secret content = SECRET_NULL;
        Parse parse = {.settings = settings, .problem = ret_problem};
        char *name = GROW(settings->files, settings->n_files) ? strdup(path) : NULL;
        int r;

        if (!name)
                return -ENOMEM;
        parse.file = settings->files[settings->n_files++] = name;
        r = file_read(&content, AT_FDCWD, path, SETTINGS_FILE_LIMIT);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                config_problem_set(ret_problem, path, 0, "cannot be read: %s", strerror(-r));
                return -EINVAL;
        }
        parse.cursor = content.data;
        parse.end = content.data + content.size;
        r = ini_parse_stream(parse_read_line, &parse, parse_setting, &parse);
        if (r > 0 &&
                (parse.error == 0 || (parse.error == -EINVAL && (unsigned)r < ret_problem->line))) {
                config_problem_set(ret_problem, path, (unsigned)r,
                        "neither a [section] nor key = value nor a comment");
                return -EINVAL;
        }
        return parse.error;
}

static int is_drop_in(const struct dirent *entry)
{
        size_t length = strlen(entry->d_name);

        return entry->d_name[0] != '.' && length > 5 &&
                strcmp(entry->d_name + length - 5, ".conf") == 0;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_drop_in(
        Settings *settings, const char *directory, const char *name, ConfigProblem *ret_problem)
{
        CLEANUP(freep) char *path = NULL;

        if (asprintf(&path, "%s/%s", directory, name) < 0)
                return -ENOMEM;
        return read_file(settings, path, ret_problem);
}

static int read_directory(Settings *settings, const char *path, ConfigProblem *ret_problem)
{
        CLEANUP(freep) char *directory = NULL;
        struct dirent **entries = NULL;
        int n, r = 0;

        if (asprintf(&directory, "%s.d", path) < 0)
                return -ENOMEM;
        n = scandir(directory, &entries, is_drop_in, compare_names);
        if (n < 0 && errno == ENOENT)
                return 0;
        if (n < 0) {
                r = -errno;
                config_problem_set(ret_problem, directory, 0, "cannot be read: %s", strerror(-r));
                return r == -ENOMEM ? r : -EINVAL;
        }
        for (int i = 0; i < n; i++) {
                if (r == 0)
                        r = read_drop_in(settings, directory, entries[i]->d_name, ret_problem);
                free(entries[i]);
        }
        free(entries);
        return r;
}

int settings_load(Settings **ret, const char *path, ConfigProblem *ret_problem)
{
        CLEANUP(settings_freep) Settings *settings = calloc(1, sizeof(*settings));
        int r;

        if (!settings)
                return -ENOMEM;
        r = read_file(settings, path, ret_problem);
        if (r == 0)
                r = read_directory(settings, path, ret_problem);
        if (r < 0)
                return r;
        *ret = TAKE(settings);
        return 0;
}

Settings *settings_free(Settings *settings)
{
        if (!settings)
                return NULL;
        for (size_t i = 0; i < settings->n_items; i++)
                setting_done(&settings->items[i]);
        for (size_t i = 0; i < settings->n_sections; i++)
                free(settings->sections[i].name);
        for (size_t i = 0; i < settings->n_files; i++)
                free(settings->files[i]);
        free(settings->items);
        free(settings->sections);
        free(settings->files);
        free(settings);
        return NULL;
}
