#pragma once

/*
 * State: one record file per cluster, $STATE_DIRECTORY/<cluster>.json, replaced durably.
 */

#include "daemon/record.h"

/* 0; -ENOENT: there is none yet; -EBADMSG: unreadable, which means "nothing known" and is for the
 * caller to say; else what reading said. `ret` is RECORD_NULL unless 0. */
int state_load(Record *ret, const char *cluster);

int state_save(const char *cluster, const Record *record);
