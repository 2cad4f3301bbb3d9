#pragma once

/*
 * Rule verdict: the result of an inspection for each rule: broken, warning, passed, switched off,
 * or not judged, because a file that the rule needs could not be read.
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
        bool evaluated; /* false: no rule was evaluated, such as while the files change */
        const Problem *problems;
        size_t n_problems;
        const MaterialConfig *config; /* NULL: unknown, and no rule counts as switched off */
} Inspection;

const char *rule_verdict_to_string(RuleVerdict verdict); /* such as "not_judged" */
RuleVerdict rule_verdict_of(const Inspection *inspection, Rule rule);

/* Prints each violated rule with its sentences and next step, then the names of the other rules. */
void rule_verdict_print(const Terminal *terminal, const Inspection *inspection);

/* Writes an array of {rule, verdict, problems: [{file, text}]}. */
void rule_verdict_write(JsonWriter *writer, const Inspection *inspection);
