#pragma once

/*
 * The delay before the next attempt: doubles from `min_usec` to `max_usec`, then keeps to it.
 *
 * Jitter takes up to half of the delay away, so that two hundred clusters that failed together do
 * not come back together, and so that the promise "at least every max_usec" holds. Pure: the
 * randomness is an argument.
 */

#include <stdint.h>

/* `attempts` counts the failures so far, 1 after the first one; 0 is no delay at all. */
uint64_t backoff_delay_usec(
        unsigned attempts, uint64_t min_usec, uint64_t max_usec, uint32_t random);
