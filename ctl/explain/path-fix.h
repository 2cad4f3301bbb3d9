#pragma once

/*
 * Path fix: explains why a hop is denied, and gives the shell commands that grant the access to the
 * group of the service.
 */

#include "ctl/explain/path-access.h"

#define PATH_FIX_MAX (4 * PATH_MAX)

/* Write the name, or the number if there is no name. Return `buffer`. */
const char *path_fix_user_name(char *buffer, size_t size, uid_t uid);
const char *path_fix_group_name(char *buffer, size_t size, gid_t gid);

/* Writes the reason as one sentence; "" if the hop is not denied. `as_service`: the access of the
 * service was checked, so a difference from what the caller sees is due to its sandbox. */
void path_fix_reason(char *buffer, size_t size, const PathHop *hop, bool as_service);

/* Write two alternative commands for the group `gid` of the service. chmod alone where the group
 * already owns the hop; otherwise chgrp with chmod first and an access list second, and the access
 * list alone for a directory that others use as well. "" where there is no command: only a denied
 * permission (EACCES) has one. */
void path_fix_commands(char *first, char *second, size_t size, const PathHop *hop, gid_t gid);
