#include "daemon/import/call.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/macro.h"
#include "common/text.h"
#include "daemon/mysql/rds.h"
#include "daemon/mysql/sql-error.h"

int call_payload_raw(Secret *ret, const char *strict, size_t size)
{
        int r = secret_allocate(ret, size);

        if (r < 0)
                return r;
        for (size_t i = 0; i < size; i++) {
                bool escape = strict[i] == '\\' && i + 1 < size && strict[i + 1] == 'n';

                ret->data[ret->size++] = escape ? '\n' : strict[i];
                i += escape ? 1 : 0;
        }
        return 0;
}

int call_payload_map(CallPayload *ret, int fd)
{
        struct stat st;
        void *data;

        if (fstat(fd, &st) < 0)
                return -errno;
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
                return -errno;
        (void)madvise(data, (size_t)st.st_size, MADV_DONTDUMP);
        *ret = (CallPayload){.data = data, .size = (size_t)st.st_size};
        return 0;
}

void call_payload_unmap(CallPayload *payload)
{
        if (payload->data)
                (void)munmap((void *)payload->data, payload->size);
        *payload = (CallPayload){0};
}

static int read_member(Secret *ret, const CallPayload *payload, const char *name)
{
        const char *end = payload->data + payload->size, *value, *quote;
        char prefix[32];
        int n = snprintf(prefix, sizeof(prefix), "\"%s\":\"", name);

        value = memmem(payload->data, payload->size, prefix, (size_t)n);
        if (!value)
                return -EBADMSG;
        value += n;
        /* PEM has neither quotes nor, but for its line ends, escapes (daemon/inspect/payload.c). */
        quote = memchr(value, '"', (size_t)(end - value));
        return quote ? call_payload_raw(ret, value, (size_t)(quote - value)) : -EBADMSG;
}

int call_payload_files(Secret ret[static _MATERIAL_FILE_MAX], const CallPayload *payload)
{
        static const char *const names[_MATERIAL_FILE_MAX] = {
                [MATERIAL_CA] = "ssl_ca",
                [MATERIAL_CERT] = "ssl_cert",
                [MATERIAL_KEY] = "ssl_key",
        };
        int r = 0;

        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++)
                ret[file] = SECRET_NULL;
        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX && r == 0; file++)
                r = read_member(&ret[file], payload, names[file]);
        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX && r < 0; file++)
                secret_done(&ret[file]);
        return r;
}

size_t call_key_offset(const char *strict, size_t size)
{
        static const char name[] = "\"ssl_key\"";
        const char *found = memmem(strict, size, name, strlen(name));
        size_t offset = 0;

        for (const char *byte = strict; found && byte < found; byte++)
                offset += *byte == '\\' ? 0 : 1; /* the n after it is the line end */
        return offset;
}

static Newlines first_form(const CallPayload *payload, Newlines configured)
{
        Newlines first = configured != NEWLINES_AUTO ? configured : payload->newlines;

        return first != NEWLINES_AUTO ? first : NEWLINES_RAW;
}

/* COM_STMT_EXECUTE (MySQL, "Client/Server Protocol"): command, statement, flags, a count, a NULL
 * bitmap, and of one parameter a flag, type and length before its bytes. */
size_t call_packet_size(const CallPayload *payload, Newlines configured)
{
        size_t size = payload->size;

        for (size_t i = 0; i < payload->size && first_form(payload, configured) == NEWLINES_RAW;
                i++)
                size -= payload->data[i] == '\\'; /* the n after it is the line end */
        return 1 + 4 + 1 + 4 + 1 + 1 + 2 + (size < 65536 ? 3 : 4) + size;
}

/* Returns true if an error can concern the form of the document: the procedure's own SIGNAL, or an
 * error of the server's JSON functions (MySQL 3140 to 3158, MariaDB 4035 to 4043). */
static bool may_concern_form(SessionResult result, unsigned number)
{
        return result == SESSION_SERVER &&
                (number == 1644 || (number >= 3140 && number <= 3158) ||
                        (number >= 4035 && number <= 4043));
}

static SessionResult call_in_form(Session *session, const CallPayload *payload, Newlines form,
        bool *ret_sent, SessionError *ret_error)
{
        CLEANUP(secret_done) Secret document = SECRET_NULL;
        int r;

        *ret_sent = false;
        if (form == NEWLINES_RAW)
                r = call_payload_raw(&document, payload->data, payload->size);
        else
                r = secret_append(&document, payload->data, payload->size);
        if (r < 0) {
                text_set(ret_error->text, sizeof(ret_error->text), "out of memory");
                return SESSION_UNREACHABLE;
        }
        return session_call(
                session, "CALL mysql." RDS_IMPORT_PROCEDURE "(?)", &document, ret_sent, ret_error);
}

/* The raw form is the documented one, so it is sent first while no form is known to work. */
void call_import(Outcome *ret, Session *session, const CallPayload *payload, Newlines configured)
{
        Newlines form = first_form(payload, configured);
        SessionError error = {0}, other = {0};
        SessionResult result;
        bool sent;

        result = call_in_form(session, payload, form, &sent, &error);
        if (configured == NEWLINES_AUTO && may_concern_form(result, error.number)) {
                form = form == NEWLINES_RAW ? NEWLINES_ESCAPED : NEWLINES_RAW;
                result = call_in_form(session, payload, form, &sent, &other);
                /* If both forms are refused, the first error stands. */
                if (result != SESSION_SERVER)
                        error = other;
        }
        /* A procedure can leave a transaction open, which would be rolled back at the end. */
        if (result == SESSION_OK && session_in_transaction(session))
                result = session_query(session, "COMMIT", NULL, NULL, &error);
        ret->effect.committed = result == SESSION_OK;
        if (result == SESSION_OK) {
                ret->effect.newlines = form;
                ret->effect.newlines_learned =
                        configured == NEWLINES_AUTO && form != payload->newlines;
        }
        (void)sql_error_fail(ret, result, &error, NULL);
        if (sent && (result == SESSION_LOST || result == SESSION_TIMED_OUT)) {
                ret->kind = OUTCOME_UNKNOWN;
                ret->effect.in_doubt = true;
        }
        sql_error_advise_procedure(ret, session, RDS_IMPORT_PROCEDURE);
        if (may_concern_form(result, error.number))
                text_set(ret->next_step, sizeof(ret->next_step),
                        configured == NEWLINES_AUTO
                                ? "the server refuses both forms of payload-newlines; its message "
                                  "says why"
                                : "the server's message says why; payload-newlines = auto tries the "
                                  "other form as well");
        /* It is unknown which of two different errors concerns the form. */
        if (result == SESSION_SERVER && other.text[0] != '\0' &&
                strcmp(other.text, error.text) != 0)
                text_format(ret->text, sizeof(ret->text), "%s; and with %s line ends: %s",
                        error.text, newlines_to_string(form), other.text);
}
