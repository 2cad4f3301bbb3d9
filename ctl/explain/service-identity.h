#pragma once

/*
 * Guise: to look at files with the eyes of the service: its mount namespace and root directory,
 * its user, groups and capabilities. Only root can put it on, and only in a child, which keeps it.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVICE_IDENTITY_GROUPS_MAX 256

typedef struct ServiceIdentity {
        pid_t pid;
        uid_t uid; /* the effective one */
        gid_t gid;
        gid_t groups[SERVICE_IDENTITY_GROUPS_MAX];
        size_t n_groups;
        uint64_t capabilities; /* the effective ones */
} ServiceIdentity;

/* Of the process `pid`. -ESRCH: there is none, or it is not binlog-ssld. */
int service_identity_of(ServiceIdentity *ret, pid_t pid);

/* Irrevocable. -EPERM: only root can. */
int service_identity_assume(const ServiceIdentity *identity);
