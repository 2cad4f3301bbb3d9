#pragma once

/*
 * Replication: the state of the replica's threads, and stopping and starting them with Aurora's
 * procedures.
 *
 * SHOW REPLICA STATUS is tried first and SHOW SLAVE STATUS after a syntax error (1064): version 2
 * knows only the old word, 8.4 only the new one. Columns are found by name in both vocabularies
 * (notes/aurora.md, 3).
 */

#include "daemon/outcome.h"
#include "daemon/session.h"

/* SESSION_SERVER with 1227 means that the user may not look. */
SessionFault replication_read(
        Replication *ret, Session *session, uint64_t now_usec, SessionError *ret_error);

SessionFault replication_stop(Session *session, SessionError *ret_error);
SessionFault replication_start(Session *session, SessionError *ret_error);

/* Both threads run. */
bool replication_is_running(const Replication *replication);

/* It was to run and its I/O thread cannot connect. */
bool replication_is_broken(const Replication *replication);

/* At least one thread does something, be it trying to connect. */
bool replication_is_active(const Replication *replication);
