#pragma once

/*
 * Summary of a material: its health, the reason of its state, and the next step for a person, as
 * sentences. Pure.
 */

#include <stddef.h>

#include "daemon/model/status.h"

/* A material that is not inspected yet is a warning: nothing is known of it. */
Health summary_material_health(const MaterialStatus *material);

/* "" if there is none. */
void summary_material_reason(char *buffer, size_t size, const MaterialStatus *material);

/* "": there is nothing to do, or it is not known. */
const char *summary_material_next_step(const MaterialStatus *material);

/* Why the clusters of a material wait; "" if the wave is open, or there is none. */
void summary_wave_reason(char *buffer, size_t size, const WaveStatus *wave);

/* "1min 30s of 2min" */
#define SUMMARY_HOLD_MAX 64
const char *summary_wave_hold(char buffer[static SUMMARY_HOLD_MAX], const WaveStatus *wave);
