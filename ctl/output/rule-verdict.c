#include "ctl/output/rule-verdict.h"

#include <string.h>

#define LABEL_WIDTH 12

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
                : inspection->evaluated                        ? RULE_VERDICT_PASSED
                                                               : RULE_VERDICT_NOT_JUDGED;

        for (size_t i = 0; i < inspection->n_problems; i++) {
                const Problem *problem = &inspection->problems[i];

                if (problem->rule == rule && problem->severity == SEVERITY_ERROR)
                        return RULE_VERDICT_BROKEN;
                if (problem->rule == rule)
                        verdict = RULE_VERDICT_WARNING;
                else if (verdict == RULE_VERDICT_PASSED &&
                        rule_needs(rule, problem->file, rule_ends_at(problem->rule)))
                        verdict = RULE_VERDICT_NOT_JUDGED;
        }
        return verdict;
}

/* Prints the violations of one rule, with one next step for all. */
static void print_violations(
        const Terminal *terminal, const Inspection *inspection, Rule rule, Severity severity)
{
        size_t n = 0;

        for (size_t i = 0; i < inspection->n_problems; i++) {
                const Problem *problem = &inspection->problems[i];

                if (problem->rule != rule || problem->severity != severity ||
                        problem_repeats(inspection->problems, i))
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
                print_violations(terminal, inspection, (Rule)rule, SEVERITY_ERROR);
        for (unsigned rule = 0; rule <= _RULE_MAX; rule++)
                print_violations(terminal, inspection, (Rule)rule, SEVERITY_WARNING);
        print_names(terminal, inspection, RULE_VERDICT_PASSED);
        print_names(terminal, inspection, RULE_VERDICT_OFF);
        print_names(terminal, inspection, RULE_VERDICT_NOT_JUDGED);
}

void rule_verdict_write(JsonWriter *writer, const Inspection *inspection)
{
        json_open_array(writer);
        for (Rule rule = 0; rule < _RULE_MAX; rule++) {
                json_open_object(writer);
                json_put_string(writer, "rule", rule_to_string(rule));
                json_put_string(writer, "verdict",
                        rule_verdict_to_string(rule_verdict_of(inspection, rule)));
                json_key(writer, "problems");
                json_open_array(writer);
                for (size_t i = 0; i < inspection->n_problems; i++) {
                        const Problem *problem = &inspection->problems[i];

                        if (problem->rule != rule)
                                continue;
                        json_open_object(writer);
                        json_put_string(writer, "file", material_file_to_string(problem->file));
                        json_put_string(writer, "text", problem->text);
                        json_close_object(writer);
                }
                json_close_array(writer);
                json_close_object(writer);
        }
        json_close_array(writer);
}
