#pragma once

/*
 * Monitor: the present state and then every change, a line each, until it is interrupted.
 */

#include "ctl/command.h"

extern const Command command_monitor;
