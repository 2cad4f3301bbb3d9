#include "common/log.h"

#include <sys/stat.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "common/text.h"

#define LOG_LINE_MAX 2048

static enum { SINK_UNKNOWN, SINK_JOURNAL, SINK_PREFIXED, SINK_PLAIN } sink;

/* $JOURNAL_STREAM is "device:inode" of the stream that systemd opened (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        struct stat st;
        char stderr_name[64];

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;
        snprintf(stderr_name, sizeof(stderr_name), "%ju:%ju", (uintmax_t)st.st_dev,
                (uintmax_t)st.st_ino);
        return strcmp(stream, stderr_name) == 0;
}

void log_open(void)
{
        if (sink != SINK_UNKNOWN)
                return;
        if (stderr_is_journal())
                sink = SINK_JOURNAL;
        else
                sink = isatty(STDERR_FILENO) ? SINK_PLAIN : SINK_PREFIXED;
}

void log_set_plain(void)
{
        log_open();
        if (sink == SINK_PREFIXED)
                sink = SINK_PLAIN;
}

static void send_to_stream(int priority, const char *text)
{
        char line[LOG_LINE_MAX + 16];
        int n;

        if (sink == SINK_PLAIN)
                n = snprintf(line, sizeof(line), "%s\n", text);
        else
                n = snprintf(line, sizeof(line), "<%d>%s\n", priority, text);
        /* There is no other place to report that stderr is closed. */
        if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
                return;
}

static void send_to_journal(int priority, const char *message_id, const LogField *fields,
        size_t n_fields, const char *text)
{
        struct iovec entries[LOG_FIELDS_MAX + 3];
        char *owned[LOG_FIELDS_MAX + 3];
        size_t n = 0;

#define ENTRY(...)                                                              \
        do {                                                                    \
                int length_ = asprintf(&owned[n], __VA_ARGS__);                 \
                if (length_ >= 0) {                                             \
                        entries[n] = (struct iovec){owned[n], (size_t)length_}; \
                        n++;                                                    \
                }                                                               \
        } while (0)

        ENTRY("MESSAGE=%s", text);
        ENTRY("PRIORITY=%d", priority);
        if (message_id)
                ENTRY("MESSAGE_ID=%s", message_id);
        for (size_t i = 0; i < n_fields && i < LOG_FIELDS_MAX; i++)
                if (fields[i].value)
                        ENTRY("%s=%s", fields[i].name, fields[i].value);
#undef ENTRY

        if (sd_journal_sendv(entries, (int)n) < 0)
                send_to_stream(priority, text);
        while (n > 0)
                free(owned[--n]);
}

void log_send(int priority, const char *message_id, const LogField *fields, size_t n_fields,
        const char *format, ...)
{
        int saved_errno = errno;
        char text[LOG_LINE_MAX];
        va_list arguments;

        log_open();
        va_start(arguments, format);
        text_vformat(text, sizeof(text), format, arguments);
        va_end(arguments);
        if (sink == SINK_JOURNAL)
                send_to_journal(priority, message_id, fields, n_fields, text);
        else
                send_to_stream(priority, text);
        errno = saved_errno;
}
