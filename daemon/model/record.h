#pragma once

/*
 * Record: the state of a cluster that survives a restart (doc/design.md, "Records"). Its file is
 * that of daemon/record/record-file.h.
 *
 * The record decides whether a key is sent again, so it contains only what a server acknowledged.
 * It contains no key, no password, no payload and no hash of a key.
 *
 * A record owns its texts, which are there for bad news only. Without memory a text is missing, and
 * everything that decides is not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/model/history.h"
#include "daemon/model/outcome.h"
#include "daemon/model/report.h"

/* The set that the server acknowledged. All times here are wall clock. */
typedef struct RecordImport {
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* "": unknown, or in doubt */
        uint64_t at_usec;
        uint64_t not_before_usec; /* of its certificate; 0: an older record does not say */
        uint64_t not_after_usec;
        bool in_use;      /* replication was restarted after this import and ran */
        bool restart_due; /* replication is to be restarted after this import, and has not run yet */
        /* The set before it, with which replication ran, until this one is proven; "": none. */
        char former_fingerprint[REPORT_FINGERPRINT_MAX];
        char server_uuid[SERVER_UUID_MAX]; /* of the server that has it; "": not reported */
        char *warning; /* the import went on in spite of this; NULL: nothing; see text_keep() */
} RecordImport;

/* The last attempt. */
typedef struct RecordAttempt {
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* the set of the attempt */
        uint64_t at_usec;                         /* 0: never */
        unsigned failures;                        /* in a row with this set */
        KeptOutcome outcome;
} RecordAttempt;

/* The last expiry warning that was logged. */
typedef struct RecordWarning {
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* the set that expires; "": none */
        uint64_t within_usec;                     /* the threshold that was reached */
} RecordWarning;

/* The proof of a set by the canary of a wave (daemon/cluster/wave.h). */
typedef struct RecordProof {
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* the set, which is imported; "": none */
        bool proven;
        bool failed;         /* a fault has ended the proof: Record.proof_fault */
        uint64_t since_usec; /* of the first good reading of replication; 0: none yet */
        uint64_t held_usec;  /* from that one to the last */
        uint64_t read_usec;  /* boot time of the last reading; the boot can be another */
} RecordProof;

/* The last removal of the client material, by a command. */
typedef struct RecordRemoval {
        uint64_t at_usec;    /* of the request; 0: none since the cluster was enabled */
        KeptOutcome outcome; /* not known: it has not ended; the text of a success is its warning */
} RecordRemoval;

typedef struct Record {
        char host[CONFIG_HOST_MAX]; /* the server that everything here is about, as configured */
        unsigned port;
        RecordImport imported;
        RecordAttempt attempt;
        RecordStop stop;
        uint64_t healed_at_usec; /* replication failed with TLS, and the set was imported again */
        RecordRemoval removal;
        uint64_t last_success_usec;
        uint64_t out_of_sync_since_usec; /* a valid set is not the imported one; 0: it is */
        Newlines newlines;               /* the form that worked; NEWLINES_AUTO: not known */
        RecordWarning warned;
        RecordProof proof;
        char *proof_fault;                    /* see record_proof_fault() */
        char by_hand[REPORT_FINGERPRINT_MAX]; /* the set that an operator has let in; "": none */
        History *history;                     /* of the cluster; NULL: no attempt yet */
} Record;

#define RECORD_NULL ((Record){0})
void record_done(Record *record);

/* Makes the record one of this server. Returns true if it was one of another, or of none: only the
 * expiry warning and the history are kept then. */
bool record_set_server(Record *record, const char *host, unsigned port);

/* Names the set on disk by its fingerprint where a record of an older version has the legacy one,
 * and takes over when its validity began. Returns true if the record has changed. */
bool record_adopt_set(Record *record, const SetInfo *set);

/* Copies the newest row of the ledger into the record, if the ledger was read. Returns true if the
 * row is another set than the imported one of the record. */
bool record_update_from_ledger(Record *record, const Outcome *outcome);

/* Compares the identity of the server that has answered. Another one than that of the import:
 * the set is not known to be imported, unless the ledger says which one is. Returns true if the
 * record has changed; then `imported` has no fingerprint, or it has this server. */
bool record_update_server(Record *record, const Outcome *outcome);

bool record_proof_equal(const RecordProof *a, const RecordProof *b);
bool record_proof_has_ended(const RecordProof *proof);

/* `fault`: of a proof that has failed. */
void record_set_proof(Record *record, const RecordProof *proof, const char *fault);

/* Returns what has ended the proof, also if there was no memory to keep it; "": nothing. */
const char *record_proof_fault(const Record *record);

/* No set is known to be imported. */
void record_forget_import(Record *record);

/* Returns true if the set is imported, and replication is not restarted since. */
bool record_needs_restart(const Record *record, const char *fingerprint);

bool record_is_stopped(const Record *record);

/* Returns true if active threads do not show yet that the stop is over: AWS's procedure sleeps
 * before it stops them, and goes on without an importer that has died. `now_usec` is wall time. */
bool record_stop_may_follow(const RecordStop *stop, uint64_t now_usec);

/* Clears the stop if the outcome shows that replication was not stopped or was started, is active
 * with both threads while no stop may follow, or is no longer configured. A thread alone may be
 * active because the stop has not ended. Returns true if it was cleared. */
bool record_update_stop(Record *record, const Outcome *outcome);

/* Returns true if no time, reload or start of the daemon lets this set be tried again, but only a
 * command of an operator. */
bool record_is_final(const Record *record, const char *fingerprint);

/* Returns true if the expiry of this set within this time, or less, was recorded as told. */
bool record_was_warned(const Record *record, const char *fingerprint, uint64_t within_usec);
void record_set_warned(Record *record, const char *fingerprint, uint64_t within_usec);

/* After an import: keeps the set of `before` as the former one of the new set if replication ran
 * with it, else the former one of that. */
void record_keep_former(
        Record *record, const RecordImport *before, const Outcome *outcome, bool was_running);

/* Forgets the former set when a check finds that replication, which was restarted with the imported
 * one, still runs. Returns true if it was forgotten. */
bool record_update_proof(Record *record, const Outcome *outcome);

/* The two halves of record_apply(): what the server has, and what became of the set of the
 * attempt. */
void record_apply_import(
        Record *record, const SetInfo *set, const Outcome *outcome, uint64_t now_usec);
void record_apply_attempt(
        Record *record, const char *fingerprint, const Outcome *outcome, uint64_t now_usec);

/* Updates the record with the outcome of an attempt that was made with `set`. */
void record_apply(Record *record, const SetInfo *set, const Outcome *outcome, uint64_t now_usec);

/* A removal was requested. It has to be on disk before the CALL. */
void record_begin_removal(Record *record, uint64_t now_usec);
bool record_is_removing(const Record *record);

/* Updates the record with the outcome of a removal. After a success nothing is known of the cluster
 * but a recorded stop of replication, which stays until replication runs, and the history, for
 * which alone there is no file; if the material may be removed, no set is known to be imported. */
void record_apply_removal(Record *record, const Outcome *outcome);

/* The same for one that no longer concerns the server of the record: only its outcome is kept. */
void record_note_removal(Record *record, const Outcome *outcome);

/* At a start: a removal without an outcome was ended with its daemon, so it is in doubt. */
void record_recover_removal(Record *record);

/* The cluster is enabled: a removal that has ended is history. */
void record_forget_removal(Record *record);

/* Returns true after a removal that succeeded, while nothing else must survive a restart. */
bool record_is_forgotten(const Record *record);
