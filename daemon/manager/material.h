#pragma once

/*
 * Material: one configured set on its way from the directory to a sealed payload: look out,
 * inspect, judge.
 *
 * It owns the descriptor of the sealed payload and never maps it; the key file is opened by the
 * inspector alone. A set that is not good any more is not kept for import: an import starts only
 * while what stands on disk is what would be imported.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config/config.h"
#include "daemon/model/status.h"
#include "daemon/watch/watcher.h"

typedef struct Material Material;

/* The status changed in something that others act on. */
typedef void (*material_changed_fn)(Material *material, void *userdata);

/* Keeps a copy of `config`. The first inspection starts at once. */
int material_new(Material **ret, sd_event *event, const MaterialConfig *config,
        material_changed_fn fn, void *userdata);
Material *material_free(Material *material);
DEFINE_CLEANUP(Material *, material_free);

const MaterialStatus *material_status(const Material *material);

/* The good set on disk. */
typedef struct MaterialSet {
        SetInfo info;   /* without a fingerprint: there is no good set */
        int payload_fd; /* sealed; lent until the material changes */
} MaterialSet;

MaterialSet material_set(const Material *material);
