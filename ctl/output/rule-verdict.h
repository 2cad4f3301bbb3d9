#pragma once

/*
 * Ruling: what an inspection says of every rule: broken, warned of, passed, switched off, or not
 * judged, because a file that it needs could not be read.
 */

#include "common/json-writer.h"
#include "common/terminal.h"
#include "daemon/config/config.h"
#include "daemon/model/rule.h"

typedef enum RuleVerdict {
        RULE_VERDICT_BROKEN,
        RULE_VERDICT_WARNING,
        RULE_VERDICT_PASSED,
        RULE_VERDICT_OFF,
        RULE_VERDICT_NOT_JUDGED,
        _RULE_VERDICT_MAX,
} RuleVerdict;

typedef struct Inspection {
        bool judged; /* false: nothing was judged, such as while the files change */
        const Problem *problems;
        size_t n_problems;
        const MaterialConfig *config; /* NULL: what is switched off is not known */
} Inspection;

const char *rule_verdict_to_string(RuleVerdict verdict); /* "broken", "not_judged" */
RuleVerdict rule_verdict_of(const Inspection *inspection, Rule rule);

/* Breaches with their sentences and next steps, then the names of the rest. */
void rule_verdict_print(const Terminal *terminal, const Inspection *inspection);

/* An array of {rule, verdict, problems: [{file, text}]}. */
void rule_verdict_write(JsonWriter *writer, const Inspection *inspection);
