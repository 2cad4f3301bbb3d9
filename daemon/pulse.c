#include "daemon/pulse.h"

#include <errno.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "common/clock.h"
#include "daemon/journal.h"

struct Pulse {
        sd_event_source *timer;
        uint64_t interval_usec;
        unsigned n_faults; /* looks in a row that found one */
        pulse_model_fn fn;
        void *userdata;
};

PulseFault pulse_find_fault(const Model *model, uint64_t now_usec, const char **ret_name)
{
        for (size_t i = 0; i < model->n_materials; i++) {
                const MaterialStatus *material = model->materials[i];

                *ret_name = material->config->name;
                if (now_usec >
                        material->lookout->polled_usec + 2 * material->config->poll_interval_usec)
                        return PULSE_POLL_OVERDUE;
        }
        for (size_t i = 0; i < model->n_clusters; i++) {
                const ClusterStatus *cluster = model->clusters[i];

                *ret_name = cluster->config->name;
                if (cluster->deadline_usec > 0 &&
                        now_usec > cluster->deadline_usec + PULSE_GRACE_USEC)
                        return PULSE_IMPORTER_OVERDUE;
        }
        *ret_name = NULL;
        return PULSE_NO_FAULT;
}

static void tell(PulseFault fault, const char *name)
{
        if (fault == PULSE_POLL_OVERDUE)
                journal_pulse_stopped(name, NULL, "the poll is overdue");
        else
                journal_pulse_stopped(NULL, name, "an importer outlived its deadline");
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Pulse *pulse = userdata;
        Model model = pulse->fn(pulse->userdata);
        const char *name;
        PulseFault fault = pulse_find_fault(&model, clock_boottime_usec(), &name);

        (void)usec;
        (void)sd_event_source_set_time_relative(source, pulse->interval_usec);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        pulse->n_faults = fault == PULSE_NO_FAULT ? 0 : pulse->n_faults + 1;
        if (pulse->n_faults == 0)
                (void)sd_notify(0, "WATCHDOG=1");
        else if (pulse->n_faults == 2)
                tell(fault, name);
        return 0;
}

int pulse_new(Pulse **ret, sd_event *event, pulse_model_fn fn, void *userdata)
{
        CLEANUP(pulse_freep) Pulse *pulse = NULL;
        uint64_t patience_usec;
        int r = sd_watchdog_enabled(0, &patience_usec);

        *ret = NULL;
        if (r <= 0)
                return r;
        pulse = calloc(1, sizeof(*pulse));
        if (!pulse)
                return -ENOMEM;
        *pulse = (Pulse){.interval_usec = patience_usec / 3, .fn = fn, .userdata = userdata};
        r = sd_event_add_time_relative(event, &pulse->timer, CLOCK_BOOTTIME, pulse->interval_usec,
                pulse->interval_usec / 10, on_timer, pulse);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(pulse->timer, "pulse");
        *ret = TAKE(pulse);
        return 0;
}

Pulse *pulse_free(Pulse *pulse)
{
        if (!pulse)
                return NULL;
        sd_event_source_disable_unref(pulse->timer);
        free(pulse);
        return NULL;
}
