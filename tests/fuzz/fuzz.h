#pragma once

/*
 * Fuzz: one function for each input that strangers make. libFuzzer calls it with what it thinks
 * of (meson -Dfuzz=true), replay.c with every file of tests/fuzz/corpus, which holds seeds and
 * all that ever went wrong.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input; not assert(), which some builds leave out. */
#define MUST(condition)                                                                 \
        do {                                                                            \
                if (!(condition)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                        \
                }                                                                       \
        } while (0)
