#pragma once

/*
 * Log: sends log entries with structured fields.
 *
 * When stderr is the journal ($JOURNAL_STREAM, systemd.exec(5)), entries go to the journal with
 * their fields. Otherwise each is one line on stderr: with a priority prefix (sd-daemon(3)) for log
 * collectors, or plain when stderr is a terminal. All texts are in daemon/status/journal.c.
 */

#include <stddef.h>
#include <syslog.h>

#include "common/macro.h"

#define LOG_FIELDS_MAX 16

typedef struct LogField {
        const char *name;  /* upper case, prefix BINLOG_SSL_ */
        const char *value; /* displayable text (common/text.h); NULL: the field is left out */
} LogField;

/* Detects where stderr goes; later calls do nothing. */
void log_open(void);

/* From now on lines on stderr have no priority prefix, also in a pipe: for a person's command. */
void log_set_plain(void);

/* `message_id` is 32 hexadecimal digits, or NULL. `priority` is one of syslog(3). errno is
 * unchanged. */
void log_send(int priority, const char *message_id, const LogField *fields, size_t n_fields,
        const char *format, ...) PRINTF(5, 6);
