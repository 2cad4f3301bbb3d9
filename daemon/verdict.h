#pragma once

/*
 * Verdict: the state of a material as design 6 names it, from a report and the age of the last
 * change. Pure.
 *
 * Renewal tools write one file at a time, so a set that fails is "changing" while the last change
 * is younger than settle-limit and only then "invalid" or "missing". What fails by the clock alone
 * is no half-written set and is called by its name at once.
 */

#include "daemon/report.h"

typedef enum MaterialState {
        MATERIAL_STATE_MISSING,
        MATERIAL_STATE_CHANGING,
        MATERIAL_STATE_INVALID,
        MATERIAL_STATE_NOT_YET_VALID,
        MATERIAL_STATE_VALID,
        MATERIAL_STATE_EXPIRING,
        MATERIAL_STATE_EXPIRED,
        _MATERIAL_STATE_MAX,
} MaterialState;

const char *material_state_to_string(MaterialState state);

/* The set may be imported. */
bool material_state_is_good(MaterialState state);

/* `age_usec` is the time since the files last changed, `limit_usec` the configured settle-limit. */
MaterialState verdict_of(const Report *report, uint64_t age_usec, uint64_t limit_usec);
