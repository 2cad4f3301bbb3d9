#include "ctl/output/rule-verdict.h"

#include <string.h>

#include "ctl/output/next-step.h"

#define LABEL_WIDTH 12

/* How far the reading of a file must have come before a rule can be judged on it. */
typedef enum Stage {
        STAGE_NOTHING, /* a directory on the way may be closed */
        STAGE_NAME,    /* there is something of that name */
        STAGE_KIND,    /* of which the kind is known */
        STAGE_OPEN,    /* which was opened */
        STAGE_SIZE,    /* and is not too large */
        STAGE_BLOCKS,  /* so that its blocks could be looked for */
        STAGE_PARSED,  /* and understood */
} Stage;

enum { CA = 1 << MATERIAL_CA, CERT = 1 << MATERIAL_CERT, KEY = 1 << MATERIAL_KEY };

static const struct {
        unsigned files;
        Stage stage;
} needs[_RULE_MAX] = {
        [RULE_FILE_MISSING] = {CA | CERT | KEY, STAGE_NAME},
        [RULE_FILE_KIND] = {CA | CERT | KEY, STAGE_KIND},
        [RULE_FILE_UNREADABLE] = {CA | CERT | KEY, STAGE_OPEN},
        [RULE_FILE_SIZE] = {CA | CERT | KEY, STAGE_SIZE},
        [RULE_PEM_MALFORMED] = {CA | CERT | KEY, STAGE_BLOCKS},
        [RULE_PEM_EMPTY] = {CA | CERT | KEY, STAGE_BLOCKS},
        [RULE_KEY_ENCRYPTED] = {KEY, STAGE_BLOCKS},
        [RULE_KEY_TYPE] = {KEY, STAGE_PARSED},
        [RULE_KEY_BITS] = {KEY, STAGE_PARSED},
        [RULE_KEY_MISMATCH] = {CERT | KEY, STAGE_PARSED},
        [RULE_KEY_PERMISSIONS] = {KEY, STAGE_SIZE},
        [RULE_CERT_EXPIRED] = {CERT, STAGE_PARSED},
        [RULE_CERT_NOT_YET_VALID] = {CERT, STAGE_PARSED},
        [RULE_CERT_IS_CA] = {CA | CERT, STAGE_PARSED},
        [RULE_CERT_USAGE] = {CA | CERT, STAGE_PARSED},
        [RULE_CERT_SIGNATURE] = {CERT, STAGE_PARSED},
        [RULE_CHAIN_BROKEN] = {CA | CERT, STAGE_PARSED},
        [RULE_CA_NOT_A_CA] = {CA, STAGE_PARSED},
        [RULE_CA_EXPIRED] = {CA | CERT, STAGE_PARSED},
        [RULE_SAME_COMMON_NAME] = {CA | CERT, STAGE_PARSED},
        [RULE_EXPIRES_SOON] = {CERT, STAGE_PARSED},
};

const char *rule_verdict_to_string(RuleVerdict verdict)
{
        static const char *const names[_RULE_VERDICT_MAX] = {
                [RULE_VERDICT_BROKEN] = "broken",
                [RULE_VERDICT_WARNING] = "warning",
                [RULE_VERDICT_PASSED] = "passed",
                [RULE_VERDICT_OFF] = "off",
                [RULE_VERDICT_NOT_JUDGED] = "not_judged",
        };

        return (unsigned)verdict < _RULE_VERDICT_MAX ? names[verdict] : "";
}

/* Where the reading of a file ended with this problem; STAGE_PARSED: it did not. */
static Stage ended_at(const Problem *problem)
{
        switch (problem->rule) {
        case RULE_FILE_MISSING:
                return STAGE_NAME;
        case RULE_FILE_KIND:
                return STAGE_KIND;
        case RULE_FILE_UNREADABLE:
                return STAGE_NOTHING;
        case RULE_FILE_SIZE:
                return STAGE_SIZE;
        case RULE_PEM_MALFORMED:
        case RULE_PEM_EMPTY:
        case RULE_KEY_ENCRYPTED:
                return STAGE_BLOCKS;
        default:
                return STAGE_PARSED;
        }
}

static bool is_off(const MaterialConfig *config, Rule rule)
{
        if (!config)
                return false;
        return (rule == RULE_CHAIN_BROKEN && config->chain == POLICY_IGNORE) ||
                (rule == RULE_KEY_PERMISSIONS && config->key_permissions == POLICY_IGNORE);
}

