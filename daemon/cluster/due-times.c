#include "daemon/cluster/due-times.h"

#include <sys/random.h>

#include "common/clock.h"
#include "daemon/cluster/plan.h"
#include "daemon/model/backoff.h"

static uint32_t random_number(void)
{
        uint32_t number = 0;

        /* Without entropy there is no jitter, which is harmless. */
        if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
                number = 0;
        return number;
}

static uint64_t usec_after(const Config *config, uint64_t delay_usec)
{
        return config->once || delay_usec == USEC_NEVER ? USEC_NEVER
                                                        : clock_boottime_usec() + delay_usec;
}

void due_times_reset(DueTimes *times)
{
        times->retry_usec = 0;
        times->start_usec = 0;
        times->retry_failures = 0;
}

void due_times_after_check(DueTimes *times, const Config *config)
{
        times->checked_usec = clock_boottime_usec();
        times->check_usec = usec_after(
                config, plan_check_delay_usec(config->check_interval_usec, random_number()));
}

void due_times_after_attempt(
        DueTimes *times, const Config *config, const Outcome *outcome, unsigned failures)
{
        PlanRetry retry = {config->retry_min_usec, config->retry_max_usec, config->retry_held_usec};

        /* After a success or with another set the record's count begins anew, and this one too. */
        times->retry_failures =
                failures <= times->retry_failures ? failures : times->retry_failures + 1;
        times->retry_usec = usec_after(config,
                plan_retry_delay_usec(&retry, outcome, times->retry_failures, random_number()));
}

void due_times_after_start(DueTimes *times, const Config *config, unsigned failures)
{
        times->start_usec = usec_after(config,
                backoff_usec(
                        failures, config->retry_min_usec, config->retry_max_usec, random_number()));
}
