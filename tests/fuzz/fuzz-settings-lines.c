/*
 * Sections and keys of a file, written as one line each, are read as the same sections and keys.
 */

#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/config/settings.h"

static int load(Settings **ret, const void *text, size_t size, ConfigProblem *ret_problem)
{
        CLEANUP(closep) int fd = memfd_create("fuzz", MFD_CLOEXEC);
        char path[32];

        MUST(fd >= 0 && file_write_all(fd, text, size) == 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return settings_load(ret, path, ret_problem);
}

static void check_problem(const ConfigProblem *problem, unsigned n_lines)
{
        MUST(problem->text[0] != '\0');
        MUST(text_is_displayable(problem->text, strlen(problem->text)));
        MUST(problem->line > 0 && problem->line <= n_lines);
}

static void write_section(FILE *stream, const Section *section)
{
        fprintf(stream, "[%s]\n", section->name);
        for (size_t i = 0; i < section->n_settings; i++) {
                const Setting *setting = &section->settings[i];

                MUST(setting->key[0] != '\0' && strlen(setting->value) < CONFIG_VALUE_MAX);
                MUST(text_is_displayable(setting->value, strlen(setting->value)));
                MUST(section_find(section, setting->key) == setting);
                /* Without a blank, behind which a semicolon begins a comment. */
                fprintf(stream, "%s=%s\n", setting->key, setting->value);
        }
}

static void compare(const Settings *first, const Settings *second)
{
        MUST(first->n_sections == second->n_sections);
        for (size_t i = 0; i < first->n_sections; i++) {
                const Section *a = first->sections[i], *b = second->sections[i];

                MUST(strcmp(a->name, b->name) == 0 && a->n_settings == b->n_settings);
                MUST(settings_find(first, b->name) == a);
                for (size_t k = 0; k < a->n_settings; k++) {
                        MUST(strcmp(a->settings[k].key, b->settings[k].key) == 0);
                        MUST(strcmp(a->settings[k].value, b->settings[k].value) == 0);
                }
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(settings_freep) Settings *first = NULL;
        CLEANUP(settings_freep) Settings *second = NULL;
        CLEANUP(freep) char *text = NULL;
        size_t text_size = 0;
        ConfigProblem problem = {0};
        unsigned n_lines = 1;
        FILE *stream;

        for (size_t i = 0; i < size; i++)
                n_lines += data[i] == '\n';
        if (load(&first, data, size, &problem) < 0) {
                check_problem(&problem, n_lines);
                return 0;
        }
        stream = open_memstream(&text, &text_size);
        MUST(stream);
        for (size_t i = 0; i < first->n_sections; i++)
                write_section(stream, first->sections[i]);
        MUST(fclose(stream) == 0);
        MUST(load(&second, text, text_size, &problem) == 0);
        compare(first, second);
        return 0;
}
