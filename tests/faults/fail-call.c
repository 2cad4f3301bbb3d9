/*
 * Preloaded into the daemon: makes calls of one C library function fail in one of its processes, as
 * the plan says that the tests write and read (plan.py). Calls within the C library are not seen,
 * those of libsystemd, libmariadb and OpenSSL are.
 *
 * The plan is a file that all processes map. A process is known by its name (prctl(2)), so that the
 * forked ones differ from the manager.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PLAN_VARIABLE "FAIL_CALL_PLAN"

typedef struct Plan {
        char process[16];
        char call[24];  /* "": none fails */
        uint32_t first; /* of the calls that fail, from 1 */
        uint32_t last;
        int32_t error;
        uint32_t n_seen; /* calls so far, of that function in that process */
        uint32_t n_failed;
} Plan;

static Plan *plan;
static bool in_name_service;

static bool has_name(const char *wanted)
{
        char name[16] = "";

        (void)prctl(PR_GET_NAME, name);
        return strcmp(name, wanted) == 0;
}

static bool fails(const char *call)
{
        uint32_t number;

        if (!plan || in_name_service || strcmp(plan->call, call) != 0 || !has_name(plan->process))
                return false;
        number = __atomic_add_fetch(&plan->n_seen, 1, __ATOMIC_SEQ_CST);
        if (number < plan->first || number > plan->last)
                return false;
        (void)__atomic_add_fetch(&plan->n_failed, 1, __ATOMIC_SEQ_CST);
        errno = plan->error;
        return true;
}

/* By the system call: the functions are those of below. */
__attribute__((constructor)) static void map_plan(void)
{
        const char *path = getenv(PLAN_VARIABLE);
        int fd;
        void *map;

        if (!path)
                return;
        fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return;
        map = (void *)syscall(
                SYS_mmap, NULL, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
        (void)syscall(SYS_close, fd);
        if (map != MAP_FAILED)
                plan = map;
}

/* The next definition of the function, found once: dlsym(3) allocates memory. */
#define NEXT(name)                                                                   \
        ({                                                                           \
                static __typeof__(&name) next;                                       \
                if (!next)                                                           \
                        next = (__typeof__(&name))(intptr_t)dlsym(RTLD_NEXT, #name); \
                next;                                                                \
        })

#define WRAP(type, name, failure, parameters, arguments)                \
        type name parameters                                            \
        {                                                               \
                return fails(#name) ? (failure) : NEXT(name) arguments; \
        }

WRAP(ssize_t, read, -1, (int fd, void *data, size_t size), (fd, data, size))
WRAP(ssize_t, write, -1, (int fd, const void *data, size_t size), (fd, data, size))
WRAP(int, fsync, -1, (int fd), (fd))
WRAP(int, rename, -1, (const char *from, const char *to), (from, to))
WRAP(pid_t, fork, -1, (void), ())
WRAP(int, pipe2, -1, (int fds[2], int flags), (fds, flags))
WRAP(int, memfd_create, -1, (const char *name, unsigned flags), (name, flags))
WRAP(int, socket, -1, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(int, socketpair, -1, (int domain, int type, int protocol, int fds[2]),
        (domain, type, protocol, fds))
WRAP(int, accept4, -1, (int fd, struct sockaddr *address, socklen_t *size, int flags),
        (fd, address, size, flags))
WRAP(int, inotify_add_watch, -1, (int fd, const char *path, uint32_t mask), (fd, path, mask))
WRAP(int, timerfd_create, -1, (int clock, int flags), (clock, flags))
WRAP(int, timerfd_settime, -1,
        (int fd, int flags, const struct itimerspec *value, struct itimerspec *former),
        (fd, flags, value, former))
WRAP(int, epoll_ctl, -1, (int epoll, int operation, int fd, struct epoll_event *event),
        (epoll, operation, fd, event))
WRAP(ssize_t, send, -1, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
WRAP(ssize_t, recv, -1, (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
WRAP(ssize_t, sendmsg, -1, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRAP(ssize_t, recvmsg, -1, (int fd, struct msghdr *message, int flags), (fd, message, flags))
WRAP(void *, mmap64, MAP_FAILED,
        (void *address, size_t size, int protection, int flags, int fd, off64_t offset),
        (address, size, protection, flags, fd, offset))

/* With a mode only if a file can be made. */
static mode_t mode_of(int flags, va_list list)
{
        return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

int open64(const char *path, int flags, ...)
{
        va_list list;
        mode_t mode;

        va_start(list, flags);
        mode = mode_of(flags, list);
        va_end(list);
        return fails("open") ? -1 : NEXT(open64)(path, flags, mode);
}

int openat64(int fd, const char *path, int flags, ...)
{
        va_list list;
        mode_t mode;

        va_start(list, flags);
        mode = mode_of(flags, list);
        va_end(list);
        return fails("openat") ? -1 : NEXT(openat64)(fd, path, flags, mode);
}

/* Of mysql_library_init(3), before the service has begun. glibc 2.36 ends the process itself if it
 * cannot allocate what nsswitch.conf(5) says. */
struct servent *getservbyname(const char *name, const char *protocol)
{
        struct servent *service;

        in_name_service = true;
        service = NEXT(getservbyname)(name, protocol);
        in_name_service = false;
        return service;
}

#ifdef FAIL_MEMORY
/* Their own definitions call these: dlsym(3) would need them first. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *data, size_t size);

void *malloc(size_t size)
{
        return fails("malloc") ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
        return fails("malloc") ? NULL : __libc_calloc(n, size);
}

void *realloc(void *data, size_t size)
{
        return fails("malloc") ? NULL : __libc_realloc(data, size);
}
#endif
