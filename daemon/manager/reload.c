#include "daemon/manager/reload.h"

#include <errno.h>

#include "daemon/config/config-load.h"
#include "daemon/manager/wakeup.h"

/* In one turn of the loop. */
#define RELOAD_CLUSTERS 256

typedef enum Step {
        STEP_NONE,
        STEP_LOAD,
        STEP_PREPARE,
        STEP_ADOPT,
} Step;

struct Reload {
        Inventory *inventory;
        const char *path;
        bool once;
        reload_ended_fn fn;
        void *userdata;
        Wakeup *wakeup;
        Step step; /* the next one */
        bool refused;
        ConfigProblem problem; /* of the one that was refused */
};

static int load(Reload *reload)
{
        Config *config = NULL;
        int r = config_load(&config, reload->path, &reload->problem);

        inventory_cancel(reload->inventory);
        if (r < 0)
                return r;
        config->once = reload->once;
        return inventory_prepare(reload->inventory, config);
}

static void on_turn(void *userdata)
{
        Reload *reload = userdata;
        Step done = reload->step;
        int r = 0;

        switch (done) {
        case STEP_NONE:
                return;
        case STEP_LOAD:
                r = load(reload);
                reload->step = STEP_PREPARE;
                break;
        case STEP_PREPARE:
                r = inventory_prepare_some(reload->inventory, RELOAD_CLUSTERS);
                if (r == 0)
                        reload->step = STEP_ADOPT;
                break;
        case STEP_ADOPT:
                inventory_adopt(reload->inventory);
                break;
        }
        if (r >= 0 && done != STEP_ADOPT) {
                wakeup_request(reload->wakeup);
                return;
        }
        reload->step = STEP_NONE;
        if (r == 0 || r == -EINVAL)
                reload->refused = r == -EINVAL;
        reload->fn(r, reload->userdata);
}

int reload_new(Reload **ret, sd_event *event, Inventory *inventory, const char *path, bool once,
        reload_ended_fn fn, void *userdata)
{
        CLEANUP(reload_freep) Reload *reload = calloc(1, sizeof(*reload));
        int r;

        if (!reload)
                return -ENOMEM;
        *reload = (Reload){
                .inventory = inventory, .path = path, .once = once, .fn = fn, .userdata = userdata};
        r = wakeup_new(&reload->wakeup, event, on_turn, reload);
        if (r < 0)
                return r;
        *ret = TAKE(reload);
        return 0;
}

Reload *reload_free(Reload *reload)
{
        if (!reload)
                return NULL;
        wakeup_free(reload->wakeup);
        inventory_cancel(reload->inventory);
        free(reload);
        return NULL;
}

void reload_request(Reload *reload)
{
        reload->step = STEP_LOAD;
        wakeup_request(reload->wakeup);
}

const ConfigProblem *reload_refused(const Reload *reload)
{
        return reload->refused ? &reload->problem : NULL;
}

int reload_try(const Reload *reload, ConfigProblem *ret_problem)
{
        CLEANUP(config_unrefp) Config *config = NULL;

        return config_load(&config, reload->path, ret_problem);
}

bool reload_is_running(const Reload *reload)
{
        return reload->step != STEP_NONE;
}
