#include "daemon/model/replication.h"

#include <string.h>
#include <strings.h>

bool replication_is_running(const Replication *replication)
{
        return replication->configured && strcasecmp(replication->io_running, "yes") == 0 &&
                strcasecmp(replication->sql_running, "yes") == 0;
}

bool replication_is_broken(const Replication *replication)
{
        return replication->known && replication->configured && replication->io_errno != 0 &&
                strcmp(replication->io_running, "Yes") != 0;
}

bool replication_is_active(const Replication *replication)
{
        return replication->configured &&
                (strcasecmp(replication->io_running, "no") != 0 ||
                        strcasecmp(replication->sql_running, "no") != 0);
}

bool replication_equal(const Replication *a, const Replication *b)
{
        return a->known == b->known && a->configured == b->configured &&
                strcmp(a->io_running, b->io_running) == 0 &&
                strcmp(a->sql_running, b->sql_running) == 0 && a->tls == b->tls &&
                a->io_errno == b->io_errno && strcmp(a->io_error, b->io_error) == 0 &&
                a->sql_errno == b->sql_errno && strcmp(a->sql_error, b->sql_error) == 0;
}

void replication_set_stopped(Replication *ret, uint64_t at_usec)
{
        *ret = (Replication){
                .known = true,
                .configured = true,
                .stopped_by_us = true,
                .checked_at_usec = at_usec,
        };
}

void replication_update(
        Replication *replication, const Replication *reading, bool is_stopped, bool is_wanted)
{
        if (reading->known && (is_stopped || is_wanted))
                *replication = *reading;
        else if (replication->stopped_by_us && !is_stopped)
                *replication = (Replication){0}; /* it was that of the stop */
        replication->stopped_by_us = is_stopped;
}

void replication_redact(Replication *replication, const Redactor *redactor)
{
        REDACT(redactor, replication->io_running);
        REDACT(redactor, replication->sql_running);
        REDACT(redactor, replication->io_error);
        REDACT(redactor, replication->sql_error);
        REDACT(redactor, replication->log_file);
}

void replication_write(JsonWriter *writer, const Replication *replication, bool in_status)
{
        json_key(writer, "replication");
        if (!replication->known) {
                json_null(writer);
                return;
        }
        json_open_object(writer);
        json_put_boolean(writer, "configured", replication->configured);
        json_put_text(writer, "io_running", replication->io_running);
        json_put_text(writer, "sql_running", replication->sql_running);
        json_put_known_boolean(writer, "tls", replication->tls != TRISTATE_UNKNOWN,
                replication->tls == TRISTATE_YES);
        json_put_known_integer(writer, "io_errno",
                in_status ? replication->io_errno > 0 : replication->configured,
                replication->io_errno);
        json_put_text(writer, "io_error", replication->io_error);
        if (in_status)
                json_put_boolean(writer, "stopped_by_us", replication->stopped_by_us);
        if (in_status)
                json_put_integer(writer, "checked_at", (int64_t)replication->checked_at_usec);
        json_close_object(writer);
}
