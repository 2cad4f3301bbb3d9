#pragma once

/*
 * Record: what is remembered of a cluster across restarts (design 9), and its JSON form.
 *
 * It decides whether a key is sent again, so it says only what a server acknowledged. No key, no
 * password, no payload and no hash of a key ever stands in it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/model/outcome.h"
#include "daemon/model/report.h"

/* The set that the server acknowledged. All times here are wall clock. */
typedef struct RecordImport {
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* "": nothing known, or in doubt */
        uint64_t at_usec;
        uint64_t not_after_usec; /* of its certificate */
        bool in_use;             /* replication was restarted after this import and ran */
} RecordImport;

/* The last attempt. */
typedef struct RecordAttempt {
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* the set it was made with */
        uint64_t at_usec;                         /* 0: never */
        unsigned failures;                        /* in a row with this set */
        bool has_outcome;                         /* false: the rest has no meaning */
        OutcomeKind outcome;
        unsigned sql_errno;
        char text[OUTCOME_TEXT_MAX];
        char next_step[OUTCOME_NEXT_STEP_MAX];
} RecordAttempt;

/* The last expiry warning that was logged. */
typedef struct RecordWarning {
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* the set that expires; "": none */
        uint64_t within_usec;                     /* the threshold that it had reached */
} RecordWarning;

typedef struct Record {
        RecordImport imported;
        RecordAttempt attempt;
        uint64_t last_success_usec;
        Newlines newlines; /* the form that worked; NEWLINES_AUTO: not known */
        RecordWarning warned;
} Record;

#define RECORD_NULL ((Record){0})

/* Brings what the ledger on the cluster says into the record, if it was read. True: it names another
 * set than the one that was known to be imported. */
bool record_update_from_ledger(Record *record, const Outcome *outcome);

/* Brings what an attempt with `set` came to into the record. */
void record_apply(Record *record, const SetInfo *set, const Outcome *outcome, uint64_t now_usec);

/* A heap string that ends with a newline. */
int record_format(char **ret, size_t *ret_size, const Record *record);

/* -EBADMSG: not a record; `ret` is untouched. Members of unknown names are left to later
 * versions; a member of a wrong type or value is not a record. */
int record_parse(Record *ret, const char *text, size_t size);

/*
 * State: one record file per cluster, $STATE_DIRECTORY/<cluster>.json, replaced durably.
 */

/* 0; -ENOENT: there is none yet; -EBADMSG: unreadable, which means "nothing known" and is for the
 * caller to say; else what reading said. `ret` is RECORD_NULL unless 0. */
int record_load(Record *ret, const char *cluster);

int record_save(const char *cluster, const Record *record);
