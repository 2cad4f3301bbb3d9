#pragma once

/*
 * Explain: everything that decides whether a material can be used: its paths hop by hop with the
 * service's eyes, its watches, every rule, and the next step.
 */

#include "ctl/command.h"

extern const Command command_explain;
