#include "daemon/report.h"

#include <stdarg.h>
#include <stddef.h>

#include "common/text.h"

void report_add(
        Report *report, MaterialFile file, Rule rule, Severity severity, const char *format, ...)
{
        va_list arguments;
        Problem *problem;

        if (severity == SEVERITY_ERROR)
                report->failed = true;
        if (report->n_problems >= REPORT_PROBLEMS_MAX) {
                report->n_omitted++;
                return;
        }
        problem = &report->problems[report->n_problems++];
        *problem = (Problem){.file = file, .rule = rule, .severity = severity};
        va_start(arguments, format);
        text_vformat(problem->text, sizeof(problem->text), format, arguments);
        va_end(arguments);
}

bool report_has_rule(const Report *report, Rule rule)
{
        for (unsigned i = 0; i < report->n_problems; i++)
                if (report->problems[i].rule == rule)
                        return true;
        return false;
}

const Problem *report_first(const Report *report)
{
        for (unsigned i = 0; i < report->n_problems; i++)
                if (report->problems[i].severity == SEVERITY_ERROR)
                        return &report->problems[i];
        return report->n_problems > 0 ? &report->problems[0] : NULL;
}
