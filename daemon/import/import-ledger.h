#pragma once

/*
 * Import ledger: the steps of an import, and of a removal, that concern the ledger on the cluster
 * (daemon/mysql/ledger.h). Each is for a cluster that has one.
 *
 * Where a step returns false, the outcome is final.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/import/attempt.h"

/* Waits for the lock for half of the time that is left. */
bool import_ledger_lock(Attempt *attempt);

bool import_ledger_read(Attempt *attempt);

/* Reads the ledger and returns true if the set is to be imported. */
bool import_ledger_compare(Attempt *attempt);

/* Writes the row of an import that begins. */
bool import_ledger_begin(Attempt *attempt, uint64_t *ret_row);

/* Completes the row, unless there is none (0) or the result of the CALL is unknown. An error here
 * does not change the result of the import. */
void import_ledger_end(Attempt *attempt, uint64_t row);

/* Until a removal has a result, nobody may trust the row that names the set. */
bool import_ledger_begin_removal(Attempt *attempt);
void import_ledger_end_removal(Attempt *attempt);
