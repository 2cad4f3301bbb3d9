#pragma once

/*
 * Rule: the rules that a material must satisfy, and a Problem for each violation.
 *
 * The names are stable (doc/design.md, "Material"): status, journal and users' alert filters
 * contain them. The text of a Problem is one sentence with the expected and the actual value.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/macro.h"
#include "daemon/config/config.h"

typedef enum Rule {
        RULE_FILE_MISSING,
        RULE_FILE_UNREADABLE,
        RULE_FILE_KIND,
        RULE_FILE_SIZE,
        RULE_PEM_MALFORMED,
        RULE_PEM_EMPTY,
        RULE_PEM_IGNORED,
        RULE_KEY_ENCRYPTED,
        RULE_KEY_TYPE,
        RULE_KEY_BITS,
        RULE_KEY_MISMATCH,
        RULE_KEY_DAMAGED,
        RULE_KEY_PERMISSIONS,
        RULE_CERT_EXPIRED,
        RULE_CERT_NOT_YET_VALID,
        RULE_CERT_IS_CA,
        RULE_CERT_USAGE,
        RULE_CERT_SIGNATURE,
        RULE_CHAIN_BROKEN,
        RULE_CA_NOT_A_CA,
        RULE_CA_EXPIRED,
        RULE_CA_CONSTRAINT,
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
        uint64_t end_usec; /* wall clock, of a certificate that expires soon; else 0 */
        char text[PROBLEM_TEXT_MAX];
} Problem;

/* Returns true if an earlier problem says the same, of another file: for people once is enough. */
bool problem_repeats(const Problem *problems, size_t i);

const char *rule_to_string(Rule rule);
const char *severity_to_string(Severity severity);

/* Returns what a person can do about a violation, one sentence; "" for a value that is no rule. */
const char *rule_next_step(Rule rule);

/* Returns true if a set that is half written violates the rule, and no longer when the rest is
 * written. */
bool rule_can_pass(Rule rule);

/* The progress of reading one file. */
typedef enum FileStage {
        FILE_STAGE_NOTHING, /* a directory on the path may be inaccessible */
        FILE_STAGE_NAME,    /* the name exists */
        FILE_STAGE_KIND,    /* its kind is known */
        FILE_STAGE_OPEN,    /* it was opened */
        FILE_STAGE_SIZE,    /* it is not too large */
        FILE_STAGE_BLOCKS,  /* its PEM blocks were read */
        FILE_STAGE_PARSED,
} FileStage;

/* Returns true if the rule cannot be evaluated, because it needs a later stage of `file`. */
bool rule_needs(Rule rule, MaterialFile file, FileStage stage);

/* Returns the stage at which the reading of a file ends if it violates the rule. */
FileStage rule_ends_at(Rule rule);

/* -EINVAL: no rule has this name. */
int rule_from_string(Rule *ret, const char *name);
