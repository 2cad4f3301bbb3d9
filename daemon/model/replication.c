#include "daemon/model/replication.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"

static bool runs(const char *thread)
{
        return strcasecmp(thread, "yes") == 0;
}

static bool is_stopped(const char *thread)
{
        return strcasecmp(thread, "no") == 0;
}

static bool io_fails(const Replication *row)
{
        return row->io_errno != 0 && !runs(row->io_running);
}

static bool sql_fails(const Replication *row)
{
        return row->sql_errno != 0 && !runs(row->sql_running);
}

/* The greater, the worse. */
static unsigned severity_of(const Replication *row)
{
        unsigned threads = io_fails(row) || sql_fails(row)                    ? 3
                : is_stopped(row->io_running) || is_stopped(row->sql_running) ? 2
                : !runs(row->io_running) || !runs(row->sql_running)           ? 1
                                                                              : 0;

        return threads * 4 + (row->tls == TRISTATE_NO ? 2 : 0) + (row->lag_known ? 0 : 1);
}

/* An I/O thread ends after the last retry of its connect, with that error; a SQL thread that failed
 * awaits a decision about its event. */
static ReplicationHalt halt_of(const Replication *row)
{
        bool io_stopped = is_stopped(row->io_running), sql_stopped = is_stopped(row->sql_running);

        if ((io_stopped && row->io_errno == 0) || (sql_stopped && row->sql_errno == 0))
                return REPLICATION_HALT_PERSON;
        if (sql_stopped)
                return REPLICATION_HALT_ERROR;
        if (row->io_running[0] == '\0' || row->sql_running[0] == '\0')
                return REPLICATION_HALT_UNKNOWN;
        return REPLICATION_HALT_NONE;
}

bool replication_is_valid(const Replication *replication)
{
        return is_boolean(&replication->known) && is_boolean(&replication->configured) &&
                TEXT_IS_RECEIVED(replication->io_running) &&
                TEXT_IS_RECEIVED(replication->sql_running) &&
                IS_ENUMERATOR(replication->halt, _REPLICATION_HALT_MAX) &&
                IS_ENUMERATOR(replication->tls, _TRISTATE_MAX) &&
                TEXT_IS_RECEIVED(replication->io_error) &&
                TEXT_IS_RECEIVED(replication->io_error_time) &&
                is_boolean(&replication->io_repeated) && TEXT_IS_RECEIVED(replication->sql_error) &&
                is_boolean(&replication->lag_known) && is_boolean(&replication->lag_null) &&
                TEXT_IS_RECEIVED(replication->source_host) &&
                is_boolean(&replication->stopped_by_us);
}

bool replication_add_channel(Replication *replication, const Replication *row)
{
        uint64_t checked_at_usec = replication->checked_at_usec;
        unsigned n_channels = replication->n_channels;
        ReplicationHalt halt = halt_of(row);
        bool worst = n_channels == 0 || severity_of(row) > severity_of(replication);

        if (halt < replication->halt)
                halt = replication->halt;
        if (worst)
                *replication = *row;
        replication->known = replication->configured = true;
        replication->n_channels = n_channels + 1;
        replication->halt = halt;
        replication->checked_at_usec = checked_at_usec;
        return worst;
}

bool replication_is_running(const Replication *replication)
{
        return replication->configured && runs(replication->io_running) &&
                runs(replication->sql_running);
}

bool replication_is_broken(const Replication *replication)
{
        return replication->known && replication->configured &&
                (io_fails(replication) || sql_fails(replication));
}

bool replication_lacks_events(const Replication *replication)
{
        /* ER_MASTER_FATAL_ERROR_READING_BINLOG, and the number that MySQL 8.0 gives it. */
        return replication->io_errno == 1236 || replication->io_errno == 13114;
}

/* The source has answered with an error that concerns certificate and account. */
static bool denies(unsigned io_errno)
{
        switch (io_errno) {
        case 1045: /* wrong user, password, host, or subject of the certificate */
        case 1130: /* the host may not connect */
        case 1862: /* password expired */
        case 2061: /* the authentication plugin requires a secure connection */
        case 3118: /* account locked */
        case 4151: /* account locked, MariaDB */
                return true;
        default:
                return false;
        }
}

/* doc/aurora.md, "Replica status". Before the greeting of the source nothing can be denied. */
static bool lacks_reason(const Replication *replication)
{
        const char *error = replication->io_error;

        switch (replication->io_errno) {
        case 2013:
                return !strstr(error, "initial communication packet");
        case 2026:
                return strstr(error, "reason(0)") || strstr(error, "unexpected eof");
        default:
                return false;
        }
}

