#pragma once

/*
 * Mend: the command that opens a hop on which the service cannot go on, as a person types it.
 */

#include "ctl/explain/path-access.h"

#define PATH_FIX_MAX (4 * PATH_MAX)

/* "user", or the number of one without name. Returns `buffer`. */
const char *path_fix_user_name(char *buffer, size_t size, uid_t uid);
const char *path_fix_group_name(char *buffer, size_t size, gid_t gid);

/* Why the hop ends the way, one sentence; "" if it does not. */
void path_fix_reason(char *buffer, size_t size, const PathHop *hop, bool as_service);

/* What to do about it: commands for the service's group `gid`; "" when no command helps. The second
 * is another way to the same end, or "". */
void path_fix_commands(char *first, char *second, size_t size, const PathHop *hop, gid_t gid);
