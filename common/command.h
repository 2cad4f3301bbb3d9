#pragma once

/*
 * Command: splits a command line into words and runs a program without a shell.
 *
 * Only for short-lived children: command_run() blocks, and forks a process that holds all of the
 * caller's memory until its execv(2). The program gets the caller's environment and stderr (the
 * journal), /dev/null as stdin and a pipe as stdout; no other descriptor, no ignored signal, and as
 * much memory as the hard limit allows. Its output is returned as a Secret.
 *
 * The program does not outlive the caller. It leads a process group that is killed as soon as the
 * program ends, prints too much or exceeds the time limit, and it is reaped in every case. When the
 * caller dies first, the kernel kills the program (PR_SET_PDEATHSIG, prctl(2)); processes that the
 * program started are then left to the service's control group.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/secret.h"

#define COMMAND_OUTPUT_MAX (64 * 1024)

/* Splits `line` in place at blanks (space and tab). `ret` has room for `max` + 1 pointers; it
 * receives the words, which point into `line`, and a NULL. Returns the number of words.
 *
 * Text between two double quotes belongs to its word as it is, blanks included; the quotes do not,
 * and "" alone is an empty word. No other character is special: no backslash, apostrophe, dollar or
 * semicolon. So a word cannot contain a double quote.
 *
 * -EINVAL: a double quote without its second. -E2BIG: more than `max` words. */
int command_split(char **ret, size_t max, char *line);

/* Runs the words of command_split(); the first is the program's absolute path. Returns false if the
 * program fails; `reason` then names its path and the failure, and contains no argument and no
 * output. */
bool command_run(
        Secret *ret, char *reason, size_t reason_size, char *const *words, uint64_t timeout_usec);
