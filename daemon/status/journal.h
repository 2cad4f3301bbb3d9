#pragma once

/*
 * Journal: one function per event, each with its message id, fields and wording. The caller decides
 * which events are logged (daemon/status/journal-filter.h).
 *
 * Fields: BINLOG_SSL_MATERIAL, _CLUSTER, _FINGERPRINT, _OUTCOME, _SQL_ERRNO, _ATTEMPT,
 * _DURATION_USEC.
 */

#include "daemon/config/config.h"
#include "daemon/model/status.h"

void journal_started(const char *version, const Config *config);

/* `left_usec`: the time until the last of the imports is killed. */
void journal_stopping(unsigned running_imports, uint64_t left_usec);
void journal_configuration_invalid(const ConfigProblem *problem);
void journal_failure(const char *what, int error); /* `what` failed and the daemon exits */

void journal_reloaded(const Config *config);
void journal_reload_refused(const ConfigProblem *problem); /* the loaded one stays in force */
void journal_reload_failed(int error);

void journal_metrics_unwritable(const char *path, int error); /* 0: written again */

void journal_material(const MaterialStatus *material, const char *reason);
/* The certificate, or a CA that it needs, reached the threshold of an expiry warning. */
void journal_material_expiring(const MaterialStatus *material);

/* The canary begins its hold, has proven the set, or has failed. */
void journal_wave(const MaterialStatus *material);

/* The path is watched again, or only polled, with the reason. */
void journal_watch(const MaterialStatus *material);
void journal_watch_restarted(const MaterialStatus *material);

/* The file system of the material does not answer, or answers again. */
void journal_file_system(const MaterialStatus *material);

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

/* The watchdog gets no pings because of a material or a cluster; the other one is NULL. */
void journal_watchdog_stopped(const char *material, const char *cluster, const char *reason);

void journal_record_unreadable(const char *cluster, int error);
void journal_record_unwritable(const char *cluster, int error);
void journal_record_written(const char *cluster); /* after an error */
