#pragma once

/*
 * Clerk: keeps the record of one cluster on disk, and tries again until it stands there.
 *
 * A state directory that is full or read-only delays no import. What could not be written is
 * tried again with a back-off, and once more at the end.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/record.h"

typedef struct Clerk Clerk;

/* Whether the record stands on disk changed; `error` is why it does not, 0: it does. */
typedef void (*clerk_fn)(int error, void *userdata);

/* `cluster` and `record` must outlive the clerk. */
int clerk_new(Clerk **ret, sd_event *event, const char *cluster, const Record *record, clerk_fn fn,
        void *userdata);
Clerk *clerk_free(Clerk *clerk);
DEFINE_CLEANUP(Clerk *, clerk_free);

/* Writes the record as it is now. */
void clerk_write(Clerk *clerk);
