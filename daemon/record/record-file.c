#include "daemon/record/record-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/json-reader.h"
#include "common/json-writer.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/config/paths.h"
#include "daemon/record/record-history.h"

static void write_text(JsonWriter *writer, const char *key, const char *text)
{
        if (text[0] != '\0')
                json_put_string(writer, key, text);
}

static void write_number(JsonWriter *writer, const char *key, uint64_t number)
{
        if (number > 0)
                json_put_integer(writer, key, (int64_t)number);
}

static void write_stop(JsonWriter *writer, const RecordStop *stop)
{
        if (stop->at_usec == 0)
                return;
        write_number(writer, "stopped_at", stop->at_usec);
        write_text(writer, "stopped_for", stop->fingerprint);
        write_text(writer, "stopped_mode", replication_mode_to_string(stop->mode));
        json_put_boolean(writer, "stopped_running", stop->running);
        write_text(writer, "stopped_log_file", stop->log_file);
        write_number(writer, "stopped_log_position", stop->log_position);
        json_put_boolean(writer, "stopped_completed", stop->completed);
}

static void write_proof(JsonWriter *writer, const Record *record)
{
        const RecordProof *proof = &record->proof;

        if (proof->fingerprint[0] == '\0')
                return;
        write_text(writer, "proof_fingerprint", proof->fingerprint);
        json_put_boolean(writer, "proof_proven", proof->proven);
        write_number(writer, "proof_since", proof->since_usec);
        write_number(writer, "proof_held", proof->held_usec);
        write_number(writer, "proof_read", proof->read_usec);
        write_text(writer, "proof_fault", record_proof_fault(record));
}

/* The names of the members of an outcome. */
typedef struct OutcomeNames {
        const char *kind, *sql_errno, *text, *next_step;
} OutcomeNames;

static const OutcomeNames attempt_names = {"outcome", "sql_errno", "text", "next"};
static const OutcomeNames removal_names = {
        "removal_outcome", "removal_sql_errno", "removal_text", "removal_next"};

static void write_outcome(JsonWriter *writer, const OutcomeNames *names, const KeptOutcome *outcome)
{
        if (!outcome->known)
                return;
        write_text(writer, names->kind, outcome_kind_to_string(outcome->kind));
        write_number(writer, names->sql_errno, outcome->sql_errno);
        write_text(writer, names->text, text_kept(outcome->text));
        write_text(writer, names->next_step, text_kept(outcome->next_step));
}

int record_format(char **ret, const Record *record)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        CLEANUP(freep) char *text = NULL;
        int r;

        json_open_object(writer);
        write_text(writer, "host", record->host);
        write_number(writer, "port", record->port);
        write_text(writer, "imported_fingerprint", record->imported.fingerprint);
        write_number(writer, "imported_at", record->imported.at_usec);
        write_number(writer, "imported_not_before", record->imported.not_before_usec);
        write_number(writer, "imported_not_after", record->imported.not_after_usec);
        write_text(writer, "server_uuid", record->imported.server_uuid);
        write_text(writer, "import_warning", text_kept(record->imported.warning));
        write_text(writer, "former_fingerprint", record->imported.former_fingerprint);
        write_text(writer, "attempted_fingerprint", record->attempt.fingerprint);
        write_number(writer, "attempts", record->attempt.failures);
        write_number(writer, "last_attempt", record->attempt.at_usec);
        write_number(writer, "last_success", record->last_success_usec);
        write_number(writer, "out_of_sync_since", record->out_of_sync_since_usec);
        write_outcome(writer, &attempt_names, &record->attempt.outcome);
        write_stop(writer, &record->stop);
        write_number(writer, "healed_at", record->healed_at_usec);
        write_number(writer, "removal_at", record->removal.at_usec);
        if (record->removal.at_usec > 0)
                write_outcome(writer, &removal_names, &record->removal.outcome);
        if (record->newlines != NEWLINES_AUTO)
                write_text(writer, "payload_newlines", newlines_to_string(record->newlines));
        write_text(writer, "warned_fingerprint", record->warned.fingerprint);
        write_number(writer, "warned_within", record->warned.within_usec);
        write_proof(writer, record);
        write_text(writer, "by_hand_fingerprint", record->by_hand);
        json_put_boolean(writer, "in_use", record->imported.in_use);
        json_put_boolean(writer, "restart_due", record->imported.restart_due);
        if (record->history) {
                json_key(writer, "history");
                record_history_write(writer, record->history);
        }
        json_close_object(writer);
        r = json_writer_finish(writer, &text);
        if (r < 0)
                return r;
        return asprintf(ret, "%s\n", text) < 0 ? -ENOMEM : 0;
}

