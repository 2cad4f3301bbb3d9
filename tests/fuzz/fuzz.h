#pragma once

/*
 * Fuzz: a harness for each untrusted input. libFuzzer calls the function with generated inputs
 * (meson -Dfuzz=true), replay.c with each file of tests/fuzz/corpus, which contains seeds and every
 * input that ever failed.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A condition for every input; not assert(), which some builds disable. */
#define MUST(condition)                                                                 \
        do {                                                                            \
                if (!(condition)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                        \
                }                                                                       \
        } while (0)
