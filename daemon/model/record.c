#include "daemon/model/record.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"

/* From the note of a stop to the end of active threads, unless the server is very slow. */
#define RECORD_STOP_DELAY_USEC (10 * USEC_PER_SEC)

void record_forget_import(Record *record)
{
        free(record->imported.warning);
        record->imported = (RecordImport){0};
}

void record_done(Record *record)
{
        record_forget_import(record);
        kept_outcome_done(&record->attempt.outcome);
        kept_outcome_done(&record->removal.outcome);
        free(record->proof_fault);
        history_free(record->history);
        *record = RECORD_NULL;
}

/* `uuid` is that of the server that has the set. */
static void set_imported(Record *record, const SetInfo *set, uint64_t at_usec, const char *uuid)
{
        record_forget_import(record);
        record->imported = (RecordImport){
                .at_usec = at_usec,
                .not_before_usec = set->not_before_usec,
                .not_after_usec = set->not_after_usec,
        };
        text_set(record->imported.fingerprint, sizeof(record->imported.fingerprint),
                set->fingerprint);
        text_set(record->imported.server_uuid, sizeof(record->imported.server_uuid), uuid);
}

bool record_set_server(Record *record, const char *host, unsigned port)
{
        RecordWarning warned;
        History *history;

        if (strcmp(record->host, host) == 0 && record->port == port)
                return false;
        warned = record->warned;
        history = TAKE(record->history);
        record_done(record);
        record->port = port;
        record->warned = warned;
        record->history = history;
        text_set(record->host, sizeof(record->host), host);
        return true;
}

bool record_adopt_set(Record *record, const SetInfo *set)
{
        RecordImport *imported = &record->imported;
        char *const names[] = {imported->fingerprint, imported->former_fingerprint,
                record->attempt.fingerprint, record->warned.fingerprint, record->stop.fingerprint,
                record->proof.fingerprint, record->by_hand};
        bool changed = false;

        for (size_t i = 0; set->legacy_fingerprint[0] != '\0' && i < ARRAY_SIZE(names); i++)
                if (strcmp(names[i], set->legacy_fingerprint) == 0) {
                        text_set(names[i], REPORT_FINGERPRINT_MAX, set->fingerprint);
                        changed = true;
                }
        if (imported->not_before_usec == 0 && set->not_before_usec > 0 &&
                strcmp(imported->fingerprint, set->fingerprint) == 0) {
                imported->not_before_usec = set->not_before_usec;
                changed = true;
        }
        return changed;
}

bool record_update_from_ledger(Record *record, const Outcome *outcome)
{
        static const SetInfo none = {0};
        const LedgerEntry *entry = &outcome->ledger.newest;
        bool imported = entry->state == LEDGER_STATE_IMPORTED;
        const SetInfo *set = imported ? &entry->set : &none;

        if (!outcome->ledger.known || strcmp(record->imported.fingerprint, set->fingerprint) == 0)
                return false;
        set_imported(record, set, imported ? entry->imported_at_usec : 0,
                imported ? outcome->server.uuid : "");
        return true;
}

bool record_update_server(Record *record, const Outcome *outcome)
{
        RecordImport *imported = &record->imported;
        const char *uuid = outcome->server.uuid;

        if (imported->fingerprint[0] == '\0' || uuid[0] == '\0' ||
                strcmp(imported->server_uuid, uuid) == 0)
                return false;
        if (imported->server_uuid[0] != '\0' && !outcome->ledger.known)
                record_forget_import(record);
        else
                text_set(imported->server_uuid, sizeof(imported->server_uuid), uuid);
        return true;
}

bool record_proof_equal(const RecordProof *a, const RecordProof *b)
{
        return strcmp(a->fingerprint, b->fingerprint) == 0 && a->proven == b->proven &&
                a->failed == b->failed && a->since_usec == b->since_usec &&
                a->held_usec == b->held_usec && a->read_usec == b->read_usec;
}

