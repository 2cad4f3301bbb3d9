#pragma once

/*
 * One structured sink. When stderr is the journal (sd-daemon's $JOURNAL_STREAM), entries go
 * there with their fields; otherwise one line to stderr, with a priority prefix (sd-daemon(3))
 * that log collectors understand, or bare when a person's terminal is behind it.
 *
 * Wording lives in daemon/status/journal.c alone; this module only carries it. errno is left as it was.
 */

#include <stddef.h>
#include <syslog.h>

#include "common/macro.h"

#define LOG_FIELDS_MAX 16

typedef struct LogField {
        const char *name;  /* upper case, our own prefix */
        const char *value; /* text as common/text.h makes it; NULL leaves the field out */
} LogField;

/* Looks once where stderr goes; later calls do nothing. */
void log_open(void);

/* `message_id` is 32 hexadecimal digits, or NULL. `priority` is one of syslog(3). */
void log_send(int priority, const char *message_id, const LogField *fields, size_t n_fields,
        const char *format, ...) PRINTF(5, 6);
