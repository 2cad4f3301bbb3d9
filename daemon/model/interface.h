#pragma once

/*
 * Interface: the Varlink definitions of the two interfaces of the socket (varlink.org, "Interface
 * Definition"). They name implemented methods and members only.
 */

#define INTERFACE_NAME         "io.binlogssl.Manager"
#define INTERFACE_SERVICE_NAME "org.varlink.service"

extern const char interface_description[];
extern const char interface_service_description[];
