#pragma once

/*
 * Explanation: what is gathered to explain a material: what the service told, the paths from the
 * configuration, and the walk along them.
 */

#include "ctl/client/status-info.h"
#include "ctl/explain/path-access.h"
#include "ctl/output/rule-verdict.h"

typedef struct Explanation {
        const MaterialInfo *material;
        const ServiceIdentity *identity; /* NULL: the caller looks */
        MaterialConfig config;
        bool configured; /* `config` is what the service has; else names are the default ones */
        char doubt[512]; /* why it is not */
        PathAccess *access;
        Inspection inspection;
} Explanation;

/* `guise` NULL: the caller looks. Both must outlive the explanation. */
int explanation_make(
        Explanation *ret, const MaterialInfo *material, const ServiceIdentity *identity);
void explanation_done(Explanation *explanation);
