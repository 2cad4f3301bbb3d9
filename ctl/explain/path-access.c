#include "ctl/explain/path-access.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECONDS_MAX 20 /* limits the time that a hung file server can take */

static int try_access(int fd, int mode)
{
        return faccessat(fd, ".", mode, AT_EACCESS) < 0 ? errno : 0;
}

/* For a regular file only, but another kind of file can have replaced it meanwhile. */
static int try_read(const PathStep *step)
{
        int fd = openat(step->directory_fd, step->name,
                O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);

        if (fd < 0)
                return errno;
        close(fd);
        return 0;
}

static void check_hop(PathHop *hop, const PathStep *step)
{
        struct stat st;

        snprintf(hop->path, sizeof(hop->path), "%s/%s",
                step->directory[1] != '\0' ? step->directory : "", step->name);
        hop->error = step->error;
        if (step->error != 0)
                return;
        if (fstatat(step->directory_fd, step->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                hop->error = errno;
                return;
        }
        hop->mode = st.st_mode;
        hop->uid = st.st_uid;
        hop->gid = st.st_gid;
        if (step->link)
                snprintf(hop->link, sizeof(hop->link), "%s", step->link);
        else if (step->entry_fd >= 0) {
                hop->enter_error = try_access(step->entry_fd, X_OK);
                hop->read_error = try_access(step->entry_fd, R_OK);
                /* "." cannot be looked up in a directory that cannot be entered. */
                if (hop->enter_error != 0)
                        hop->read_error = hop->enter_error;
        } else if (S_ISREG(st.st_mode))
                hop->read_error = try_read(step);
}

/* Runs in the child; `access` is memory that it shares with the parent. */
static void check_paths(
        PathAccess *access, const ServiceIdentity *identity, const char *const paths[])
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        (void)alarm(SECONDS_MAX);
        if (identity) {
                int r = service_identity_assume(identity);

                access->error = -r;
                if (r < 0)
                        return;
                access->as_service = true;
        }
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                (void)path_walk_add(&walk, paths[i], NULL); /* a step has the error, too */
        for (size_t i = 0; i < walk.n_steps; i++)
                check_hop(&access->hops[i], &walk.steps[i]);
        access->n_hops = walk.n_steps;
}

int path_access_new(PathAccess **ret)
{
        PathAccess *access = mmap(NULL, sizeof(PathAccess), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (access == MAP_FAILED)
                return -errno;
        *ret = access;
        return 0;
}

int path_access_check(PathAccess **ret, const ServiceIdentity *identity,
        const char *const paths[_MATERIAL_FILE_MAX])
{
        PathAccess *access = NULL;
        int status = 0, r = path_access_new(&access);
        pid_t pid;

        if (r < 0)
                return r;
        (void)fflush(NULL);
        pid = fork();
        if (pid == 0) {
                check_paths(access, identity, paths);
                _exit(EXIT_SUCCESS);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0) {
                int error = errno;

                path_access_free(access);
                return -error;
        }
        if (status != 0)
                access->error =
                        WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ETIMEDOUT : EIO;
        *ret = access;
        return 0;
}

PathAccess *path_access_free(PathAccess *access)
{
        if (access)
                munmap(access, sizeof(*access));
        return NULL;
}

bool path_hop_is_denied(const PathHop *hop)
{
        return hop->error != 0 || hop->enter_error != 0 || hop->read_error != 0;
}

const PathHop *path_access_denied(const PathAccess *access)
{
        for (size_t i = 0; i < access->n_hops; i++)
                if (path_hop_is_denied(&access->hops[i]))
                        return &access->hops[i];
        return NULL;
}

const char *path_hop_kind(const PathHop *hop)
{
        if (hop->error != 0)
                return "-";
        if (hop->link[0] != '\0')
                return "link";
        if (S_ISDIR(hop->mode))
                return "dir";
        return S_ISREG(hop->mode) ? "file" : "other";
}

const char *path_hop_verdict(const PathHop *hop)
{
        if (hop->error == ENOENT)
                return "missing";
        if (hop->error != 0)
                return "not seen";
        if (hop->enter_error != 0)
                return "closed";
        if (hop->link[0] != '\0')
                return "followed";
        if (S_ISDIR(hop->mode))
                return hop->read_error != 0 ? "not watched" : "passed";
        return hop->read_error != 0 ? "unreadable" : "readable";
}
