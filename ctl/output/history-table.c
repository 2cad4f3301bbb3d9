#include "ctl/output/history-table.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/config/config.h"
#include "daemon/model/history.h"

#define INDENT 6

/* Columns; with the longest outcome a row has 79. The first twelve digits of a set are enough. */
#define ROW_FORMAT "  %-16s  %-8s  %-8s  %-12s  %-5s  "

#define DIGITS_MAX 13 /* with NUL */

#define WORD_MAX 64
#define TIME_MAX 32

#define TEXT(buffer, object, key) json_get_text(buffer, sizeof(buffer), object, key)

static uint64_t number(const JsonValue *object, const char *key)
{
        int64_t value = 0;

        return json_get_integer(&value, json_member(object, key)) && value > 0 ? (uint64_t)value
                                                                               : 0;
}

static const char *known(const char *text)
{
        return text[0] != '\0' ? text : "-";
}

/* As the journal shows it on this host, without the seconds; with the year, since a cluster can be
 * left alone for years. */
static const char *format_time(char buffer[static TIME_MAX], uint64_t wall_usec)
{
        time_t seconds = (time_t)(wall_usec / USEC_PER_SEC);
        struct tm parts;

        if (!localtime_r(&seconds, &parts) ||
                strftime(buffer, TIME_MAX, "%Y-%m-%d %H:%M", &parts) == 0)
                text_set(buffer, TIME_MAX, "?");
        return buffer;
}

/* The largest unit alone. */
static const char *format_duration(char buffer[static DURATION_TEXT_SIZE], uint64_t usec)
{
        uint64_t unit = usec >= USEC_PER_HOUR ? USEC_PER_HOUR
                : usec >= USEC_PER_MIN        ? USEC_PER_MIN
                : usec >= USEC_PER_SEC        ? USEC_PER_SEC
                                              : USEC_PER_MSEC;

        return duration_format(buffer, usec / unit * unit);
}

static const char *color_of(const char *outcome, unsigned sql_errno)
{
        OutcomeKind kind;

        if (outcome_kind_from_string(&kind, outcome) < 0)
                return "";
        if (outcome_is_success(kind))
                return "ok";
        return outcome_is_transient(kind, sql_errno) ? "warning" : "critical";
}

static void put_entry(const Terminal *terminal, const JsonValue *entry)
{
        char action[WORD_MAX], trigger[WORD_MAX], outcome[WORD_MAX], set[DIGITS_MAX];
        char reason[HISTORY_TEXT_MAX], line[WORD_MAX], time[TIME_MAX];
        char duration[DURATION_TEXT_SIZE];
        uint64_t count = number(entry, "count");

        TEXT(action, entry, "action");
        TEXT(trigger, entry, "trigger");
        TEXT(outcome, entry, "outcome");
        TEXT(set, entry, "fingerprint");
        TEXT(reason, entry, "reason");
        fprintf(terminal->stream, ROW_FORMAT, format_time(time, number(entry, "at")), action,
                known(trigger), known(set), format_duration(duration, number(entry, "duration")));
        terminal_colored(
                terminal, color_of(outcome, (unsigned)number(entry, "sql_errno")), outcome);
        fputc('\n', terminal->stream);
        if (count > 1) {
                text_format(line, sizeof(line), "%" PRIu64 " times since %s", count,
                        format_time(time, number(entry, "first")));
                terminal_paragraph(terminal, INDENT, "", line);
        }
        terminal_paragraph(terminal, INDENT, "why:  ", reason);
}

static void put_cluster(const Terminal *terminal, const JsonValue *cluster)
{
        const JsonValue *entries = json_member(cluster, "entries");
        uint64_t older = number(cluster, "older");
        char name[CONFIG_NAME_MAX];

        TEXT(name, cluster, "name");
        terminal_heading(terminal, name);
        for (size_t i = 0; i < json_size(entries); i++)
                put_entry(terminal, json_element(entries, i));
        if (json_size(entries) == 0)
                fputs("  no attempt yet\n", terminal->stream);
        if (older > 0)
                fprintf(terminal->stream, "  %" PRIu64 " older: binlog-sslctl history %s\n", older,
                        name);
}

int history_table_print(const Terminal *terminal, const JsonValue *reply)
{
        const JsonValue *clusters = json_member(reply, "clusters");
        char heading[128];

        if (!json_is_array(clusters))
                return -EBADMSG;
        if (json_size(clusters) == 0)
                return 0;
        snprintf(heading, sizeof(heading), ROW_FORMAT "%s", "WHEN", "ACTION", "TRIGGER", "SET",
                "TOOK", "OUTCOME");
        terminal_heading(terminal, heading);
        for (size_t i = 0; i < json_size(clusters); i++)
                put_cluster(terminal, json_element(clusters, i));
        return 0;
}
