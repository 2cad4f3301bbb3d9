#include "daemon/probe/probe-set.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"

static void end(ProbeSet *set)
{
        if (!set->ended)
                return;
        set->ended(set->userdata);
        set->ended = NULL;
}

static void on_ended(const InspectResult *result, void *userdata)
{
        const Problem *problem = result->report ? report_first(result->report) : NULL;
        ProbeSet *set = userdata;

        if (result->payload_fd >= 0) {
                set->payload_fd = result->payload_fd;
                text_set(set->fingerprint, sizeof(set->fingerprint), result->report->fingerprint);
                set->reason[0] = '\0';
        } else if (result->error)
                text_set(set->reason, sizeof(set->reason), result->error);
        else if (result->report && result->report->files_changed)
                text_set(set->reason, sizeof(set->reason), "the files change while they are read");
        else if (problem)
                text_format(set->reason, sizeof(set->reason), "%s: %s",
                        rule_to_string(problem->rule), problem->text);
        set->job = inspect_job_free(set->job);
        end(set);
}

/* The command does not wait for it. */
static void on_not_responding(void *userdata)
{
        end(userdata);
}

int probe_set_start(ProbeSet *set, sd_event *event, const MaterialConfig *material,
        void (*ended)(void *userdata), void *userdata)
{
        InspectJobHandlers handlers = {on_ended, on_not_responding, set};

        *set = (ProbeSet){.payload_fd = -1,
                .reason = "the file system does not answer",
                .ended = ended,
                .userdata = userdata};
        return inspect_job_start(&set->job, event, material, clock_wall_usec(), &handlers);
}

void probe_set_done(ProbeSet *set)
{
        set->job = inspect_job_free(set->job);
        closep(&set->payload_fd);
}
