#pragma once

/*
 * Summary: the manager's status as one health and one line, which is systemd's STATUS= and the
 * summary of GetStatus. Pure.
 */

#include <stddef.h>

#include "daemon/model/status.h"

Health summary_health(const ManagerStatus *status);

/* "4/4 clusters current, certificate valid until 2027-02-01". Otherwise the reason of the worst
 * cluster, how many more have one, what is wrong with each material, why the configuration on disk
 * is refused, and which set the clusters keep that wait, and until when it is valid. */
void summary_line(char *buffer, size_t size, const ManagerStatus *status);
