#include "ctl/explain/service-identity.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/macro.h"

#define PROGRAM "binlog-ssld"

static void read_groups(ServiceIdentity *identity, const char *list)
{
        char *end;

        for (; identity->n_groups < SERVICE_IDENTITY_GROUPS_MAX; list = end) {
                unsigned long group = strtoul(list, &end, 10);

                if (end == list)
                        return;
                identity->groups[identity->n_groups++] = (gid_t)group;
        }
}

/* Reads one line of /proc/PID/status. Returns the number of required fields in it: 0 or 1. */
static unsigned read_line(ServiceIdentity *identity, const char *line)
{
        if (strncmp(line, "Name:\t" PROGRAM "\n", sizeof("Name:\t" PROGRAM)) == 0)
                return 1;
        if (sscanf(line, "Uid:\t%*u\t%u", &identity->uid) == 1 ||
                sscanf(line, "Gid:\t%*u\t%u", &identity->gid) == 1 ||
                sscanf(line, "CapEff:\t%" SCNx64, &identity->capabilities) == 1)
                return 1;
        if (strncmp(line, "Groups:", 7) == 0)
                read_groups(identity, line + 7);
        return 0;
}

int service_identity_of(ServiceIdentity *ret, pid_t pid)
{
        ServiceIdentity identity = {.pid = pid};
        CLEANUP(freep) char *line = NULL;
        size_t capacity = 0;
        unsigned found = 0;
        char path[64];
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
        file = fopen(path, "re");
        if (!file)
                return -ESRCH;
        while (getline(&line, &capacity, file) >= 0)
                found += read_line(&identity, line);
        fclose(file);
        if (found != 4)
                return -ESRCH;
        *ret = identity;
        return 0;
}

static int open_proc(const ServiceIdentity *identity, const char *name)
{
        char path[64];
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/%s", (int)identity->pid, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int enter_namespace(const ServiceIdentity *identity)
{
        CLEANUP(closep) int namespace_fd = open_proc(identity, "ns/mnt");
        CLEANUP(closep) int root_fd = open_proc(identity, "root");
        struct stat mine, theirs;

        if (namespace_fd < 0 || root_fd < 0)
                return namespace_fd < 0 ? namespace_fd : root_fd;
        if (stat("/proc/self/ns/mnt", &mine) < 0 || fstat(namespace_fd, &theirs) < 0)
                return -errno;
        if (mine.st_ino != theirs.st_ino && setns(namespace_fd, CLONE_NEWNS) < 0)
                return -errno;
        if (fchdir(root_fd) < 0 || chroot(".") < 0 || chdir("/") < 0)
                return -errno;
        return 0;
}

static int set_capabilities(uint64_t capabilities)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2] = {
                {.effective = (uint32_t)capabilities, .permitted = (uint32_t)capabilities},
                {.effective = (uint32_t)(capabilities >> 32),
                        .permitted = (uint32_t)(capabilities >> 32)},
        };

        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int service_identity_assume(const ServiceIdentity *identity)
{
        int r = enter_namespace(identity);

        if (r < 0)
                return r;
        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
                setgroups(identity->n_groups, identity->groups) < 0 ||
                setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
                setresuid(identity->uid, identity->uid, identity->uid) < 0)
                return -errno;
        return set_capabilities(identity->capabilities);
}
