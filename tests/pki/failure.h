#pragma once

/*
 * Failure: ends the build tool with one line of error.
 *
 * The line names the fixture as well as the failed call, because every fixture makes the same
 * calls.
 */

#define MUST(condition)                          \
        do {                                     \
                if (!(condition))                \
                        failure_die(#condition); \
        } while (0)

/* Names the fixture for the error line; the string is not copied. */
void failure_set_fixture(const char *name);

_Noreturn void failure_die(const char *what);
