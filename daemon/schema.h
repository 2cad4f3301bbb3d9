#pragma once

/*
 * Schema: every key of the configuration (design 5), a table for each kind of section.
 */

#include "daemon/key.h"

extern const KeyTable schema_daemon;
extern const KeyTable schema_material;
extern const KeyTable schema_cluster;
