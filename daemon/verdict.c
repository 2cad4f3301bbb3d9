#include "daemon/verdict.h"

#include <stddef.h>

const char *material_state_to_string(MaterialState state)
{
        static const char *const names[_MATERIAL_STATE_MAX] = {
                [MATERIAL_STATE_MISSING] = "missing",
                [MATERIAL_STATE_CHANGING] = "changing",
                [MATERIAL_STATE_INVALID] = "invalid",
                [MATERIAL_STATE_NOT_YET_VALID] = "not_yet_valid",
                [MATERIAL_STATE_VALID] = "valid",
                [MATERIAL_STATE_EXPIRING] = "expiring",
                [MATERIAL_STATE_EXPIRED] = "expired",
        };

        return (unsigned)state < _MATERIAL_STATE_MAX ? names[state] : "";
}

bool material_state_is_good(MaterialState state)
{
        return state == MATERIAL_STATE_VALID || state == MATERIAL_STATE_EXPIRING;
}

static unsigned count_errors(const Report *report, Rule rule)
{
        unsigned n = 0;

        for (unsigned i = 0; i < report->n_problems; i++)
                if (report->problems[i].severity == SEVERITY_ERROR &&
                        (rule == _RULE_MAX || report->problems[i].rule == rule))
                        n++;
        return n;
}

MaterialState verdict_of(const Report *report, uint64_t age_usec, uint64_t limit_usec)
{
        unsigned errors = count_errors(report, _RULE_MAX);
        unsigned missing = count_errors(report, RULE_FILE_MISSING);

        if (report->moving)
                return age_usec < limit_usec ? MATERIAL_STATE_CHANGING : MATERIAL_STATE_INVALID;
        if (!report->failed)
                return report->expires_within_usec > 0 ? MATERIAL_STATE_EXPIRING
                                                       : MATERIAL_STATE_VALID;
        if (report->n_omitted == 0 && errors > 0) {
                if (errors == count_errors(report, RULE_CERT_EXPIRED))
                        return MATERIAL_STATE_EXPIRED;
                if (errors == count_errors(report, RULE_CERT_NOT_YET_VALID))
                        return MATERIAL_STATE_NOT_YET_VALID;
        }
        /* Nothing at all is there: no tool is in the middle of a set. */
        if (missing == _MATERIAL_FILE_MAX)
                return MATERIAL_STATE_MISSING;
        if (age_usec < limit_usec)
                return MATERIAL_STATE_CHANGING;
        return missing > 0 && missing == errors ? MATERIAL_STATE_MISSING : MATERIAL_STATE_INVALID;
}
