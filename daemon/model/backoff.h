#pragma once

/*
 * Back-off: the delay before something that failed is tried again.
 */

#include <stdint.h>

/*
 * Returns `min_usec` after the first failure, doubled by each further one up to `max_usec`; 0 when
 * `failures` is 0.
 *
 * Jitter shortens the delay by up to half, so that two hundred clusters that failed together do not
 * all retry together. It never extends the delay: a retry comes at least every `max_usec`.
 */
uint64_t backoff_usec(unsigned failures, uint64_t min_usec, uint64_t max_usec, uint32_t random);
