/* For LD_PRELOAD: adds the seconds in the file $CLOCK_OFFSET to the wall clock. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
        char text[32] = "";
        int fd = open(getenv("CLOCK_OFFSET"), O_RDONLY | O_CLOEXEC);

        if (fd >= 0) {
                (void)!read(fd, text, sizeof(text) - 1);
                close(fd);
        }
        return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
        int r = (int)syscall(SYS_clock_gettime, clock, ret);

        if (r == 0 && clock == CLOCK_REALTIME)
                ret->tv_sec += offset();
        return r;
}

time_t time(time_t *ret)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        if (ret)
                *ret = now.tv_sec;
        return now.tv_sec;
}
