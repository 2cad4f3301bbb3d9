#pragma once

/*
 * Check: a directory against every rule, with no daemon.
 */

#include "ctl/command.h"

extern const Command command_check;
