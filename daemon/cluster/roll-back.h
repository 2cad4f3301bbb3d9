#pragma once

/*
 * Roll back: a cluster gets the set back with which its replication ran, because the new one does
 * not connect to the source (doc/design.md, "Replication").
 *
 * The record says before the CALL that the new set was taken back: if the daemon is killed in it, a
 * later start neither takes the cluster to have one of the sets nor tries the new one again.
 */

#include "daemon/model/outcome.h"
#include "daemon/model/record.h"
#include "daemon/model/replication.h"
#include "daemon/model/report.h"

#define ROLL_BACK_ERROR_MAX 128

typedef struct RollBack {
        RecordImport taken_back; /* the new set, as the record had it */
        RecordAttempt before;    /* as the record had it */
        SetInfo former;          /* the set that the cluster gets back */
        unsigned io_errno;
        char error[ROLL_BACK_ERROR_MAX]; /* of the I/O thread, with the new set */
} RollBack;

#define ROLL_BACK_NULL ((RollBack){0})
void roll_back_done(RollBack *roll_back);

/* Before the import of `former`: the record names no imported set, and the new one as rolled back.
 * `replication` is the state with the new set, `now_usec` the wall clock. */
void roll_back_begin(RollBack *ret, Record *record, const SetInfo *former,
        const Replication *replication, uint64_t now_usec);

/* Instead of that import: the record is as it was. */
void roll_back_cancel(RollBack *roll_back, Record *record);

/* After it. `outcome` is that of the import of the former set, and becomes that of the new set:
 * OUTCOME_ROLLED_BACK with both reasons, whether or not the former set was imported. */
void roll_back_end(RollBack *roll_back, Record *record, Outcome *outcome, uint64_t now_usec);
