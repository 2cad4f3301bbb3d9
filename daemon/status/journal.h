#pragma once

/*
 * Journal: one function per event worth a line, each with its message id and its fields. The one
 * place with wording. Transitions are logged, repeats are not; who calls decides that.
 *
 * Fields: BINLOG_SSL_MATERIAL, _CLUSTER, _FINGERPRINT, _OUTCOME, _SQL_ERRNO, _ATTEMPT,
 * _DURATION_USEC.
 */

#include "daemon/config/config.h"
#include "daemon/model/status.h"

void journal_started(const char *version, const Config *config);
void journal_stopping(unsigned running_imports);
void journal_configuration_invalid(const ConfigProblem *problem);
void journal_failure(const char *what, int error); /* an operation failed; the daemon leaves */

void journal_reloaded(const Config *config);
void journal_reload_refused(const ConfigProblem *problem); /* the old one stays in force */
void journal_reload_failed(int error);

void journal_metrics_unwritable(const char *path, int error); /* 0: it can be written again */

void journal_material(const MaterialStatus *material, const char *reason);
/* The certificate reached an expiry warning, or a CA that it needs did. */
void journal_material_expiring(const MaterialStatus *material);

/* The path delivers events again, or does not any more and why. */
void journal_watch(const MaterialStatus *material);

void journal_import_succeeded(const ClusterStatus *cluster, const Outcome *outcome);
/* The ledger on the cluster says so. */
void journal_already_current(const ClusterStatus *cluster, const Outcome *outcome);
void journal_import_failed(const ClusterStatus *cluster, const Outcome *outcome);

/* What a check between imports found: it failed or works again, the ledger names another set than was
 * known, replication broke or runs again. */
void journal_check(const ClusterStatus *cluster, const Outcome *outcome);
void journal_drift(const ClusterStatus *cluster, const Outcome *outcome);
void journal_replication(const ClusterStatus *cluster);

/* The watchdog is not pinged because of a material or a cluster; the other one is NULL. */
void journal_watchdog_stopped(const char *material, const char *cluster, const char *reason);

void journal_record_unreadable(const char *cluster, int error);
void journal_record_unwritable(const char *cluster, int error);
void journal_record_written(const char *cluster); /* after it could not */
