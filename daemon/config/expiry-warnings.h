#pragma once

/*
 * Expiry warnings: when those of a material, or of a server, begin for one certificate. Pure.
 *
 * A warning that is longer than a third of the certificate's validity begins with the last third of
 * it: a certificate of a day is renewed every day, and would otherwise expire soon from its first
 * second on.
 */

#include <stdint.h>

#include "daemon/config/config.h"

typedef struct ExpiryWarning {
        uint64_t within_usec; /* the shortest one that has begun; 0: none */
        uint64_t next_usec;   /* wall clock: when the next one begins; 0: none does */
} ExpiryWarning;

/* Returns how long before the end a warning begins that is configured with this length. */
uint64_t expiry_warning_length_usec(
        uint64_t configured_usec, uint64_t not_before_usec, uint64_t not_after_usec);

/* Times of the wall clock; `not_before_usec` is 0 when it is not known. */
ExpiryWarning expiry_warnings_evaluate(const MaterialConfig *config, uint64_t not_before_usec,
        uint64_t not_after_usec, uint64_t now_usec);

/* Returns when the first one begins. */
uint64_t expiry_warnings_begin_usec(
        const MaterialConfig *config, uint64_t not_before_usec, uint64_t not_after_usec);
