#include "daemon/config/settings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/text.h"

/* The state of parsing one file. The text is split in place. */
typedef struct Parse {
        Settings *settings;
        const char *file;
        unsigned line;
        Section *section; /* NULL before the first */
        const char *key;  /* the one that an indented line continues, or NULL */
        char *value;      /* of that key */
        size_t value_size;
        ConfigProblem *problem;
} Parse;

#define PARSE_PROBLEM(parse, ...) \
        (config_problem_set((parse)->problem, (parse)->file, (parse)->line, __VA_ARGS__), -EINVAL)
#define PARSE_NO_LINE(parse) \
        PARSE_PROBLEM(parse, "neither a [section] nor key = value nor a comment")

static void section_free(void *userdata)
{
        Section *section = userdata;

        free(section->settings);
        free(section);
}

static int compare_sections(const void *a, const void *b)
{
        return strcmp(((const Section *)a)->name, ((const Section *)b)->name);
}

Section *settings_find(const Settings *settings, const char *name)
{
        const Section wanted = {.name = name};
        void *node = tfind(&wanted, &settings->index, compare_sections);

        return node ? *(Section **)node : NULL;
}

Setting *section_find(const Section *section, const char *key)
{
        for (size_t i = 0; section && i < section->n_settings; i++)
                if (strcmp(section->settings[i].key, key) == 0)
                        return &section->settings[i];
        return NULL;
}

/* Removes the blanks at both ends. */
static char *trim(char *text)
{
        size_t size;

        text += strspn(text, " ");
        size = strlen(text);
        while (size > 0 && text[size - 1] == ' ')
                text[--size] = '\0';
        return text;
}

/* "cluster   orders" and "cluster orders" are one section. */
static char *section_normalise(char *text)
{
        char *name = trim(text), *end = name;

        for (const char *from = name; *from != '\0'; from++)
                if (from[0] != ' ' || from[1] != ' ')
                        *end++ = *from;
        *end = '\0';
        return name;
}

static int add_section(Parse *parse, const char *name)
{
        Settings *settings = parse->settings;
        Section *section =
                GROW(settings->sections, settings->n_sections) ? calloc(1, sizeof(*section)) : NULL;

        if (!section)
                return -ENOMEM;
        *section = (Section){.name = name, .file = parse->file, .line = parse->line};
        if (!tsearch(section, &settings->index, compare_sections)) {
                free(section);
                return -ENOMEM;
        }
        settings->sections[settings->n_sections++] = section;
        parse->section = section;
        return 0;
}

static int parse_section(Parse *parse, char *line)
{
        char *end = strchr(line, ']'), *name;
        int r = 0;

        if (!end)
                return PARSE_NO_LINE(parse);
        *end++ = '\0';
        end += strspn(end, " ");
        name = section_normalise(line + 1);
        if (*end != '\0' && !strchr(";#", *end))
                return PARSE_PROBLEM(parse, "only a comment may follow the section [%s]", name);
        parse->key = NULL;
        parse->section = settings_find(parse->settings, name);
        if (!parse->section)
                r = add_section(parse, name);
        else if (parse->section->last_file == parse->file)
                return PARSE_PROBLEM(parse, "section [%s] occurs twice in this file", name);
        if (r == 0)
                parse->section->last_file = parse->file;
        return r;
}

/* `text` is behind the value in the same file, so there is room for it. */
static int append_value(Parse *parse, const char *text)
{
        size_t size = strlen(text);
        bool blank = parse->value_size > 0 && size > 0;

        if (parse->value_size + blank + size >= CONFIG_VALUE_MAX)
                return PARSE_PROBLEM(parse, "the value of %s is longer than %d bytes", parse->key,
                        CONFIG_VALUE_MAX - 1);
        if (blank)
                parse->value[parse->value_size++] = ' ';
        memmove(parse->value + parse->value_size, text, size + 1);
        parse->value_size += size;
        return 0;
}

static int parse_setting(Parse *parse, char *line)
{
        Section *section = parse->section;
        char *value = strchr(line, '='), *key;
        Setting *setting;

        if (!value)
                return PARSE_NO_LINE(parse);
        *value++ = '\0';
        key = trim(line);
        if (key[0] == '\0')
                return PARSE_NO_LINE(parse);
        if (!section)
                return PARSE_PROBLEM(parse, "%s comes before the first section", key);
        setting = section_find(section, key);
        if (setting && setting->file == parse->file)
                return PARSE_PROBLEM(parse, "%s occurs twice in [%s], first in line %u", key,
                        section->name, setting->line);
        if (!setting && section->n_settings >= SETTINGS_KEYS_MAX)
                return PARSE_PROBLEM(
                        parse, "[%s] has more than %d keys", section->name, SETTINGS_KEYS_MAX);
        if (!setting && !GROW(section->settings, section->n_settings))
                return -ENOMEM;
        if (!setting)
                setting = &section->settings[section->n_settings++];
        *setting = (Setting){.key = key, .value = value, .file = parse->file, .line = parse->line};
        parse->key = key;
        parse->value = value;
        parse->value_size = 0;
        return append_value(parse, trim(value));
}

