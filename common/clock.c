#include "common/clock.h"

#include <time.h>

static uint64_t now_usec(clockid_t id)
{
        struct timespec now;

        (void)clock_gettime(id, &now); /* cannot fail for the clocks that we name */
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

static const char *format(char *buffer, const char *pattern, uint64_t wall_usec)
{
        time_t seconds = (time_t)(wall_usec / USEC_PER_SEC);
        struct tm parts;

        if (!gmtime_r(&seconds, &parts) || strftime(buffer, CLOCK_TEXT_SIZE, pattern, &parts) == 0)
                buffer[0] = '\0';
        return buffer;
}

uint64_t clock_boottime_usec(void)
{
        return now_usec(CLOCK_BOOTTIME);
}

uint64_t clock_wall_usec(void)
{
        return now_usec(CLOCK_REALTIME);
}

uint64_t clock_monotonic_usec(void)
{
        return now_usec(CLOCK_MONOTONIC);
}

const char *clock_format_date(char *buffer, uint64_t wall_usec)
{
        return format(buffer, "%Y-%m-%d", wall_usec);
}

const char *clock_format_time(char *buffer, uint64_t wall_usec)
{
        return format(buffer, "%Y-%m-%d %H:%M:%SZ", wall_usec);
}
