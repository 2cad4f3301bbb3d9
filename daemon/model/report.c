#include "daemon/model/report.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "common/text.h"

bool report_is_fingerprint(const char *text)
{
        size_t length = strspn(text, "0123456789abcdef");

        return length == REPORT_FINGERPRINT_MAX - 1 && text[length] == '\0';
}

bool report_fingerprint_is_valid(const char fingerprint[static REPORT_FINGERPRINT_MAX])
{
        return text_is_received(fingerprint, REPORT_FINGERPRINT_MAX) &&
                (fingerprint[0] == '\0' || report_is_fingerprint(fingerprint));
}

static bool problem_is_valid(const Problem *problem)
{
        return IS_ENUMERATOR(problem->file, _MATERIAL_FILE_MAX) &&
                IS_ENUMERATOR(problem->rule, _RULE_MAX) &&
                IS_ENUMERATOR(problem->severity, _SEVERITY_MAX) && TEXT_IS_RECEIVED(problem->text);
}

static bool certificate_is_valid(const Certificate *certificate)
{
        return TEXT_IS_RECEIVED(certificate->subject) && TEXT_IS_RECEIVED(certificate->issuer) &&
                TEXT_IS_RECEIVED(certificate->serial) && TEXT_IS_RECEIVED(certificate->sha256) &&
                TEXT_IS_RECEIVED(certificate->key_type) &&
                certificate->not_before_usec <= INT64_MAX &&
                certificate->not_after_usec <= INT64_MAX;
}

bool report_is_valid(const Report *report)
{
        if (!is_boolean(&report->files_changed) || !is_boolean(&report->has_certificate) ||
                !certificate_is_valid(&report->certificate) ||
                !report_fingerprint_is_valid(report->fingerprint) ||
                !report_fingerprint_is_valid(report->legacy_fingerprint) ||
                !is_boolean(&report->failed) || report->n_problems > REPORT_PROBLEMS_MAX)
                return false;
        for (unsigned i = 0; i < report->n_problems; i++)
                if (!problem_is_valid(&report->problems[i]))
                        return false;
        return true;
}

Problem *report_add(
        Report *report, MaterialFile file, Rule rule, Severity severity, const char *format, ...)
{
        va_list arguments;
        Problem *problem;

        if (severity == SEVERITY_ERROR)
                report->failed = true;
        if (report->n_problems >= REPORT_PROBLEMS_MAX) {
                report->n_omitted++;
                return NULL;
        }
        problem = &report->problems[report->n_problems++];
        *problem = (Problem){.file = file, .rule = rule, .severity = severity};
        va_start(arguments, format);
        text_vformat(problem->text, sizeof(problem->text), format, arguments);
        va_end(arguments);
        return problem;
}

void report_add_boundary(Report *report, uint64_t usec, uint64_t now_usec)
{
        if (usec > now_usec &&
                (report->next_boundary_usec == 0 || usec < report->next_boundary_usec))
                report->next_boundary_usec = usec;
}

bool report_has(const Report *report, Rule rule)
{
        for (unsigned i = 0; i < report->n_problems; i++)
                if (report->problems[i].rule == rule)
                        return true;
        return false;
}

/* Returns the first index from `i` on with an error, or n_problems. */
static unsigned next_error(const Report *report, unsigned i)
{
        while (i < report->n_problems && report->problems[i].severity != SEVERITY_ERROR)
                i++;
        return i;
}

bool report_has_errors_of(const Report *report, const Report *other)
{
        unsigned i = next_error(report, 0), k = next_error(other, 0);

        if (strcmp(report->certificate.sha256, other->certificate.sha256) != 0)
                return false;
        while (i < report->n_problems && k < other->n_problems) {
                const Problem *a = &report->problems[i], *b = &other->problems[k];

                if (a->file != b->file || a->rule != b->rule || strcmp(a->text, b->text) != 0)
                        return false;
                i = next_error(report, i + 1);
                k = next_error(other, k + 1);
        }
        return i == report->n_problems && k == other->n_problems;
}

const Problem *report_expiry(const Report *report)
{
        const Problem *first = NULL;

        for (unsigned i = 0; i < report->n_problems; i++) {
                const Problem *problem = &report->problems[i];

                if (problem->rule == RULE_EXPIRES_SOON &&
                        (!first || problem->end_usec < first->end_usec))
                        first = problem;
        }
        return first;
}

const Problem *report_first(const Report *report)
{
        for (unsigned i = 0; i < report->n_problems; i++)
                if (report->problems[i].severity == SEVERITY_ERROR)
                        return &report->problems[i];
        return report->n_problems > 0 ? &report->problems[0] : NULL;
}

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

MaterialState report_material_state(const Report *report, uint64_t age_usec, uint64_t limit_usec)
{
        unsigned errors = count_errors(report, _RULE_MAX);
        unsigned missing = count_errors(report, RULE_FILE_MISSING);

        if (report->files_changed)
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
        /* Without a single file, no renewal tool is in the middle of a set. */
        if (missing == _MATERIAL_FILE_MAX)
                return MATERIAL_STATE_MISSING;
        if (age_usec < limit_usec)
                return MATERIAL_STATE_CHANGING;
        return missing > 0 && missing == errors ? MATERIAL_STATE_MISSING : MATERIAL_STATE_INVALID;
}
