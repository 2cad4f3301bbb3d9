#pragma once

/*
 * Dispatch: starts the imports and checks that are due, as many at a time as parallel-imports allows.
 *
 * An import does not wait for checks, which may hang where the network does; a check waits for both.
 *
 * When they are scarce the clusters have their turns in a circle, so that those at the end of a
 * long list wait no longer than those at its beginning. Forks take their time, so only a few are made
 * before the loop turns again: whoever asks for the status meanwhile is answered.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/manager/inventory.h"

/* Returns the boot time at which the next attempt is due, `now_usec` when some that could start have
 * not yet, USEC_NEVER without any. What waits for its turn is not due later: the end of a running
 * import is the time for it. `turn` is the index of the cluster that comes first, and is moved on. */
uint64_t scheduler_start_due(Inventory *inventory, size_t *turn, uint64_t now_usec);

/* Every material was judged for good and every cluster had its attempt; `ret_current` tells whether
 * all that are enabled are current. */
bool scheduler_is_idle(const Inventory *inventory, bool *ret_current);
