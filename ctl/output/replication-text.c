#include "ctl/output/replication-text.h"

#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/model/replication-state.h"

bool replication_text_is_known_of(const ClusterInfo *cluster)
{
        return cluster->replication.known ||
                (cluster->state != CLUSTER_DISABLED &&
                        strcmp(cluster->replication_mode,
                                replication_mode_to_string(REPLICATION_IGNORE)) != 0);
}

bool replication_text_needs_lines(const ClusterInfo *cluster)
{
        const Replication *replication = &cluster->replication;

        switch (replication_state(replication)) {
        case REPLICATION_STATE_RUNNING:
                return !replication->lag_known || replication->tls == TRISTATE_NO;
        case REPLICATION_STATE_UNKNOWN:
                return replication->known;
        case REPLICATION_STATE_STOPPED:
        case REPLICATION_STATE_STOPPED_BY_US:
        case REPLICATION_STATE_FAILING:
                return true;
        case REPLICATION_STATE_NOT_CONFIGURED:
        case REPLICATION_STATE_CONNECTING:
        case _REPLICATION_STATE_MAX:
                break;
        }
        return false;
}

/* "3min 20s", as other durations are shown. */
static const char *format_lag(
        char buffer[static DURATION_TEXT_SIZE], const Replication *replication)
{
        if (!replication->lag_known)
                return "unknown";
        return duration_format(buffer,
                replication->lag_sec < USEC_NEVER / USEC_PER_SEC
                        ? replication->lag_sec * USEC_PER_SEC
                        : USEC_NEVER);
}

void replication_text_word(
        char buffer[static REPLICATION_TEXT_WORD_MAX], const ClusterInfo *cluster)
{
        const Replication *replication = &cluster->replication;
        ReplicationState state = replication_state(replication);
        char lag[DURATION_TEXT_SIZE];

        if (!replication_text_is_known_of(cluster))
                text_set(buffer, REPLICATION_TEXT_WORD_MAX, "-");
        else if (state != REPLICATION_STATE_RUNNING)
                text_set(buffer, REPLICATION_TEXT_WORD_MAX, replication_state_to_string(state));
        else if (replication->tls == TRISTATE_NO)
                text_set(buffer, REPLICATION_TEXT_WORD_MAX, "running, no TLS");
        else
                text_format(buffer, REPLICATION_TEXT_WORD_MAX, "running, lag %s",
                        replication->lag_known ? format_lag(lag, replication) : "?");
}

void replication_text_print_word(const Terminal *terminal, const ClusterInfo *cluster, int width)
{
        ReplicationState state = replication_state(&cluster->replication);
        bool is_warning =
                state == REPLICATION_STATE_RUNNING && replication_text_needs_lines(cluster);
        char word[REPLICATION_TEXT_WORD_MAX];

        replication_text_word(word, cluster);
        terminal_colored(
                terminal, is_warning ? "warning" : replication_state_to_string(state), word);
        if (width > (int)strlen(word))
                fprintf(terminal->stream, "%*s", width - (int)strlen(word), "");
}

static void describe_source(char *line, size_t size, const Replication *replication)
{
        static const char *const tls[] = {[TRISTATE_UNKNOWN] = "",
                [TRISTATE_NO] = " without TLS",
                [TRISTATE_YES] = " over TLS"};
        char source[REPLICATION_SOURCE_MAX], lag[DURATION_TEXT_SIZE];

        replication_format_source(source, replication);
        text_format(line, size, "%s%s, lag %s",
                source[0] != '\0' ? source : "a source that is not reported", tls[replication->tls],
                format_lag(lag, replication));
}

/* A reading is as old as a stop of which nothing was read since. */
static void describe_time(
        char *line, size_t size, const Terminal *terminal, const Replication *replication)
{
        bool is_read = !replication->stopped_by_us || replication->io_running[0] != '\0';
        char time[TERMINAL_TIME_SIZE];

        terminal_time(time, terminal, replication->checked_at_usec);
        text_append(line, size, "%s", line[0] != '\0' ? "; " : "");
        text_append(line, size, is_read ? "read %s" : "stopped %s, not read since", time);
}

/* An error stays in the status of a server until its thread is started again. */
static void print_error(const Terminal *terminal, unsigned indent, const char *label,
        unsigned number, const char *error, const char *reason)
{
        char text[REPLICATION_TEXT_MAX + 32];

        if (number == 0 || (error[0] != '\0' && strstr(reason, error)))
                return;
        text_format(
                text, sizeof(text), "error %u%s%s", number, error[0] != '\0' ? ": " : "", error);
        terminal_paragraph(terminal, indent, label, text);
}

void replication_text_print_lines(
        const Terminal *terminal, unsigned indent, const ClusterInfo *cluster)
{
        const Replication *replication = &cluster->replication;
        char line[REPLICATION_SOURCE_MAX + 256] = "";

        if (!replication_text_is_known_of(cluster))
                return;
        if (!replication->known)
                text_set(line, sizeof(line), "not read yet");
        else if (!replication->configured)
                text_set(line, sizeof(line), "no source");
        else if (!replication->stopped_by_us || replication->io_running[0] != '\0')
                describe_source(line, sizeof(line), replication);
        if (replication->known)
                describe_time(line, sizeof(line), terminal, replication);
        terminal_paragraph(terminal, indent, "repl: ", line);
        print_error(terminal, indent, "I/O:  ", replication->io_errno, replication->io_error,
                cluster->reason);
        print_error(terminal, indent, "SQL:  ", replication->sql_errno, replication->sql_error,
                cluster->reason);
}
