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

typedef struct Record {
        char imported_fingerprint[REPORT_FINGERPRINT_MAX];  /* "": nothing known, or in doubt */
        uint64_t imported_at_usec;                          /* wall clock, like all times here */
        uint64_t imported_not_after_usec;                   /* of the certificate imported */
        char attempted_fingerprint[REPORT_FINGERPRINT_MAX]; /* the set of the last attempt */
        unsigned attempts;          /* failures in a row with the attempted set */
        uint64_t last_attempt_usec; /* 0: never */
        uint64_t last_success_usec;
        bool has_outcome; /* the four below are those of the last attempt */
        OutcomeKind outcome;
        unsigned sql_errno;
        char text[OUTCOME_TEXT_MAX];
        char next[OUTCOME_NEXT_MAX];
        bool in_use;       /* replication was restarted after this import and ran */
        Newlines newlines; /* the form that worked; AUTO: not known */
        char warned_fingerprint[REPORT_FINGERPRINT_MAX]; /* the set whose expiry was told, */
        uint64_t warned_within_usec;                     /* and the threshold it had reached */
} Record;

#define RECORD_NULL ((Record){0})

/* Brings what the ledger on the cluster says into the record, if it was read. True: it names another
 * set than the one that was known to be imported. */
bool record_update_from_ledger(Record *record, const Outcome *outcome);

/* Brings what an attempt with the set `fingerprint` came to into the record. */
void record_apply(
        Record *record, const char *fingerprint, const Outcome *outcome, uint64_t now_usec);

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
