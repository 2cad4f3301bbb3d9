#pragma once

/*
 * Status: ask once, print once; and the same question for other commands.
 */

#include "common/varlink.h"
#include "ctl/command.h"
#include "ctl/view.h"

extern const Command command_status;

/* GetStatus. EXIT_SUCCESS, or the exit status after a complaint. The reply stays alive for those
 * who print it. */
int status_fetch(VarlinkReply *ret, View *ret_view, const Request *request);
