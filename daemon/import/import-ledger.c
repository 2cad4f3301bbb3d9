#include "daemon/import/import-ledger.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/mysql/sql-error.h"

/* An error of the table, which is then the outcome. */
static bool fail(Attempt *attempt, SessionResult result, const SessionError *error)
{
        const char *table = attempt->task->cluster->ledger;
        Outcome *ret = attempt->outcome;
        char context[CONFIG_VALUE_MAX + sizeof("ledger ")];

        snprintf(context, sizeof(context), "ledger %s", table);
        if (!sql_error_fail(ret, result, error, context))
                return false;
        if (sql_error_advise_table(ret, attempt->session, table))
                ret->kind = OUTCOME_NO_PRIVILEGE;
        return true;
}

bool import_ledger_read(Attempt *attempt)
{
        SessionError error = {0};
        SessionResult result = ledger_read(&attempt->ledger, &attempt->outcome->ledger,
                attempt->session, attempt->task->cluster->ledger, &error);

        ledger_adopt_set(&attempt->ledger, &attempt->outcome->ledger, &attempt->task->set);
        return !fail(attempt, result, &error);
}

bool import_ledger_lock(Attempt *attempt)
{
        unsigned wait_sec = (unsigned)(clock_left_usec(attempt->deadline_usec) / USEC_PER_SEC / 2);
        Outcome *ret = attempt->outcome;
        SessionError error = {0};
        bool locked;
        SessionResult result = ledger_lock(&locked, attempt->session, wait_sec, &error);

        if (fail(attempt, result, &error))
                return false;
        if (locked)
                return true;
        ret->kind = OUTCOME_TIMED_OUT;
        text_set(ret->text, sizeof(ret->text),
                "another daemon holds the lock of this cluster: its import still runs, or hangs");
        return false;
}

bool import_ledger_compare(Attempt *attempt)
{
        const ImportTask *task = attempt->task;
        Ledger *ledger = &attempt->ledger;
        Outcome *ret = attempt->outcome;
        LedgerComparison comparison;
        char time[CLOCK_TEXT_SIZE];

        if (!import_ledger_read(attempt))
                return false;
        comparison = task->forced ? LEDGER_IMPORT : ledger_compare(ledger, &task->set);
        if (comparison == LEDGER_CURRENT) {
                ret->kind = OUTCOME_ALREADY_CURRENT;
                return false;
        }
        if (comparison == LEDGER_SUPERSEDED) {
                ret->kind = OUTCOME_SUPERSEDED;
                text_format(ret->text, sizeof(ret->text),
                        "%s has brought a newer set here (%.12s, %s); the one on this "
                        "disk is older",
                        ret->ledger.newest.daemon, ret->ledger.newest.set.fingerprint,
                        ret->ledger.newest.imported_at_usec > 0
                                ? clock_format_time(time, ret->ledger.newest.imported_at_usec)
                                : "not completed");
                return false;
        }
        return true;
}

bool import_ledger_begin(Attempt *attempt, uint64_t *ret_row)
{
        const ImportTask *task = attempt->task;
        SessionError error = {0};
        SessionResult result = ledger_begin(ret_row, attempt->session, task->cluster->ledger,
                &attempt->ledger, &task->set, &error);

        return !fail(attempt, result, &error);
}

void import_ledger_end(Attempt *attempt, uint64_t row)
{
        const char *table = attempt->task->cluster->ledger;
        Outcome *ret = attempt->outcome;
        char text[OUTCOME_TEXT_MAX];
        SessionError error = {0};

        if (row == 0 || (!ret->effect.committed && ret->kind == OUTCOME_UNKNOWN))
                return;
        if (ledger_finish(attempt->session, table, row, ret->effect.committed, &error) !=
                        SESSION_OK &&
                ret->effect.committed) {
                text_format(text, sizeof(text),
                        "ledger %s could not be completed, so the set is imported again: %s", table,
                        error.text);
                outcome_add_warning(ret, text);
        }
}

bool import_ledger_begin_removal(Attempt *attempt)
{
        const LedgerEntry *newest = &attempt->outcome->ledger.newest;
        SessionError error = {0};
        SessionResult result;

        if (newest->state != LEDGER_STATE_IMPORTED)
                return true;
        result = ledger_set_state(attempt->session, attempt->task->cluster->ledger, newest,
                LEDGER_STATE_IMPORTING, &error);
        return !fail(attempt, result, &error);
}

void import_ledger_end_removal(Attempt *attempt)
{
        const char *table = attempt->task->cluster->ledger;
        Outcome *ret = attempt->outcome;
        const LedgerEntry *newest = &ret->ledger.newest;
        char text[OUTCOME_TEXT_MAX];
        SessionError error = {0};

        if (ret->kind == OUTCOME_REMOVED) {
                if (ledger_remove(attempt->session, table, &error) == SESSION_OK)
                        return;
                text_format(text, sizeof(text),
                        "ledger %s could not be completed: its newest row stays one with an "
                        "unknown result: %s",
                        table, error.text);
                outcome_add_warning(ret, text);
        } else if (ret->kind != OUTCOME_UNKNOWN && newest->state == LEDGER_STATE_IMPORTED)
                /* An error leaves the row in doubt, which costs one more import. */
                (void)ledger_set_state(
                        attempt->session, table, newest, LEDGER_STATE_IMPORTED, &error);
}
