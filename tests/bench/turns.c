/*
 * Turns: measures how long an event loop is held, in a program that is not changed for it.
 *
 * To be preloaded (ld.so(8), LD_PRELOAD) with $BENCH_TURNS, the path of a file of the size of Turns.
 * A turn is the time from the return of a wait for events to the next wait. Each longest one is
 * kept until a reader writes 0: by the clock, and by processor time, which a busy machine changes
 * less. Children of the program do not measure.
 */

#include <sys/epoll.h>
#include <sys/mman.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct Turns {
        uint64_t n, longest_nsec, longest_processor_nsec;
} Turns;

static Turns *turns; /* NULL: nothing is measured */
static pid_t measured;
static int (*real_wait)(int fd, struct epoll_event *events, int n, int timeout);
static int (*real_pwait2)(int fd, struct epoll_event *events, int n, const struct timespec *timeout,
        const sigset_t *set);
static uint64_t begin_nsec, begin_processor_nsec;

static uint64_t now_nsec(clockid_t clock)
{
        struct timespec time = {0};

        (void)clock_gettime(clock, &time);
        return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

__attribute__((constructor)) static void begin(void)
{
        const char *path = getenv("BENCH_TURNS");
        int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        void *symbol = dlsym(RTLD_NEXT, "epoll_wait");
        void *map;

        memcpy(&real_wait, &symbol, sizeof(real_wait));
        symbol = dlsym(RTLD_NEXT, "epoll_pwait2");
        memcpy(&real_pwait2, &symbol, sizeof(real_pwait2));
        if (fd < 0)
                return;
        map = mmap(NULL, sizeof(Turns), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        (void)close(fd);
        if (map == MAP_FAILED)
                return;
        turns = map;
        measured = getpid();
}

static void keep_longest(uint64_t *longest, uint64_t nsec)
{
        if (nsec > *longest)
                *longest = nsec;
}

static void end_turn(void)
{
        if (!turns || getpid() != measured ||
                begin_nsec == 0) /* before the first wait is no turn */
                return;
        keep_longest(&turns->longest_nsec, now_nsec(CLOCK_MONOTONIC) - begin_nsec);
        keep_longest(&turns->longest_processor_nsec,
                now_nsec(CLOCK_THREAD_CPUTIME_ID) - begin_processor_nsec);
        turns->n++;
}

static int begin_turn(int result)
{
        begin_nsec = now_nsec(CLOCK_MONOTONIC);
        begin_processor_nsec = now_nsec(CLOCK_THREAD_CPUTIME_ID);
        return result;
}

int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
        end_turn();
        return begin_turn(real_wait(fd, events, n, timeout));
}

int epoll_pwait2(int fd, struct epoll_event *events, int n, const struct timespec *timeout,
        const sigset_t *set)
{
        end_turn();
        return begin_turn(real_pwait2(fd, events, n, timeout, set));
}
