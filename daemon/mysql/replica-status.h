#pragma once

/*
 * Replication: the state of the replica's threads, and stopping and starting them with Aurora's
 * procedures.
 *
 * SHOW REPLICA STATUS is tried first and SHOW SLAVE STATUS after a syntax error (1064): version 2
 * knows only the old word, 8.4 only the new one. Columns are found by name in both vocabularies
 * (notes/aurora.md, 3).
 */

#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

/* SESSION_SERVER with 1227 means that the user may not look. */
SessionResult replica_status_read(
        Replication *ret, Session *session, uint64_t now_usec, SessionError *ret_error);

SessionResult replica_stop(Session *session, SessionError *ret_error);
SessionResult replica_start(Session *session, SessionError *ret_error);
