#pragma once

/*
 * Wait: until every cluster carries what is on disk, or until it is clear that waiting does not
 * help: the last line of a renewal tool's deploy hook.
 */

#include "ctl/command.h"

extern const Command command_wait;
