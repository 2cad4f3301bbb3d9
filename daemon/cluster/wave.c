#include "daemon/cluster/wave.h"

#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/text.h"

/* The canary is checked eight times in its hold, within these limits. */
#define WAVE_CHECK_MIN_USEC (1 * USEC_PER_SEC)
#define WAVE_CHECK_MAX_USEC (15 * USEC_PER_SEC)

typedef enum Verdict {
        VERDICT_GOOD,
        VERDICT_UNCLEAR, /* a thread connects, and has no error yet */
        VERDICT_FAULT,
} Verdict;

static Verdict judge_thread(char *why, size_t size, const char *name, const char *running,
        unsigned number, const char *error)
{
        if (strcasecmp(running, "yes") == 0)
                return VERDICT_GOOD;
        if (number != 0) {
                text_format(why, size, "replication %s thread %s (error %u): %s", name, running,
                        number, error);
                return VERDICT_FAULT;
        }
        if (strcasecmp(running, "no") == 0) {
                text_format(why, size, "the %s thread of replication is stopped", name);
                return VERDICT_FAULT;
        }
        text_format(why, size, "the %s thread of replication is %s", name,
                running[0] != '\0' ? running : "not reported");
        return VERDICT_UNCLEAR;
}

/* `why` is untouched for a good one. */
static Verdict judge(char *why, size_t size, const Replication *replication)
{
        Verdict io, sql;

        if (!replication->configured) {
                text_set(why, size, "replication is not configured");
                return VERDICT_FAULT;
        }
        if (!replication_is_active(replication) && replication->io_errno == 0 &&
                replication->sql_errno == 0) {
                text_set(why, size, "replication is stopped");
                return VERDICT_FAULT;
        }
        io = judge_thread(why, size, "I/O", replication->io_running, replication->io_errno,
                replication->io_error);
        if (io == VERDICT_FAULT)
                return io;
        sql = judge_thread(why, size, "SQL", replication->sql_running, replication->sql_errno,
                replication->sql_error);
        if (sql == VERDICT_GOOD && io == VERDICT_GOOD && replication->tls == TRISTATE_NO) {
                text_set(why, size, "replication runs without TLS");
                return VERDICT_FAULT;
        }
        return sql > io ? sql : io;
}

static bool same_set(const char *a, const char *b)
{
        return a[0] != '\0' && strcmp(a, b) == 0;
}

static void read_replication(RecordProof *proof, char fault[static OUTCOME_TEXT_MAX],
        const ClusterStatus *canary, uint64_t hold_usec)
{
        uint64_t gap =
                canary->read_usec > proof->read_usec ? canary->read_usec - proof->read_usec : 0;
        Verdict verdict = judge(fault, OUTCOME_TEXT_MAX, canary->replication);

        proof->read_usec = canary->read_usec;
        proof->failed = verdict == VERDICT_FAULT && proof->since_usec > 0;
        if (verdict != VERDICT_GOOD)
                return;
        if (proof->since_usec > 0)
                proof->held_usec += gap;
        else
                proof->since_usec = canary->replication->checked_at_usec;
        proof->proven = proof->held_usec >= hold_usec;
}

RecordProof wave_prove(char fault[static OUTCOME_TEXT_MAX], const WaveInput *input)
{
        const ClusterStatus *canary = input->canary;
        const Record *record = canary->record;
        const char *imported = record->imported.fingerprint;
        bool on_disk = same_set(input->fingerprint, imported) && !input->proven;
        RecordProof proof = record->proof;

        text_set(fault, OUTCOME_TEXT_MAX, record_proof_fault(record));
        if (imported[0] == '\0' || record_needs_restart(record, imported))
                return proof;
        if (!on_disk && (!same_set(imported, proof.fingerprint) || proof.since_usec == 0))
                return proof;
        if (!same_set(imported, proof.fingerprint)) {
                proof = (RecordProof){0};
                text_set(proof.fingerprint, sizeof(proof.fingerprint), imported);
        }
        if (record_proof_has_ended(&proof))
                return proof;
        if (canary->config->replication == REPLICATION_IGNORE)
                proof.proven = true;
        else if (canary->replication->known && !canary->replication->stopped_by_us &&
                canary->read_usec > 0 && canary->read_usec != proof.read_usec)
                read_replication(&proof, fault, canary, input->hold_usec);
        return proof;
}

/* The canary's own check, or its import, tells why nothing is proven at the moment. */
static void set_hold_reason(WaveStatus *wave, const ClusterStatus *canary)
{
        if (record_is_stopped(canary->record))
                text_set(wave->reason, sizeof(wave->reason),
                        "replication was stopped for an import and is not started again yet");
        else if (canary->check.failure.known)
                text_format(wave->reason, sizeof(wave->reason), "the check failed: %s",
                        kept_outcome_reason(&canary->check.failure));
        else if (canary->read_usec > 0 && canary->replication->known)
                (void)judge(wave->reason, sizeof(wave->reason), canary->replication);
}