/* An absent member leaves the record's value; a present one must be valid. */
static bool read_text(char *buffer, size_t size, const JsonValue *object, const char *key)
{
        const JsonValue *value = json_member(object, key);
        const char *text = json_get_string(value);

        if (!value)
                return true;
        if (!text)
                return false;
        text_set(buffer, size, text);
        return true;
}

static bool read_number(uint64_t *ret, const JsonValue *object, const char *key)
{
        const JsonValue *value = json_member(object, key);
        int64_t number;

        if (!value)
                return true;
        if (!json_get_integer(&number, value) || number < 0)
                return false;
        *ret = (uint64_t)number;
        return true;
}

static bool read_boolean(bool *ret, const JsonValue *object, const char *key)
{
        const JsonValue *value = json_member(object, key);

        return !value || json_get_boolean(ret, value);
}

static bool read_unsigned(unsigned *ret, const JsonValue *object, const char *key)
{
        uint64_t number = *ret;

        if (!read_number(&number, object, key) || number > INT32_MAX)
                return false;
        *ret = (unsigned)number;
        return true;
}

static bool read_fingerprint(char *buffer, const JsonValue *object, const char *key)
{
        char text[REPORT_FINGERPRINT_MAX + 1] = "";

        if (!read_text(text, sizeof(text), object, key))
                return false;
        if (text[0] != '\0' && !report_is_fingerprint(text))
                return false;
        memcpy(buffer, text, REPORT_FINGERPRINT_MAX);
        return true;
}

/* `size` limits the text. */
static bool read_kept_text(char **text, size_t size, const JsonValue *object, const char *key)
{
        char buffer[OUTCOME_NEXT_STEP_MAX] = "";

        if (!read_text(buffer, size, object, key))
                return false;
        text_keep(text, buffer);
        return true;
}

static bool read_outcome(KeptOutcome *outcome, const OutcomeNames *names, const JsonValue *object)
{
        char name[32] = "";

        if (!read_text(name, sizeof(name), object, names->kind) ||
                !read_unsigned(&outcome->sql_errno, object, names->sql_errno) ||
                !read_kept_text(&outcome->text, OUTCOME_TEXT_MAX, object, names->text) ||
                !read_kept_text(
                        &outcome->next_step, OUTCOME_NEXT_STEP_MAX, object, names->next_step))
                return false;
        outcome->known = outcome_kind_from_string(&outcome->kind, name) == 0;
        if (!outcome->known)
                kept_outcome_done(outcome);
        return true;
}

static bool read_stop(RecordStop *ret, const JsonValue *object)
{
        RecordStop stop = {.mode = REPLICATION_RESTART};
        char mode[16] = "";

        if (!read_number(&stop.at_usec, object, "stopped_at") ||
                !read_fingerprint(stop.fingerprint, object, "stopped_for") ||
                !read_text(mode, sizeof(mode), object, "stopped_mode") ||
                !read_boolean(&stop.running, object, "stopped_running") ||
                !read_text(stop.log_file, sizeof(stop.log_file), object, "stopped_log_file") ||
                !read_number(&stop.log_position, object, "stopped_log_position") ||
                !read_boolean(&stop.completed, object, "stopped_completed") ||
                (mode[0] != '\0' && replication_mode_from_string(&stop.mode, mode) < 0))
                return false;
        if (stop.at_usec > 0)
                *ret = stop;
        return true;
}

static bool read_newlines(Record *record, const JsonValue *object)
{
        char name[16] = "";

        if (!read_text(name, sizeof(name), object, "payload_newlines"))
                return false;
        return name[0] == '\0' || newlines_from_string(&record->newlines, name) == 0;
}