bool record_proof_has_ended(const RecordProof *proof)
{
        return proof->proven || proof->failed;
}

void record_set_proof(Record *record, const RecordProof *proof, const char *fault)
{
        record->proof = *proof;
        text_keep(&record->proof_fault, proof->failed ? fault : "");
}

const char *record_proof_fault(const Record *record)
{
        if (!record->proof.failed)
                return "";
        return record->proof_fault ? record->proof_fault : "replication failed";
}

bool record_needs_restart(const Record *record, const char *fingerprint)
{
        return strcmp(record->imported.fingerprint, fingerprint) == 0 &&
                record->imported.restart_due;
}

bool record_is_stopped(const Record *record)
{
        return record->stop.at_usec > 0;
}

/* A wall clock that was set back makes the difference a large number. */
bool record_stop_may_follow(const RecordStop *stop, uint64_t now_usec)
{
        return stop->at_usec > 0 && !stop->completed &&
                now_usec - stop->at_usec < RECORD_STOP_DELAY_USEC;
}

bool record_update_stop(Record *record, const Outcome *outcome)
{
        const Replication *replication = &outcome->replication;
        bool runs = replication_is_active(replication) &&
                replication->halt != REPLICATION_HALT_PERSON &&
                !record_stop_may_follow(&record->stop, replication->checked_at_usec);
        bool started = outcome->effect.replication_started || outcome->effect.stop_over ||
                (replication->known && (!replication->configured || runs));

        if (!record_is_stopped(record) || !started)
                return false;
        record->stop = (RecordStop){0};
        return true;
}

/* Each import begins the proof of its set anew, unless that has ended. */
static void begin_proof(Record *record, const char *fingerprint)
{
        const RecordProof *proof = &record->proof;

        if (!record_proof_has_ended(proof) || strcmp(proof->fingerprint, fingerprint) != 0)
                record_set_proof(record, &(RecordProof){0}, "");
}

void record_keep_former(
        Record *record, const RecordImport *before, const Outcome *outcome, bool was_running)
{
        RecordImport *imported = &record->imported;
        const char *former = before->former_fingerprint, *uuid = outcome->server.uuid;

        if (!outcome->effect.committed && !outcome->effect.in_doubt)
                return;
        if (was_running && before->fingerprint[0] != '\0' &&
                strcmp(before->fingerprint, record->attempt.fingerprint) != 0)
                former = before->fingerprint;
        /* Another server had nothing before; a set is not its own predecessor. */
        if ((before->server_uuid[0] != '\0' && uuid[0] != '\0' &&
                    strcmp(before->server_uuid, uuid) != 0) ||
                strcmp(former, record->attempt.fingerprint) == 0)
                former = "";
        text_set(imported->former_fingerprint, sizeof(imported->former_fingerprint), former);
}

bool record_update_proof(Record *record, const Outcome *outcome)
{
        RecordImport *imported = &record->imported;

        if (imported->former_fingerprint[0] == '\0' || !imported->in_use ||
                !outcome->replication.known || !replication_is_running(&outcome->replication))
                return false;
        imported->former_fingerprint[0] = '\0';
        return true;
}

void record_apply_import(
        Record *record, const SetInfo *set, const Outcome *outcome, uint64_t now_usec)
{
        if (outcome->effect.newlines != NEWLINES_AUTO)
                record->newlines = outcome->effect.newlines;
        (void)record_update_server(record, outcome);
        (void)record_update_from_ledger(record, outcome);
        if (outcome->effect.committed) {
                set_imported(record, set, now_usec, outcome->server.uuid);
                begin_proof(record, set->fingerprint);
                text_keep(&record->imported.warning, outcome->warning);
        }
        /* The set imported before may have been replaced: if its files return, it is sent again. */
        if (outcome->effect.in_doubt && strcmp(record->imported.fingerprint, set->fingerprint) != 0)
                record_forget_import(record);
        if (outcome->effect.replication_restarted)
                record->imported.in_use = true;
        if (outcome->effect.restart_due)
                record->imported.restart_due = true;
        else if (outcome_is_success(outcome->kind))
                record->imported.restart_due = false;
        (void)record_update_stop(record, outcome);
}