static bool is_key_or_section(const char *text)
{
        size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz-");

        return text[0] == '[' ||
                (size > 0 && text[0] != '-' && text[size + strspn(text + size, " ")] == '=');
}

/* A section or key that was indented by mistake would become a part of the value before it. */
static int parse_continuation(Parse *parse, const char *text)
{
        if (!parse->key)
                return PARSE_PROBLEM(parse,
                        "an indented line continues the value of a key, and there is no key before "
                        "it; a section or key begins in the first column");
        if (is_key_or_section(text))
                return PARSE_PROBLEM(parse,
                        "an indented line continues the value of %s; a section or key begins in "
                        "the first column",
                        parse->key);
        return append_value(parse, text);
}

static int parse_line(Parse *parse, char *line)
{
        bool indented;
        char *comment;

        for (char *tab = line; (tab = strchr(tab, '\t')) != NULL;)
                *tab = ' ';
        indented = line[0] == ' ';
        line = trim(line);
        if (line[0] == '\0') {
                parse->key = NULL;
                return 0;
        }
        if (strchr(";#", line[0]))
                return 0;
        if (!text_is_displayable(line, strlen(line)))
                return PARSE_PROBLEM(parse, "line contains a control character or is not UTF-8");
        if (line[0] == '[' && !indented)
                return parse_section(parse, line);
        comment = strstr(line, " ;");
        if (comment)
                *comment = '\0';
        line = trim(line);
        return indented ? parse_continuation(parse, line) : parse_setting(parse, line);
}

static int parse_text(Parse *parse, char *text, size_t size)
{
        static const char mark[] = "\xef\xbb\xbf"; /* the byte order mark */
        const size_t mark_size = sizeof(mark) - 1;
        char *const end = text + size;
        int r = 0;

        if (size >= mark_size && memcmp(text, mark, mark_size) == 0)
                text += mark_size;
        while (r == 0 && text < end) {
                char *line = text, *line_end = memchr(text, '\n', (size_t)(end - text));

                if (!line_end)
                        line_end = end;
                text = line_end + 1;
                parse->line++;
                if (memchr(line, '\0', (size_t)(line_end - line)))
                        return PARSE_PROBLEM(parse, "line contains a NUL byte");
                if (line_end > line && line_end[-1] == '\r')
                        line_end--;
                *line_end = '\0';
                r = parse_line(parse, line);
        }
        return r;
}

/* Owns the text, also on failure. */
static int add_text(Settings *settings, char *text)
{
        if (!text || !GROW(settings->texts, settings->n_texts)) {
                free(text);
                return -ENOMEM;
        }
        settings->texts[settings->n_texts++] = text;
        return 0;
}

/* An error of the machine is not the configuration's: another attempt can succeed. */
static int refuse(ConfigProblem *ret_problem, const char *path, int r)
{
        if (r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -EIO)
                return r;
        config_problem_set(ret_problem, path, 0, "cannot be read: %s", strerror(-r));
        return -EINVAL;
}

static int read_file(Settings *settings, const char *path, ConfigProblem *ret_problem)
{
        Parse parse = {.settings = settings, .problem = ret_problem};
        Secret content = SECRET_NULL;
        char *name = strdup(path);
        int r = add_text(settings, name);

        if (r < 0)
                return r;
        r = file_read(&content, AT_FDCWD, path, SETTINGS_FILE_LIMIT);
        if (r < 0)
                return refuse(ret_problem, path, r);
        r = add_text(settings, content.data); /* no secret, so it is not wiped */
        if (r < 0)
                return r;
        parse.file = name;
        return parse_text(&parse, content.data, content.size);
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
        if (n < 0)
                return refuse(ret_problem, directory, -errno);
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
        tdestroy(settings->index, section_free);
        free(settings->sections);
        for (size_t i = 0; i < settings->n_texts; i++)
                free(settings->texts[i]);
        free(settings->texts);
        free(settings);
        return NULL;
}

char **settings_take_texts(Settings *settings, size_t *ret_n)
{
        *ret_n = settings->n_texts;
        settings->n_texts = 0;
        return TAKE(settings->texts);
}
