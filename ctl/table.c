#include "ctl/table.h"

#include <string.h>

#include "common/clock.h"
#include "common/duration.h"

#define COLUMNS 100
#define INDENT  3 /* one less than where words begin */

typedef struct Print {
        FILE *stream;
        bool color;
        uint64_t now_usec;
} Print;

static const char *text_of(const JsonValue *object, const char *key)
{
        const char *text = json_get_string(json_member(object, key));

        return text ? text : "";
}

static uint64_t number_of(const JsonValue *object, const char *key)
{
        int64_t number = 0;

        return json_get_integer(&number, json_member(object, key)) && number > 0 ? (uint64_t)number
                                                                                 : 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
        for (; *words; words++)
                if (strcmp(*words, word) == 0)
                        return true;
        return false;
}

static const char *color_of(const Print *print, const char *word)
{
        static const char *const good[] = {"ok", "current", "valid", NULL};
        static const char *const fair[] = {"warning", "retrying", "importing", "expiring",
                "changing", "waiting", "not_yet_valid", NULL};
        static const char *const bad[] = {
                "critical", "held", "invalid", "expired", "missing", NULL};

        if (!print->color)
                return "";
        if (is_one_of(word, good))
                return "\033[32m";
        if (is_one_of(word, fair))
                return "\033[33m";
        return is_one_of(word, bad) ? "\033[31m" : "";
}

static void put_word(const Print *print, const char *word, int width)
{
        const char *start = color_of(print, word);

        fprintf(print->stream, "%s%-*s%s", start, width, word, start[0] != '\0' ? "\033[0m" : "");
}

/* Words behind the `column` characters that stand in the line, broken between them. */
static void put_words(const Print *print, const char *text, size_t column)
{
        while (*text != '\0') {
                size_t length = strcspn(text, " ");

                if (column > INDENT && column + 1 + length > COLUMNS) {
                        fprintf(print->stream, "\n%*s", INDENT, "");
                        column = INDENT;
                }
                fprintf(print->stream, " %.*s", (int)length, text);
                column += length + 1;
                text += length;
                text += strspn(text, " ");
        }
        fputc('\n', print->stream);
}

/* A sentence below its row. */
static void put_sentence(const Print *print, const char *text)
{
        if (text[0] == '\0')
                return;
        fprintf(print->stream, "%*s", INDENT, "");
        put_words(print, text, INDENT);
}

/* Nobody reads milliseconds, nor the hours of what is months away; a row has no room for them. */
static const char *span_format(char *buffer, uint64_t usec)
{
        uint64_t unit = usec >= 100 * USEC_PER_DAY ? USEC_PER_DAY : USEC_PER_SEC;

        return duration_format(buffer, usec / unit * unit);
}

static void put_ago(const Print *print, const char *label, uint64_t usec)
{
        char duration[DURATION_TEXT_SIZE];

        if (usec == 0)
                return;
        if (usec <= print->now_usec)
                fprintf(print->stream, "  %s %s ago", label,
                        span_format(duration, print->now_usec - usec));
        else
                fprintf(print->stream, "  %s in %s", label,
                        span_format(duration, usec - print->now_usec + USEC_PER_SEC - 1));
}

static void print_material(const Print *print, const JsonValue *material)
{
        const JsonValue *certificate = json_member(material, "certificate");
        const JsonValue *problems = json_member(material, "problems");
        const char *fingerprint = text_of(material, "fingerprint");
        char date[CLOCK_TEXT_SIZE], left[DURATION_TEXT_SIZE];
        uint64_t not_after = number_of(certificate, "not_after");

        fprintf(print->stream, "  %-16.40s ", text_of(material, "name"));
        put_word(print, text_of(material, "state"), 14);
        fprintf(print->stream, "%-13.12s", fingerprint);
        if (not_after > print->now_usec)
                fprintf(print->stream, "until %s (%s)", clock_format_date(date, not_after),
                        span_format(left, not_after - print->now_usec));
        else if (not_after > 0)
                fprintf(print->stream, "until %s", clock_format_date(date, not_after));
        fputc('\n', print->stream);
        put_sentence(print, text_of(certificate, "subject"));
        for (size_t i = 0; i < json_size(problems); i++)
                put_sentence(print, text_of(json_element(problems, i), "text"));
        if (json_size(problems) == 0)
                put_sentence(print, text_of(material, "reason"));
        if (strcmp(text_of(material, "watch"), "inotify") != 0)
                put_sentence(print, text_of(material, "watch"));
}

static void print_cluster(const Print *print, const JsonValue *cluster)
{
        const JsonValue *replication = json_member(cluster, "replication");
        const char *reason = text_of(cluster, "reason");
        bool in_use = false;

        fprintf(print->stream, "  %-16.40s ", text_of(cluster, "name"));
        put_word(print, text_of(cluster, "state"), 14);
        fprintf(print->stream, "%-13.12s", text_of(cluster, "imported_fingerprint"));
        put_ago(print, "imported", number_of(cluster, "imported_at"));
        if (json_get_boolean(&in_use, json_member(cluster, "in_use")) && in_use)
                fputs(", in use", print->stream);
        fputc('\n', print->stream);
        put_sentence(print, reason);
        if (number_of(cluster, "next_attempt") > 0) {
                fputs("  ", print->stream);
                put_ago(print, "next try", number_of(cluster, "next_attempt"));
                fprintf(print->stream, ", %ju failed so far\n",
                        (uintmax_t)number_of(cluster, "attempts"));
        }
        if (text_of(replication, "io_error")[0] != '\0' &&
                !strstr(reason, text_of(replication, "io_error")))
                put_sentence(print, text_of(replication, "io_error"));
}

static bool is_wanted(const JsonValue *cluster, char *const *names, int n_names)
{
        for (int i = 0; i < n_names; i++)
                if (strcmp(names[i], text_of(cluster, "name")) == 0)
                        return true;
        return n_names == 0;
}

void table_print(FILE *stream, const JsonValue *status, char *const *names, int n_names, bool color,
        uint64_t now_usec)
{
        Print print = {stream, color, now_usec};
        const JsonValue *materials = json_member(status, "materials");
        const JsonValue *clusters = json_member(status, "clusters");

        put_word(&print, text_of(status, "health"), 0);
        fputc(':', stream);
        put_words(&print, text_of(status, "summary"), strlen(text_of(status, "health")) + 1);
        fprintf(stream, "\n  %-16s %-14s%-13s\n", "MATERIAL", "STATE", "ON DISK");
        for (size_t i = 0; i < json_size(materials); i++)
                print_material(&print, json_element(materials, i));
        fprintf(stream, "\n  %-16s %-14s%-13s\n", "CLUSTER", "STATE", "IMPORTED");
        for (size_t i = 0; i < json_size(clusters); i++)
                if (is_wanted(json_element(clusters, i), names, n_names))
                        print_cluster(&print, json_element(clusters, i));
}

bool table_has_cluster(const JsonValue *status, const char *name)
{
        const JsonValue *clusters = json_member(status, "clusters");

        for (size_t i = 0; i < json_size(clusters); i++)
                if (strcmp(text_of(json_element(clusters, i), "name"), name) == 0)
                        return true;
        return false;
}

int table_exit_code(const JsonValue *status)
{
        const char *health = text_of(status, "health");

        if (strcmp(health, "ok") == 0)
                return 0;
        return strcmp(health, "warning") == 0 ? 1 : 2;
}
