#include "daemon/import/stop-note.h"

#include "common/clock.h"
#include "common/text.h"
#include "daemon/model/record.h"

int stop_note_write(const StopNote *note, const ImportTask *task, const Replication *replication,
        const ReplicationSource *source, bool completed, uint64_t deadline_usec)
{
        RecordStop stop = {
                .at_usec = clock_wall_usec(),
                .mode = task->cluster->replication,
                .running = replication_is_running(replication),
                .log_position = source->log_position,
                .completed = completed,
        };

        text_set(stop.fingerprint, sizeof(stop.fingerprint), task->set.fingerprint);
        text_set(stop.log_file, sizeof(stop.log_file), source->log_file);
        REDACT(note->password, stop.log_file);
        REDACT(note->key, stop.log_file);
        return job_ask(task->link, &stop, sizeof(stop), deadline_usec);
}
