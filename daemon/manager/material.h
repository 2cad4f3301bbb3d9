#pragma once

/*
 * Material: watches, inspects and evaluates one configured set of files, and keeps the sealed
 * payload of a good set.
 *
 * Only the inspector process opens the key file. A set that is no longer good is released, so an
 * import starts only with the set that is on disk.
 *
 * While the file system does not answer, the last known state stays and is marked with the time of
 * the last answer.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config/config.h"
#include "daemon/model/sealed-set.h"
#include "daemon/model/status.h"

typedef struct Material Material;

/* The status may have changed. */
typedef void (*material_changed_fn)(Material *material, void *userdata);

/* Copies `config`, whose texts must outlive the material. The first inspection starts when the
 * path is watched. */
int material_new(Material **ret, sd_event *event, const MaterialConfig *config,
        material_changed_fn fn, void *userdata);
Material *material_free(Material *material);
DEFINE_CLEANUP(Material *, material_free);

/* Replaces the settings by equal ones of another configuration, which can have another wave. */
void material_configure(Material *material, const MaterialConfig *config);

const MaterialStatus *material_status(const Material *material);

/* Replaces the status of the wave, and reports a change that is more than progress of the hold. */
void material_set_wave(Material *material, const WaveStatus *wave);

/* Returns the good set on disk, or NULL. It belongs to the material until that changes. */
SealedSet *material_set(const Material *material);
