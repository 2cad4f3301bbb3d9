#pragma once

/*
 * External source: the procedures that tell a replica its source (doc/aurora.md, "After the
 * import"). Their names depend on the version of Aurora, so they are looked up before anything is
 * stopped. The password is bound to the statement and stands in no text.
 *
 * The form with auto-position does not implement its argument for TLS, so that TLS is switched on
 * with a procedure of its own, which version 2 lacks.
 */

#include <stdbool.h>

#include "common/secret.h"
#include "daemon/model/replication.h"
#include "daemon/mysql/session.h"

typedef struct ExternalSource {
        bool is_master; /* the procedures have the names of version 2 */
        char host[REPLICATION_HOST_MAX];
        unsigned port;
        char user[REPLICATION_USER_MAX];
        bool auto_position;
        char log_file[REPLICATION_LOG_FILE_MAX]; /* unless auto_position */
        uint64_t log_position;
} ExternalSource;

/* Returns the name of the procedure that sets this source. */
const char *external_source_procedure(const ExternalSource *source);

/* Finds out which names the procedures have. `ret_missing` is that of one which is needed and not
 * visible to the user, NULL if there is none. */
SessionResult external_source_find(ExternalSource *source, Session *session,
        const char **ret_missing, SessionError *ret_error);

/* Formats the statement, with one `?` for the password. A quote in a name is escaped. */
#define EXTERNAL_SOURCE_STATEMENT_MAX 2048
void external_source_format(
        char buffer[static EXTERNAL_SOURCE_STATEMENT_MAX], const ExternalSource *source);

/* Sets the source of a stopped replica, with TLS. The same call twice has the same result. */
SessionResult external_source_set(Session *session, const ExternalSource *source,
        const Secret *password, SessionError *ret_error);
