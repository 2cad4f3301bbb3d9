#pragma once

/*
 * Command: runs a program without a shell and takes what it prints as a secret.
 *
 * For short-lived children only: it blocks, and it forks a process that holds all of the caller's
 * memory until its execv(2). The program gets the environment as it is, /dev/null to read from, a
 * pipe of ours to print to, and our stderr, which is the journal's; no other descriptor, no ignored
 * signal, and as much memory as the hard limit allows.
 *
 * It never outlives us: it leads a process group that is killed as soon as the program ends, prints
 * too much or is late, and the kernel kills it when we die first (PR_SET_PDEATHSIG; what it has
 * started itself is then left to the service's control group). It is reaped in every case.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/secret.h"

#define COMMAND_OUTPUT_MAX (64 * 1024)

/* `words` as common/words.h makes them: the first is the program's absolute path. False: `reason`
 * names that path and says what happened, and nothing of the arguments or of what was printed. */
bool command_run(
        Secret *ret, char *reason, size_t reason_size, char *const *words, uint64_t timeout_usec);

/*
 * Words: takes a line apart, for a program that is to be started without a shell.
 *
 * Blanks (space and tab) separate words. What stands between two double quotes belongs to its word
 * as it is, blanks too; the quotes themselves do not, and "" alone is a word without a character.
 * Nothing else means anything: no backslash, apostrophe, dollar or semicolon. So a word cannot hold a
 * double quote.
 */

/* Cuts `line` in place; `ret` gets the words, which point into it, and a NULL behind them, so it has
 * room for `max` + 1. Returns how many there are. -EINVAL: a double quote without its second. -E2BIG:
 * more than `max`. */
int command_split(char **ret, size_t max, char *line);
