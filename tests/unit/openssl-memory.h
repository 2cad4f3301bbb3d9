#pragma once

/*
 * OpenSSL memory: lets one allocation of OpenSSL fail (CRYPTO_set_mem_functions(3)).
 */

#include <stdbool.h>

/* Before the first use of OpenSSL. Returns false if it was used. */
bool openssl_memory_install(void);

/* From now on the allocation of that number fails, counted from 1; 0: none. */
void openssl_memory_fail(unsigned number);

/* Returns true if there was an allocation of that number since openssl_memory_fail(). */
bool openssl_memory_reached(unsigned number);
