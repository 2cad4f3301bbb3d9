#include "daemon/status/summary-material.h"

#include "common/clock.h"
#include "common/text.h"

Health summary_material_health(const MaterialStatus *material)
{
        bool responding = material->not_responding_since_at_usec == 0;

        if (!material->inspected)
                return HEALTH_WARNING;
        return health_of_material(material->state, responding, material->wave.state);
}

void summary_material_reason(char *buffer, size_t size, const MaterialStatus *material)
{
        const Problem *problem = report_first(material->report);
        const Problem *expiry = report_expiry(material->report);
        char time[CLOCK_TEXT_SIZE];

        buffer[0] = '\0';
        if (material->not_responding_since_at_usec > 0)
                text_format(buffer, size, "the file system of %s has not answered since %s",
                        material->config->directory,
                        clock_format_time(time, material->not_responding_since_at_usec));
        else if (!material->inspected)
                text_set(buffer, size, "the first inspection is under way");
        else if (material->error[0] != '\0')
                text_set(buffer, size, material->error);
        else if (material->report->files_changed)
                text_set(buffer, size, "the files change while they are read");
        else if (problem && problem->severity == SEVERITY_ERROR)
                text_format(buffer, size, "%s: %s", rule_to_string(problem->rule), problem->text);
        else if (material->state == MATERIAL_STATE_EXPIRING && expiry)
                text_set(buffer, size, expiry->text);
}

const char *summary_material_next_step(const MaterialStatus *material)
{
        const Problem *problem = report_first(material->report);

        if (material->not_responding_since_at_usec > 0)
                return "look at the mount and its server: the service goes on by itself when they "
                       "answer";
        if (!material->inspected || material->error[0] != '\0')
                return "";
        if (material->state == MATERIAL_STATE_CHANGING &&
                (!problem || rule_can_pass(problem->rule)))
                return "nothing yet: the set is validated again when the rest is written";
        return problem ? rule_next_step(problem->rule) : "";
}

const char *summary_wave_hold(char buffer[static SUMMARY_HOLD_MAX], const WaveStatus *wave)
{
        char held[DURATION_TEXT_SIZE], hold[DURATION_TEXT_SIZE];

        text_format(buffer, SUMMARY_HOLD_MAX, "%s of %s",
                duration_format(held, wave->held_usec / USEC_PER_SEC * USEC_PER_SEC),
                duration_format(hold, wave->hold_usec));
        return buffer;
}

void summary_wave_reason(char *buffer, size_t size, const WaveStatus *wave)
{
        const char *colon = wave->reason[0] != '\0' ? ": " : "";
        char hold[SUMMARY_HOLD_MAX];

        buffer[0] = '\0';
        switch (wave->state) {
        case WAVE_IMPORTING:
                text_format(buffer, size, "the canary %s does not have the set yet%s%s",
                        wave->canary, colon, wave->reason);
                break;
        case WAVE_HOLDING:
                if (wave->since_at_usec > 0)
                        text_format(buffer, size, "the canary %s is proving the set (%s)%s%s",
                                wave->canary, summary_wave_hold(hold, wave), colon, wave->reason);
                else
                        text_format(buffer, size,
                                "the canary %s has the set, which nothing proves yet%s%s",
                                wave->canary, colon, wave->reason);
                break;
        case WAVE_STOPPED:
                text_format(buffer, size, "the canary %s failed%s%s", wave->canary, colon,
                        wave->reason);
                break;
        case WAVE_NONE:
        case WAVE_OPEN:
        case _WAVE_STATE_MAX:
                break;
        }
}