static bool read_proof(Record *record, const JsonValue *object)
{
        RecordProof *ret = &record->proof;
        char fault[OUTCOME_TEXT_MAX] = "";

        if (!read_text(fault, sizeof(fault), object, "proof_fault"))
                return false;
        ret->failed = fault[0] != '\0';
        text_keep(&record->proof_fault, fault);
        return read_fingerprint(ret->fingerprint, object, "proof_fingerprint") &&
                read_boolean(&ret->proven, object, "proof_proven") &&
                read_number(&ret->since_usec, object, "proof_since") &&
                read_number(&ret->held_usec, object, "proof_held") &&
                read_number(&ret->read_usec, object, "proof_read");
}

int record_parse(Record *ret, const char *text, size_t size)
{
        CLEANUP(json_freep) JsonValue *object = NULL;
        CLEANUP(record_done) Record record = RECORD_NULL;
        int r;

        r = json_parse(&object, text, size);
        if (r < 0)
                return r;
        if (!json_is_object(object) ||
                !read_text(record.host, sizeof(record.host), object, "host") ||
                !read_unsigned(&record.port, object, "port") ||
                !read_fingerprint(record.imported.fingerprint, object, "imported_fingerprint") ||
                !read_number(&record.imported.at_usec, object, "imported_at") ||
                !read_number(&record.imported.not_before_usec, object, "imported_not_before") ||
                !read_number(&record.imported.not_after_usec, object, "imported_not_after") ||
                !read_text(record.imported.server_uuid, sizeof(record.imported.server_uuid), object,
                        "server_uuid") ||
                !read_kept_text(
                        &record.imported.warning, OUTCOME_TEXT_MAX, object, "import_warning") ||
                !read_fingerprint(
                        record.imported.former_fingerprint, object, "former_fingerprint") ||
                !read_fingerprint(record.attempt.fingerprint, object, "attempted_fingerprint") ||
                !read_fingerprint(record.warned.fingerprint, object, "warned_fingerprint") ||
                !read_number(&record.warned.within_usec, object, "warned_within") ||
                !read_unsigned(&record.attempt.failures, object, "attempts") ||
                !read_number(&record.attempt.at_usec, object, "last_attempt") ||
                !read_number(&record.last_success_usec, object, "last_success") ||
                !read_number(&record.out_of_sync_since_usec, object, "out_of_sync_since") ||
                !read_number(&record.healed_at_usec, object, "healed_at") ||
                !read_outcome(&record.attempt.outcome, &attempt_names, object) ||
                !read_newlines(&record, object) ||
                !read_boolean(&record.imported.in_use, object, "in_use") ||
                !read_boolean(&record.imported.restart_due, object, "restart_due") ||
                !read_stop(&record.stop, object) || !read_proof(&record, object) ||
                !read_fingerprint(record.by_hand, object, "by_hand_fingerprint") ||
                !read_number(&record.removal.at_usec, object, "removal_at") ||
                !read_outcome(&record.removal.outcome, &removal_names, object))
                return -EBADMSG;
        record.history = record_history_read(json_member(object, "history"));
        *ret = record;
        record = RECORD_NULL;
        return 0;
}

#define RECORD_FILE_LIMIT (64 * 1024)

int record_load(Record *ret, const char *cluster)
{
        CLEANUP(secret_done) Secret content = SECRET_NULL;
        char path[PATH_MAX];
        int r;

        *ret = RECORD_NULL;
        r = paths_record(path, sizeof(path), cluster);
        if (r == 0)
                r = file_read(&content, AT_FDCWD, path, RECORD_FILE_LIMIT);
        return r < 0 ? r : record_parse(ret, content.data, content.size);
}

int record_save(const char *cluster, const Record *record)
{
        CLEANUP(freep) char *text = NULL;
        char path[PATH_MAX];
        int r;

        r = paths_record(path, sizeof(path), cluster);
        if (r == 0 && record_is_forgotten(record))
                return file_remove(path);
        if (r == 0)
                r = record_format(&text, record);
        return r < 0 ? r : file_replace(path, text, strlen(text), 0600);
}
