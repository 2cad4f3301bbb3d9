#pragma once

/*
 * Journal of a cluster: one function per event of an import, a check, a removal or replication,
 * each with its message id, fields and wording (daemon/status/journal.h).
 */

#include "daemon/model/status.h"

void journal_import_succeeded(const ClusterStatus *cluster, const Outcome *outcome);
/* According to the ledger on the cluster. */
void journal_already_current(const ClusterStatus *cluster, const Outcome *outcome);
void journal_import_failed(const ClusterStatus *cluster, const Outcome *outcome);

/* The client material was removed from the cluster, or could not be. */
void journal_removal(const ClusterStatus *cluster, const Outcome *outcome);

/* The results of a check between imports: the check fails or works again, another server
 * answers, the ledger names another set than the record, replication broke or runs again. */
void journal_check(const ClusterStatus *cluster, const Outcome *outcome);
void journal_server_changed(const ClusterStatus *cluster, const Outcome *outcome);
void journal_drift(const ClusterStatus *cluster, const Outcome *outcome);
void journal_replication(const ClusterStatus *cluster);

/* The imported set is about to be imported again. */
void journal_replication_healing(const ClusterStatus *cluster);

/* Replication was stopped for an import; it stays stopped, and is started again. */
void journal_replication_stopped(const ClusterStatus *cluster);
void journal_replication_started(const ClusterStatus *cluster);
