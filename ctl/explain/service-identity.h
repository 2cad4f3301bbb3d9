#pragma once

/*
 * Service identity: what decides the access of the daemon to files: its mount namespace and root
 * directory, its user, groups and capabilities. A process of root can assume it, which cannot be
 * undone, so only a child does.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVICE_IDENTITY_GROUPS_MAX 256

typedef struct ServiceIdentity {
        pid_t pid;
        uid_t uid; /* user and group are the effective ones */
        gid_t gid;
        gid_t groups[SERVICE_IDENTITY_GROUPS_MAX];
        size_t n_groups;
        uint64_t capabilities; /* effective, a bit each as CAP_* of capabilities(7) */
} ServiceIdentity;

/* Reads the identity of the process `pid` from /proc/PID/status (proc(5)). Groups beyond
 * SERVICE_IDENTITY_GROUPS_MAX are ignored. -ESRCH: there is no such process, or its name is not
 * binlog-ssld. */
int service_identity_of(ServiceIdentity *ret, pid_t pid);

/* Makes the calling process access files as the service does. -EPERM: the caller is not root. */
int service_identity_assume(const ServiceIdentity *identity);
