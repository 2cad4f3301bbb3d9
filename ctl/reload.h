#pragma once

/*
 * Reload: have the daemon read its configuration again.
 */

#include "ctl/command.h"

extern const Command command_reload;
