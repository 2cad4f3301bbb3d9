#pragma once

/*
 * Mend: the command that opens a hop on which the service cannot go on, as a person types it.
 */

#include "ctl/passage.h"

#define MEND_MAX (4 * PATH_MAX)

/* "user", or the number of one without name. Returns `buffer`. */
const char *mend_user_name(char *buffer, size_t size, uid_t uid);
const char *mend_group_name(char *buffer, size_t size, gid_t gid);

/* Why the hop ends the way, one sentence; "" if it does not. */
void mend_why(char *buffer, size_t size, const Hop *hop, bool in_guise);

/* What to do about it: commands for the service's group `gid`; "" when no command helps. The second
 * is another way to the same end, or "". */
void mend_commands(char *first, char *second, size_t size, const Hop *hop, gid_t gid);
