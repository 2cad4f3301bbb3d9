#include "daemon/watch/watch-report.h"

#include "common/text.h"

bool watch_report_is_valid(
        const WatchReport *report, size_t size, const MaterialConfig *config, uint64_t now_usec)
{
        const WatchStatus *status = &report->status;

        return size == sizeof(*report) && IS_ENUMERATOR(report->event, _WATCH_EVENT_MAX) &&
                report->due_usec <= now_usec + watch_report_interval_usec(config) &&
                TEXT_IS_RECEIVED(status->watch) && is_boolean(&status->watching);
}

uint64_t watch_report_interval_usec(const MaterialConfig *config)
{
        return config->poll_interval_usec + config->poll_interval_usec / 30;
}
