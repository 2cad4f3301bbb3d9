#pragma once

/*
 * History: the last attempts of one cluster, for the person who asks what was tried when, and with
 * which result.
 *
 * At most HISTORY_MAX entries, and fewer if their texts are long. What fails again in the same way
 * since the last success is one entry with a count, and of periodic checks only another result is
 * one, so that neither a night of retries nor the checks push out what happened before. The last
 * success is never pushed out.
 *
 * A history owns its texts, which are there for failures only. A cluster without an attempt has
 * none (NULL), and without memory an entry is missing. Nothing is decided by a history but whether
 * the journal has a failure once more.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/json-writer.h"
#include "common/macro.h"
#include "daemon/model/outcome.h"
#include "daemon/model/report.h"

#define HISTORY_MAX      16
#define HISTORY_TEXT_MAX 320  /* bytes of a text, with NUL */
#define HISTORY_SIZE_MAX 1024 /* bytes of all entries, of which a success has 48 */

typedef enum HistoryAction {
        HISTORY_IMPORT,
        HISTORY_RESTART,  /* of replication, after an import */
        HISTORY_START,    /* of replication, which an import has stopped */
        HISTORY_ROLLBACK, /* an import of the set before */
        HISTORY_REMOVE,
        HISTORY_CHECK,
        _HISTORY_ACTION_MAX,
} HistoryAction;

const char *history_action_to_string(HistoryAction action);
int history_action_from_string(HistoryAction *ret, const char *name); /* -EINVAL */

/* What led to the attempt. */
typedef enum HistoryTrigger {
        HISTORY_TRIGGER_NONE, /* of a check; or not known */
        HISTORY_ROTATION,     /* the set on disk is new to the cluster */
        HISTORY_COMMAND,      /* of an operator */
        HISTORY_RETRY,        /* the attempt before has failed, or is not complete */
        HISTORY_FINDING,      /* of a check: replication fails, or the set is not there */
        HISTORY_AFTER_IMPORT, /* replication fails after it */
        _HISTORY_TRIGGER_MAX,
} HistoryTrigger;

const char *history_trigger_to_string(HistoryTrigger trigger);          /* "": none */
int history_trigger_from_string(HistoryTrigger *ret, const char *name); /* -EINVAL */

/* All times are wall clock. */
typedef struct HistoryEntry {
        HistoryAction action;
        HistoryTrigger trigger;                   /* of the first of them */
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* the set that it was about; "": none */
        OutcomeKind outcome;
        unsigned sql_errno;     /* 0: none */
        const char *text;       /* "" for a success; lent until the history changes */
        uint64_t at_usec;       /* of its end, the last one */
        uint64_t first_usec;    /* of the end of the first one */
        unsigned count;         /* of equal ones */
        uint64_t duration_usec; /* of the last one, rounded to ms */
} HistoryEntry;

typedef struct History History;

/* Makes a history of entries as they are, the newest first, as far as there is room. Returns NULL
 * for none, and without memory. */
History *history_new(const HistoryEntry *entries, unsigned n);
History *history_free(History *history);
DEFINE_CLEANUP(History *, history_free);

/* Adds an attempt that has ended now, whose `first_usec` and `count` have no meaning. It is the
 * same as another one since the last success if both differ at most in trigger, times, and numbers
 * within the text: servers count their own attempts there. */
void history_add(History **history, const HistoryEntry *entry);

/* The same for a check, if its result is another one than that of the check before. One that has
 * passed is so only after one that has not. Returns true if the history has changed. */
bool history_add_check(History **history, const HistoryEntry *entry);

/* NULL has none. */
unsigned history_size(const History *history);

/* Reads the newest entries, at most `limit`, the newest first. Returns how many. */
unsigned history_read(HistoryEntry *ret, unsigned limit, const History *history);

/* Writes the object of the record and of the socket. */
void history_write_entry(JsonWriter *writer, const HistoryEntry *entry);