void record_apply_attempt(
        Record *record, const char *fingerprint, const Outcome *outcome, uint64_t now_usec)
{
        RecordAttempt *attempt = &record->attempt;

        if (strcmp(attempt->fingerprint, fingerprint) != 0) {
                text_set(attempt->fingerprint, sizeof(attempt->fingerprint), fingerprint);
                attempt->failures = 0;
        }
        attempt->at_usec = now_usec;
        kept_outcome_set(&attempt->outcome, outcome);
        if (outcome_is_success(outcome->kind)) {
                record->last_success_usec = now_usec;
                attempt->failures = 0;
        } else
                attempt->failures++;
}

void record_apply(Record *record, const SetInfo *set, const Outcome *outcome, uint64_t now_usec)
{
        record_apply_import(record, set, outcome, now_usec);
        record_apply_attempt(record, set->fingerprint, outcome, now_usec);
}

bool record_is_final(const Record *record, const char *fingerprint)
{
        const RecordAttempt *attempt = &record->attempt;

        return attempt->outcome.known && !outcome_is_retried(attempt->outcome.kind) &&
                strcmp(attempt->fingerprint, fingerprint) == 0;
}

bool record_was_warned(const Record *record, const char *fingerprint, uint64_t within_usec)
{
        return strcmp(record->warned.fingerprint, fingerprint) == 0 &&
                record->warned.within_usec <= within_usec;
}

void record_set_warned(Record *record, const char *fingerprint, uint64_t within_usec)
{
        text_set(record->warned.fingerprint, sizeof(record->warned.fingerprint), fingerprint);
        record->warned.within_usec = within_usec;
}

void record_begin_removal(Record *record, uint64_t now_usec)
{
        kept_outcome_done(&record->removal.outcome);
        record->removal.at_usec = now_usec;
}

bool record_is_removing(const Record *record)
{
        return record->removal.at_usec > 0 && !record->removal.outcome.known;
}

void record_note_removal(Record *record, const Outcome *outcome)
{
        KeptOutcome *kept = &record->removal.outcome;

        kept_outcome_set(kept, outcome);
        if (outcome->kind == OUTCOME_REMOVED)
                text_keep(&kept->text, outcome->warning);
}

void record_apply_removal(Record *record, const Outcome *outcome)
{
        (void)record_update_stop(record, outcome);
        if (outcome->kind == OUTCOME_REMOVED) {
                Record kept = {.port = record->port,
                        .stop = record->stop,
                        .removal.at_usec = record->removal.at_usec};

                kept.history = TAKE(record->history);
                text_set(kept.host, sizeof(kept.host), record->host);
                record_done(record);
                *record = kept;
        } else if (outcome->effect.in_doubt)
                record_forget_import(record);
        record_note_removal(record, outcome);
}

void record_recover_removal(Record *record)
{
        Outcome outcome = {.kind = OUTCOME_UNKNOWN, .effect.in_doubt = true};

        if (!record_is_removing(record))
                return;
        text_set(outcome.text, sizeof(outcome.text), "the service ended before the removal did");
        record_apply_removal(record, &outcome);
}

void record_forget_removal(Record *record)
{
        if (!record->removal.outcome.known)
                return;
        kept_outcome_done(&record->removal.outcome);
        record->removal.at_usec = 0;
}

bool record_is_forgotten(const Record *record)
{
        const KeptOutcome *removal = &record->removal.outcome;

        return removal->known && removal->kind == OUTCOME_REMOVED &&
                record->imported.fingerprint[0] == '\0' && record->attempt.at_usec == 0 &&
                !record_is_stopped(record) && record->last_success_usec == 0 &&
                record->newlines == NEWLINES_AUTO && record->warned.fingerprint[0] == '\0';
}
