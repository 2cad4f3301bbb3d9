#pragma once

/*
 * Source login: logs in to the replication source as its replica would, with the certificate and
 * key of a set, asks nothing, and reports what the source answered.
 *
 * A password is sent only to a source whose certificate verifies under the CA of the set, name
 * included. To another one, or without a password, only the handshake is made: the login that
 * ends it is one of a user that no source has (SOURCE_LOGIN_NOBODY), so that no failed login counts
 * against the account of the replica, which could lock it.
 *
 * The reply is a value without pointers; the password is replaced in its texts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/secret.h"
#include "daemon/config/config.h"
#include "daemon/mysql/session-error.h"

#define SOURCE_LOGIN_NOBODY "binlog_ssld_probe"

typedef struct SourceReply {
        SessionResult result; /* of the connection that was judged, the last one */
        SessionError error;
        bool with_password;            /* that connection was a login with the password */
        CertificateResult certificate; /* of the source */
        char certificate_reason[OUTCOME_TEXT_MAX]; /* "" when verified */
        char password_reason[OUTCOME_TEXT_MAX];    /* why there is no password; "": there is, or
                                                      none is configured */
} SourceReply;

/* Returns true if a received value is one: each text, enumerator and boolean. Pure. */
bool source_reply_is_valid(const SourceReply *reply);

/* `login`: host and port; with a `user` of "" there is no login. `plugins` are the allowed
 * authentication plugins. The deadline is boot time. A negative errno: the files could not be
 * made. */
int source_login(SourceReply *ret, const LoginConfig *login, const char *plugins,
        const Secret pem[static _MATERIAL_FILE_MAX], uint64_t deadline_usec);
