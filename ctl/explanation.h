#pragma once

/*
 * Explanation: what is gathered to explain a material: what the service told, the paths from the
 * configuration, and the walk along them.
 */

#include "ctl/passage.h"
#include "ctl/ruling.h"
#include "ctl/view.h"

typedef struct Explanation {
        const MaterialView *material;
        const Guise *guise; /* NULL: the caller looks */
        MaterialConfig config;
        bool configured; /* `config` is what the service has; else names are the default ones */
        char doubt[512]; /* why it is not */
        Passage *passage;
        Inspection inspection;
} Explanation;

/* `guise` NULL: the caller looks. Both must outlive the explanation. */
int explanation_make(Explanation *ret, const MaterialView *material, const Guise *guise);
void explanation_done(Explanation *explanation);
