#pragma once

/*
 * Schema: every key of the configuration (design 5), a table for each kind of section.
 */

#include "daemon/config/config-key.h"

extern const ConfigKeyTable schema_daemon;
extern const ConfigKeyTable schema_material;
extern const ConfigKeyTable schema_cluster;
