#pragma once

/*
 * Failure: the one way this build tool fails. Whatever goes wrong ends the program, and the line it
 * leaves behind names the fixture that was being made, because the call alone is made for all of
 * them.
 */

#define MUST(condition)                          \
        do {                                     \
                if (!(condition))                \
                        failure_die(#condition); \
        } while (0)

/* What is being made from now on; the string is not copied. */
void failure_set_scene(const char *scene);

_Noreturn void failure_die(const char *what);
