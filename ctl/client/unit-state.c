#include "ctl/client/unit-state.h"

#include <string.h>

#include <systemd/sd-bus.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/config/paths.h"

#define UNIT        "binlog-ssld.service"
#define UNIT_SOCKET "/run/binlog-ssld/" PATHS_SOCKET_NAME

/* org.freedesktop.systemd1(5) */
#define SYSTEMD         "org.freedesktop.systemd1"
#define SYSTEMD_PATH    "/org/freedesktop/systemd1/unit"
#define SYSTEMD_UNIT    SYSTEMD ".Unit"
#define SYSTEMD_SERVICE SYSTEMD ".Service"

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

/* With Restart= such a service is in the state activating also between two starts. */
static bool is_restarted(sd_bus *bus, const char *path, UnitState *ret)
{
        CLEANUP(freep) char *result = NULL;

        if (!has_text(bus, path, "ActiveState", "activating") ||
                sd_bus_get_property_trivial(bus, SYSTEMD, path, SYSTEMD_SERVICE, "NRestarts", NULL,
                        'u', &ret->n_restarts) < 0)
                return false;
        if (sd_bus_get_property_string(
                    bus, SYSTEMD, path, SYSTEMD_SERVICE, "Result", NULL, &result) >= 0 &&
                strcmp(result, "success") != 0) /* while it starts */
                text_set(ret->result, sizeof(ret->result), result);
        return ret->n_restarts > 0;
}

UnitState unit_state_read(const char *socket)
{
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(freep) char *path = NULL;
        UnitState state = {0};

        if (strcmp(socket, UNIT_SOCKET) != 0 || sd_bus_open_system(&bus) < 0 ||
                sd_bus_path_encode(SYSTEMD_PATH, UNIT, &path) < 0)
                return state;
        (void)sd_bus_set_method_call_timeout(bus, TIMEOUT_USEC);
        if (!has_text(bus, path, "LoadState", "loaded"))
                return state;
        state.stopped = has_text(bus, path, "ActiveState", "inactive") && !has_job(bus, path);
        state.failing = is_restarted(bus, path, &state);
        return state;
}
