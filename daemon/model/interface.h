#pragma once

/*
 * Interface: the description of what the socket speaks (varlink.org, Interface Definition). It
 * names what works, nothing else.
 */

#define INTERFACE_NAME         "io.binlogssl.Manager"
#define INTERFACE_SERVICE_NAME "org.varlink.service"

extern const char interface_description[];
extern const char interface_service_description[];