static void set_hold(WaveStatus *wave, const ClusterStatus *canary)
{
        const RecordProof *proof = &canary->record->proof;
        uint64_t left = wave->hold_usec > proof->held_usec ? wave->hold_usec - proof->held_usec : 0;
        uint64_t delay = wave->hold_usec / 8;

        wave->since_at_usec = proof->since_usec;
        wave->held_usec = proof->held_usec;
        if (proof->since_usec > 0 && canary->read_usec > 0)
                wave->until_usec = canary->read_usec + left;
        if (delay > WAVE_CHECK_MAX_USEC)
                delay = WAVE_CHECK_MAX_USEC;
        if (proof->since_usec > 0 && left < delay)
                delay = left;
        wave->check_delay_usec = delay > WAVE_CHECK_MIN_USEC ? delay : WAVE_CHECK_MIN_USEC;
}

static void evaluate_proof(WaveStatus *wave, const ClusterStatus *canary)
{
        const RecordProof *proof = &canary->record->proof;

        if (proof->failed) {
                wave->state = WAVE_STOPPED;
                wave->since_at_usec = proof->since_usec;
                text_set(wave->reason, sizeof(wave->reason), record_proof_fault(canary->record));
                return;
        }
        wave->state = WAVE_HOLDING;
        set_hold(wave, canary);
        set_hold_reason(wave, canary);
}

/* Returns true if the hold of the set before runs, and can be seen to end. */
static bool is_proving(const ClusterStatus *canary)
{
        const Record *record = canary->record;

        return same_set(record->imported.fingerprint, record->proof.fingerprint) &&
                record->proof.since_usec > 0 && !record_proof_has_ended(&record->proof) &&
                !record_is_stopped(record) && !canary->check.failure.known &&
                !record_needs_restart(record, record->imported.fingerprint);
}

static void evaluate_import(WaveStatus *wave, const ClusterStatus *canary, const char *fingerprint)
{
        const Record *record = canary->record;
        const RecordAttempt *attempt = &record->attempt;
        bool failed = same_set(fingerprint, attempt->fingerprint) &&
                kept_outcome_failed(&attempt->outcome);

        wave->state = WAVE_IMPORTING;
        if (!failed && !same_set(fingerprint, record->by_hand) && is_proving(canary)) {
                wave->queued = true;
                text_format(wave->reason, sizeof(wave->reason), "set %.12s is still being proven",
                        record->imported.fingerprint);
                set_hold(wave, canary);
        }
        if (!failed)
                return;
        text_format(wave->reason, sizeof(wave->reason), "%s%s%s",
                outcome_kind_to_string(attempt->outcome.kind), attempt->outcome.text ? ": " : "",
                text_kept(attempt->outcome.text));
        if (!outcome_is_transient(attempt->outcome.kind, attempt->outcome.sql_errno))
                wave->state = WAVE_STOPPED;
}

bool wave_is_proven_by(const ClusterStatus *cluster, const char *fingerprint)
{
        const RecordProof *proof = &cluster->record->proof;

        return proof->proven && same_set(fingerprint, proof->fingerprint);
}

bool wave_includes(const ClusterStatus *cluster, const char *fingerprint)
{
        const Record *record = cluster->record;

        return cluster->config->enabled && fingerprint[0] != '\0' &&
                strcmp(fingerprint, record->imported.fingerprint) != 0 &&
                strcmp(fingerprint, record->by_hand) != 0;
}

static bool keeps_waiting(const WaveStatus *wave)
{
        return wave->state == WAVE_IMPORTING || wave->state == WAVE_HOLDING ||
                wave->state == WAVE_STOPPED;
}

void wave_evaluate(WaveStatus *ret, const WaveInput *input)
{
        const ClusterStatus *canary = input->canary;

        *ret = (WaveStatus){.hold_usec = input->hold_usec};
        if (!canary || input->fingerprint[0] == '\0')
                return;
        text_set(ret->canary, sizeof(ret->canary), canary->config->name);
        if (input->proven || wave_is_proven_by(canary, input->fingerprint))
                ret->state = WAVE_OPEN;
        else if (same_set(input->fingerprint, canary->record->imported.fingerprint) &&
                !record_needs_restart(canary->record, input->fingerprint))
                evaluate_proof(ret, canary);
        else
                evaluate_import(ret, canary, input->fingerprint);
        if (keeps_waiting(ret))
                ret->n_waiting = input->n_included -
                        (wave_includes(canary, input->fingerprint) && !ret->queued);
}

bool wave_is_alone(const WaveStatus *wave, const ClusterStatus *cluster)
{
        return wave && keeps_waiting(wave) && strcmp(wave->canary, cluster->config->name) == 0;
}

bool wave_holds_back(const WaveStatus *wave, const ClusterStatus *cluster, const char *fingerprint)
{
        return wave && keeps_waiting(wave) && wave_includes(cluster, fingerprint) &&
                (!wave_is_alone(wave, cluster) || wave->queued);
}
