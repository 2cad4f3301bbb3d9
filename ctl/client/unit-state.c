#include "ctl/client/unit-state.h"

#include <stdint.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "common/clock.h"
#include "common/macro.h"

#define UNIT "binlog-ssld.service"

/* org.freedesktop.systemd1(5) */
#define SYSTEMD      "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1/unit"
#define SYSTEMD_UNIT SYSTEMD ".Unit"

#define TIMEOUT_USEC (2 * USEC_PER_SEC)

static bool has_text(sd_bus *bus, const char *path, const char *property, const char *expected)
{
        CLEANUP(freep) char *text = NULL;

        return sd_bus_get_property_string(
                       bus, SYSTEMD, path, SYSTEMD_UNIT, property, NULL, &text) >= 0 &&
                strcmp(text, expected) == 0;
}

static bool has_job(sd_bus *bus, const char *path)
{
        sd_bus_message *reply = NULL;
        uint32_t job = 0;

        if (sd_bus_get_property(bus, SYSTEMD, path, SYSTEMD_UNIT, "Job", NULL, &reply, "(uo)") >= 0)
                (void)sd_bus_message_read(reply, "(uo)", &job, NULL);
        sd_bus_message_unref(reply);
        return job != 0;
}

bool unit_state_is_stopped(void)
{
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(freep) char *path = NULL;

        if (sd_bus_open_system(&bus) < 0 || sd_bus_path_encode(SYSTEMD_PATH, UNIT, &path) < 0)
                return false;
        (void)sd_bus_set_method_call_timeout(bus, TIMEOUT_USEC);
        return has_text(bus, path, "LoadState", "loaded") &&
                has_text(bus, path, "ActiveState", "inactive") && !has_job(bus, path);
}
