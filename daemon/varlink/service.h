#pragma once

/*
 * Service: the interface org.varlink.service, which every Varlink service has (varlink.org, "Service
 * Interface"): GetInfo and GetInterfaceDescription. Pure. Calls of any other interface are refused.
 */

#include "common/varlink.h"

/* Answers a call as connection_call_fn does. `version` is the daemon's. */
int service_answer(
        const VarlinkCall *call, const char *version, char **ret, const char **ret_error);