RuleVerdict rule_verdict_of(const Inspection *inspection, Rule rule)
{
        RuleVerdict verdict = is_off(inspection->config, rule) ? RULE_VERDICT_OFF
                : inspection->judged                           ? RULE_VERDICT_PASSED
                                                               : RULE_VERDICT_NOT_JUDGED;

        for (size_t i = 0; i < inspection->n_problems; i++) {
                const Problem *problem = &inspection->problems[i];

                if (problem->rule == rule && problem->severity == SEVERITY_ERROR)
                        return RULE_VERDICT_BROKEN;
                if (problem->rule == rule)
                        verdict = RULE_VERDICT_WARNING;
                else if (verdict == RULE_VERDICT_PASSED && problem->file < _MATERIAL_FILE_MAX &&
                        (needs[rule].files & (1U << problem->file)) &&
                        ended_at(problem) < needs[rule].stage)
                        verdict = RULE_VERDICT_NOT_JUDGED;
        }
        return verdict;
}

/* The breaches of one rule, with one next step for all. */
static void print_breaches(
        const Terminal *terminal, const Inspection *inspection, Rule rule, Severity severity)
{
        size_t n = 0;

        for (size_t i = 0; i < inspection->n_problems; i++) {
                const Problem *problem = &inspection->problems[i];

                if (problem->rule != rule || problem->severity != severity)
                        continue;
                if (n++ == 0) {
                        fputs("  ", terminal->stream);
                        terminal_word(terminal, severity == SEVERITY_ERROR ? "broken" : "warning",
                                LABEL_WIDTH);
                        fprintf(terminal->stream, "%s\n",
                                rule < _RULE_MAX ? rule_to_string(rule) : "a newer rule");
                }
                terminal_paragraph(terminal, LABEL_WIDTH + 2, "why:  ", problem->text);
        }
        if (n > 0)
                terminal_paragraph(terminal, LABEL_WIDTH + 2, "next: ", rule_next_step(rule));
}

static void print_names(const Terminal *terminal, const Inspection *inspection, RuleVerdict verdict)
{
        char names[1024] = "", label[LABEL_WIDTH + 1];

        for (Rule rule = 0; rule < _RULE_MAX; rule++) {
                size_t used = strlen(names);

                if (rule_verdict_of(inspection, rule) == verdict)
                        snprintf(names + used, sizeof(names) - used, "%s%s", used > 0 ? ", " : "",
                                rule_to_string(rule));
        }
        snprintf(label, sizeof(label), "%-*s", LABEL_WIDTH,
                verdict == RULE_VERDICT_NOT_JUDGED ? "not judged"
                                                   : rule_verdict_to_string(verdict));
        terminal_paragraph(terminal, 2, label, names);
}

void rule_verdict_print(const Terminal *terminal, const Inspection *inspection)
{
        for (unsigned rule = 0; rule <= _RULE_MAX; rule++)
                print_breaches(terminal, inspection, (Rule)rule, SEVERITY_ERROR);
        for (unsigned rule = 0; rule <= _RULE_MAX; rule++)
                print_breaches(terminal, inspection, (Rule)rule, SEVERITY_WARNING);
        print_names(terminal, inspection, RULE_VERDICT_PASSED);
        print_names(terminal, inspection, RULE_VERDICT_OFF);
        print_names(terminal, inspection, RULE_VERDICT_NOT_JUDGED);
}

void rule_verdict_write(JsonWriter *writer, const Inspection *inspection)
{
        json_open_array(writer);
        for (Rule rule = 0; rule < _RULE_MAX; rule++) {
                json_open_object(writer);
                json_key(writer, "rule");
                json_string(writer, rule_to_string(rule));
                json_key(writer, "verdict");
                json_string(writer, rule_verdict_to_string(rule_verdict_of(inspection, rule)));
                json_key(writer, "problems");
                json_open_array(writer);
                for (size_t i = 0; i < inspection->n_problems; i++) {
                        const Problem *problem = &inspection->problems[i];

                        if (problem->rule != rule)
                                continue;
                        json_open_object(writer);
                        json_key(writer, "file");
                        json_string(writer, material_file_to_string(problem->file));
                        json_key(writer, "text");
                        json_string(writer, problem->text);
                        json_close_object(writer);
                }
                json_close_array(writer);
                json_close_object(writer);
        }
        json_close_array(writer);
}
