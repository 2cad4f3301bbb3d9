#include "daemon/model/replication-duty.h"

#include <string.h>
#include <strings.h>

#include "common/text.h"

/* A replica that was given another source, or auto-position, may report no coordinates. */
static bool has_moved(const ReplicationSource *source, const RecordStop *stop)
{
        return stop->completed && stop->log_file[0] != '\0' && source->log_file[0] != '\0' &&
                (strcmp(stop->log_file, source->log_file) != 0 ||
                        stop->log_position != source->log_position);
}

/* A stop that has not ended yet leaves one thread stopped and the other active. */
bool replication_is_stopped_by(
        const Replication *replication, const ReplicationSource *source, const RecordStop *stop)
{
        if (!replication->configured || stop->at_usec == 0 || has_moved(source, stop))
                return false;
        return replication->halt == REPLICATION_HALT_PERSON || !replication_is_active(replication);
}

ReplicationDuty replication_duty(
        const Replication *replication, const ReplicationSource *source, const RecordStop *stop)
{
        if (!replication->configured)
                return REPLICATION_DUTY_NONE;
        if (replication_is_stopped_by(replication, source, stop))
                return replication_is_active(replication) ? REPLICATION_DUTY_STOP
                                                          : REPLICATION_DUTY_START;
        return replication->halt == REPLICATION_HALT_NONE ? REPLICATION_DUTY_STOP
                                                          : REPLICATION_DUTY_NONE;
}

static const char *stopped_threads(const Replication *replication)
{
        if (!replication_is_active(replication))
                return "replication";
        return strcasecmp(replication->io_running, "no") == 0 ? "the replication I/O thread"
                                                              : "the replication SQL thread";
}

void replication_halt_reason(char *buffer, size_t size, const Replication *replication)
{
        buffer[0] = '\0';
        if (replication->stopped_by_us)
                return;
        switch (replication->halt) {
        case REPLICATION_HALT_PERSON:
                text_format(buffer, size, "%s is stopped, not by binlog-ssld, and stays stopped",
                        stopped_threads(replication));
                break;
        case REPLICATION_HALT_ERROR:
                text_format(buffer, size,
                        "the replication SQL thread has stopped with error %u and is not started: "
                        "%s",
                        replication->sql_errno, replication->sql_error);
                break;
        case REPLICATION_HALT_UNKNOWN:
                text_set(buffer, size,
                        "replication is not restarted: the server does not report the state of "
                        "both threads");
                break;
        case REPLICATION_HALT_NONE:
        case _REPLICATION_HALT_MAX:
                break;
        }
}
