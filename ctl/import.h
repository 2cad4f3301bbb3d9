#pragma once

/*
 * Import: have the daemon import now, and see it through.
 */

#include "ctl/command.h"

extern const Command command_import;
