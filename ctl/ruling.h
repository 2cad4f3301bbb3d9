#pragma once

/*
 * Ruling: what an inspection says of every rule: broken, warned of, passed, switched off, or not
 * judged, because a file that it needs could not be read.
 */

#include "common/json.h"
#include "ctl/page.h"
#include "daemon/config.h"
#include "daemon/rule.h"

typedef enum Ruling {
        RULING_BROKEN,
        RULING_WARNING,
        RULING_PASSED,
        RULING_OFF,
        RULING_NOT_JUDGED,
        _RULING_MAX,
} Ruling;

typedef struct Inspection {
        bool judged; /* false: nothing was judged, such as while the files change */
        const Problem *problems;
        size_t n_problems;
        const MaterialConfig *config; /* NULL: what is switched off is not known */
} Inspection;

const char *ruling_to_string(Ruling ruling); /* "broken", "not_judged" */
Ruling ruling_of(const Inspection *inspection, Rule rule);

/* Breaches with their sentences and next steps, then the names of the rest. */
void ruling_print(const Page *page, const Inspection *inspection);

/* An array of {rule, verdict, problems: [{file, text}]}. */
void ruling_write(JsonWriter *writer, const Inspection *inspection);