/* Certificate and account do not fit. */
static bool is_denial(const Replication *replication)
{
        if (lacks_reason(replication))
                return replication->io_repeated;
        return denies(replication->io_errno) || replication->io_errno == 2026; /* TLS */
}

bool replication_is_refused(const Replication *replication)
{
        unsigned io_errno = replication->io_errno;

        return !runs(replication->io_running) &&
                (is_denial(replication) || replication_lacks_events(replication) ||
                        io_errno == 1044 || /* no access to the database */
                        io_errno == 1251);  /* authentication protocol not supported */
}

bool replication_is_active(const Replication *replication)
{
        return replication->configured &&
                (!is_stopped(replication->io_running) || !is_stopped(replication->sql_running));
}

/* With both threads stopped, the error is that of a connect before a person's stop. */
static bool connect_fails(const Replication *replication)
{
        return replication->known && io_fails(replication) && replication_is_active(replication);
}

bool replication_may_be_denied(const Replication *replication)
{
        return connect_fails(replication) && lacks_reason(replication);
}

void replication_compare_errors(Replication *replication, const Replication *before)
{
        const char *time = replication->io_error_time;

        replication->io_repeated = replication_may_be_denied(replication) &&
                replication_may_be_denied(before) &&
                (before->io_repeated || time[0] == '\0' ||
                        strcmp(time, before->io_error_time) != 0);
}

bool replication_fails_with_tls(const Replication *replication)
{
        return replication_is_denied(replication) && !denies(replication->io_errno);
}

bool replication_is_denied(const Replication *replication)
{
        return connect_fails(replication) && is_denial(replication);
}

bool replication_equal(const Replication *a, const Replication *b)
{
        return a->known == b->known && a->configured == b->configured &&
                strcmp(a->io_running, b->io_running) == 0 &&
                strcmp(a->sql_running, b->sql_running) == 0 && a->halt == b->halt &&
                a->tls == b->tls && a->io_errno == b->io_errno &&
                strcmp(a->io_error, b->io_error) == 0 && a->sql_errno == b->sql_errno &&
                strcmp(a->sql_error, b->sql_error) == 0 && a->lag_known == b->lag_known &&
                strcmp(a->source_host, b->source_host) == 0 && a->source_port == b->source_port;
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

void replication_format_source(
        char buffer[static REPLICATION_SOURCE_MAX], const Replication *replication)
{
        bool brackets = strchr(replication->source_host, ':');

        buffer[0] = '\0';
        if (replication->source_host[0] != '\0')
                text_format(buffer, REPLICATION_SOURCE_MAX, "%s%s%s:%u", brackets ? "[" : "",
                        replication->source_host, brackets ? "]" : "", replication->source_port);
}

void replication_parse_source(Replication *replication, const char *text)
{
        const char *separator = strrchr(text, ':');
        size_t size = separator ? (size_t)(separator - text) : 0;
        bool brackets = size >= 2 && text[0] == '[' && text[size - 1] == ']';

        if (size == 0)
                return;
        text_copy(replication->source_host, sizeof(replication->source_host),
                text + (brackets ? 1 : 0), size - (brackets ? 2 : 0));
        replication->source_port = (unsigned)strtoul(separator + 1, NULL, 10);
}

void replication_redact(Replication *replication, const Redactor *redactor)
{
        REDACT(redactor, replication->io_running);
        REDACT(redactor, replication->sql_running);
        REDACT(redactor, replication->io_error);
        REDACT(redactor, replication->sql_error);
        REDACT(redactor, replication->source_host);
}

static void write_state(JsonWriter *writer, const Replication *replication)
{
        char source[REPLICATION_SOURCE_MAX];

        json_put_known_integer(
                writer, "lag", replication->lag_known, (int64_t)replication->lag_sec);
        replication_format_source(source, replication);
        json_put_text(writer, "source", source);
        json_put_boolean(writer, "stopped_by_us", replication->stopped_by_us);
        json_put_integer(writer, "checked_at", (int64_t)replication->checked_at_usec);
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
        json_put_known_integer(writer, "sql_errno",
                in_status ? replication->sql_errno > 0 : replication->configured,
                replication->sql_errno);
        json_put_text(writer, "sql_error", replication->sql_error);
        if (in_status)
                write_state(writer, replication);
        json_close_object(writer);
}
