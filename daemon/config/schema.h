#pragma once

/*
 * Schema: the table of keys of each kind of section (binlog-ssld.conf(5)).
 */

#include "daemon/config/config-key.h"

extern const ConfigKeyTable schema_daemon;
extern const ConfigKeyTable schema_material;
extern const ConfigKeyTable schema_cluster;
