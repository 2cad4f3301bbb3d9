#pragma once

/*
 * Service: answers the calls of org.varlink.service, the interface of every Varlink service
 * (varlink.org, "Service Interface"): GetInfo and GetInterfaceDescription. Pure. Refuses the calls
 * of any other interface.
 */

#include "common/varlink.h"

/* Answers a call like connection_call_fn. `version` is that of the daemon. */
int service_answer(
        const VarlinkCall *call, const char *version, char **ret, const char **ret_error);
