#pragma once

/*
 * Explanation: collects what `explain` prints of a material: its status from the service, its
 * paths from the configuration, because the status has none, and the access to each of their
 * components.
 */

#include "ctl/client/status-info.h"
#include "ctl/explain/path-access.h"
#include "ctl/output/rule-verdict.h"

typedef struct Explanation {
        const MaterialInfo *material;
        const ServiceIdentity *identity; /* NULL: access of the caller */
        Config *service_config;          /* NULL if it is not that of the service */
        MaterialConfig config;
        bool configured; /* `config` is that of the service; otherwise it has the default names */
        char config_error[512]; /* why it is not that of the service */
        PathAccess *access;
        Inspection inspection;
} Explanation;

/* `identity` NULL: access of the caller. Both pointers must outlive the explanation. */
int explanation_make(
        Explanation *ret, const MaterialInfo *material, const ServiceIdentity *identity);
void explanation_done(Explanation *explanation);
