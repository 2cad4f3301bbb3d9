#pragma once

/*
 * Guise: to look at files with the eyes of the service: its mount namespace and root directory,
 * its user, groups and capabilities. Only root can put it on, and only in a child, which keeps it.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUISE_GROUPS_MAX 256

typedef struct Guise {
        pid_t pid;
        uid_t uid; /* the effective one */
        gid_t gid;
        gid_t groups[GUISE_GROUPS_MAX];
        size_t n_groups;
        uint64_t capabilities; /* the effective ones */
} Guise;

/* Of the process `pid`. -ESRCH: there is none, or it is not binlog-ssld. */
int guise_of(Guise *ret, pid_t pid);

/* Irrevocable. -EPERM: only root can. */
int guise_put_on(const Guise *guise);
