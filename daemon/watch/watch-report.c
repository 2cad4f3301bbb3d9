#include "daemon/watch/watch-report.h"

#include <string.h>

/* Boolean members are compared as bytes: another value than 0 or 1 has no meaning in C. */
static bool is_boolean(const bool *value)
{
        unsigned char byte;

        memcpy(&byte, value, sizeof(byte));
        return byte <= 1;
}

static bool is_text(const char *text, size_t size)
{
        const char *end = memchr(text, '\0', size);

        if (!end)
                return false;
        for (; text < end; text++)
                if ((unsigned char)*text < ' ')
                        return false;
        return true;
}

bool watch_report_is_valid(
        const WatchReport *report, size_t size, const MaterialConfig *config, uint64_t now_usec)
{
        const WatchStatus *status = &report->status;

        return size == sizeof(*report) && (unsigned)report->event < _WATCH_EVENT_MAX &&
                report->due_usec <= now_usec + watch_report_interval_usec(config) &&
                is_text(status->watch, sizeof(status->watch)) && is_boolean(&status->watching) &&
                status->changed_usec <= now_usec;
}

uint64_t watch_report_interval_usec(const MaterialConfig *config)
{
        return config->poll_interval_usec + config->poll_interval_usec / 30;
}
