#pragma once

/*
 * Command: runs a program without a shell.
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

/* Runs a program; the first word is its absolute path, the last a NULL. Returns false if the
 * program fails; `reason` then names its path and the failure, and contains no argument and no
 * output. */
bool command_run(
        Secret *ret, char *reason, size_t reason_size, char *const *words, uint64_t timeout_usec);
