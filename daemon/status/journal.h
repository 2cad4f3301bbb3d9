#pragma once

/*
 * Journal: one function per event, each with its message id, fields and wording; those of a cluster
 * are in daemon/status/journal-cluster.h. The caller decides which events are logged
 * (daemon/status/journal-filter.h).
 *
 * Fields: BINLOG_SSL_MATERIAL, _CLUSTER, _FINGERPRINT, _OUTCOME, _SQL_ERRNO, _ATTEMPT,
 * _DURATION_USEC, _UID.
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

/* A client of the socket was refused, of a user that has `n_of_user` already. */
void journal_client_refused(uid_t uid, unsigned n_of_user);

/* The file system of the material does not answer, or answers again. */
void journal_file_system(const MaterialStatus *material);

/* The watchdog gets no pings because of a material or a cluster; the other one is NULL. */
void journal_watchdog_stopped(const char *material, const char *cluster, const char *reason);

void journal_record_unreadable(const char *cluster, int error);
void journal_record_unwritable(const char *cluster, int error);
void journal_record_written(const char *cluster); /* after an error */
