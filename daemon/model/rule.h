#pragma once

/*
 * The rules that a set of material must keep, and their breaches.
 *
 * The names are a promise to users (design 6): they stand in the status, in the journal and in
 * people's alert filters. Each Problem names itself: which file, which rule, what was wanted and
 * what was found, in one sentence for the person who will mend the file.
 */

#include <stdbool.h>

#include "common/macro.h"
#include "daemon/config/config.h"

typedef enum Rule {
        RULE_FILE_MISSING,
        RULE_FILE_UNREADABLE,
        RULE_FILE_KIND,
        RULE_FILE_SIZE,
        RULE_PEM_MALFORMED,
        RULE_PEM_EMPTY,
        RULE_KEY_ENCRYPTED,
        RULE_KEY_TYPE,
        RULE_KEY_BITS,
        RULE_KEY_MISMATCH,
        RULE_KEY_PERMISSIONS,
        RULE_CERT_EXPIRED,
        RULE_CERT_NOT_YET_VALID,
        RULE_CERT_IS_CA,
        RULE_CERT_USAGE,
        RULE_CERT_SIGNATURE,
        RULE_CHAIN_BROKEN,
        RULE_CA_NOT_A_CA,
        RULE_CA_EXPIRED,
        RULE_SAME_COMMON_NAME,
        RULE_EXPIRES_SOON,
        _RULE_MAX,
} Rule;

typedef enum Severity {
        SEVERITY_WARNING,
        SEVERITY_ERROR,
        _SEVERITY_MAX,
} Severity;

#define PROBLEM_TEXT_MAX 384

typedef struct Problem {
        MaterialFile file;
        Rule rule;
        Severity severity;
        char text[PROBLEM_TEXT_MAX];
} Problem;

const char *rule_to_string(Rule rule);
const char *severity_to_string(Severity severity);

/* -EINVAL: no rule has that name. */
int rule_from_string(Rule *ret, const char *name);
