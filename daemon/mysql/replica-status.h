#pragma once

/*
 * Replica status: reads the state of the replica's threads.
 *
 * SHOW REPLICA STATUS is sent first and SHOW SLAVE STATUS after a syntax error (1064): Aurora MySQL
 * version 2 accepts only the old statement, 8.4 only the new one. Columns are found by name in both
 * vocabularies (doc/aurora.md, "Replica status").
 */

#include "daemon/model/replication.h"
#include "daemon/mysql/session.h"

typedef struct ReplicaStatus {
        Replication replication;
        ReplicationSource source;
} ReplicaStatus;

/* Adds one row of the answer, that of a channel, to the ReplicaStatus `userdata`. A column that is
 * missing, NULL or no number stays unknown. */
void replica_status_add_row(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values);

/* `ret_source` may be NULL. SESSION_SERVER with 1227: the user lacks the privilege. */
SessionResult replica_status_read(
        Replication *ret, ReplicationSource *ret_source, Session *session, SessionError *ret_error);
