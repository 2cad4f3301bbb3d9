#include "common/clock.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/macro.h"

#define CLOCK_DRIFT_USEC (100 * USEC_PER_MSEC)

static uint64_t read_usec(clockid_t id)
{
        struct timespec now;

        (void)clock_gettime(id, &now); /* cannot fail for these clocks */
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

static const char *format(char *buffer, const char *pattern, uint64_t wall_usec)
{
        time_t seconds = (time_t)(wall_usec / USEC_PER_SEC);
        struct tm parts;

        if (wall_usec == CLOCK_BEFORE_1970)
                pattern = "1970-01-01 or earlier";
        if (!gmtime_r(&seconds, &parts) || strftime(buffer, CLOCK_TEXT_SIZE, pattern, &parts) == 0)
                buffer[0] = '\0';
        return buffer;
}

uint64_t clock_boottime_usec(void)
{
        return read_usec(CLOCK_BOOTTIME);
}

uint64_t clock_wall_usec(void)
{
        return read_usec(CLOCK_REALTIME);
}

uint64_t clock_wall_at_usec(uint64_t boottime_usec)
{
        static uint64_t difference_usec;
        uint64_t now_usec = clock_wall_usec() - clock_boottime_usec();

        if (now_usec - difference_usec > CLOCK_DRIFT_USEC &&
                difference_usec - now_usec > CLOCK_DRIFT_USEC)
                difference_usec = now_usec;
        return difference_usec + boottime_usec;
}

uint64_t clock_left_usec(uint64_t deadline_usec)
{
        uint64_t now = clock_boottime_usec();

        return deadline_usec > now ? deadline_usec - now : 0;
}

int clock_poll_timeout(uint64_t deadline_usec)
{
        uint64_t left_usec = clock_left_usec(deadline_usec);
        uint64_t left = left_usec / USEC_PER_MSEC + (left_usec % USEC_PER_MSEC > 0);

        return left < INT_MAX ? (int)left : INT_MAX;
}

void clock_sleep_usec(uint64_t usec)
{
        struct timespec time = {.tv_sec = (time_t)(usec / USEC_PER_SEC),
                .tv_nsec = (long)(usec % USEC_PER_SEC * 1000)};

        (void)nanosleep(&time, NULL);
}

uint64_t clock_monotonic_usec(void)
{
        return read_usec(CLOCK_MONOTONIC);
}

const char *clock_format_date(char *buffer, uint64_t wall_usec)
{
        return format(buffer, "%Y-%m-%d", wall_usec);
}

const char *clock_format_time(char *buffer, uint64_t wall_usec)
{
        return format(buffer, CLOCK_TIME_PATTERN, wall_usec);
}

#define DURATION_MAX (36500 * USEC_PER_DAY)

/* Largest first, which is the order of writing. */
static const struct {
        const char *name;
        uint64_t usec;
} units[] = {
        {"d", USEC_PER_DAY},
        {"h", USEC_PER_HOUR},
        {"min", USEC_PER_MIN},
        {"s", USEC_PER_SEC},
        {"ms", USEC_PER_MSEC},
};

static uint64_t unit_usec(const char *name, size_t length)
{
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
                        return units[i].usec;
        return 0;
}

int duration_parse(uint64_t *ret_usec, const char *text)
{
        uint64_t total = 0;

        do {
                uint64_t number = 0, unit;
                size_t length = 0;

                text += strspn(text, " \t");
                if (!isdigit((unsigned char)*text))
                        return -EINVAL;
                for (; isdigit((unsigned char)*text); text++) {
                        number = number * 10 + (uint64_t)(*text - '0');
                        if (number > DURATION_MAX)
                                return -ERANGE;
                }
                while (isalpha((unsigned char)text[length]))
                        length++;
                unit = unit_usec(text, length);
                if (unit == 0)
                        return -EINVAL;
                text += length;
                if (number > DURATION_MAX / unit || total + number * unit > DURATION_MAX)
                        return -ERANGE;
                total += number * unit;
                text += strspn(text, " \t");
        } while (*text != '\0');
        *ret_usec = total;
        return 0;
}

const char *duration_format(char *buffer, uint64_t usec)
{
        size_t used = 0, parts = 0;

        for (size_t i = 0; i < ARRAY_SIZE(units) && parts < 2; i++) {
                uint64_t number = usec / units[i].usec;

                /* The second unit is the next smaller one, or none: "1h", not "1h 4s". */
                if (number == 0) {
                        if (parts > 0)
                                break;
                        continue;
                }
                used += (size_t)snprintf(buffer + used, DURATION_TEXT_SIZE - used,
                        "%s%" PRIu64 "%s", parts > 0 ? " " : "", number, units[i].name);
                usec %= units[i].usec;
                parts++;
        }
        if (parts == 0)
                snprintf(buffer, DURATION_TEXT_SIZE, "0s");
        return buffer;
}
