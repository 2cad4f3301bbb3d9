#pragma once

/*
 * Advice: why something is not as it should be, and the next step for the person who reads it.
 */

#include "ctl/view.h"

#define ADVICE_MAX 1024

/* "" when nothing is to do. */
void advice_cluster_next(char *buffer, size_t size, const ClusterView *cluster);
void advice_material_next(char *buffer, size_t size, const MaterialView *material);

/* The command that helps on, or "". */
void advice_cluster_command(char *buffer, size_t size, const ClusterView *cluster);
void advice_material_command(char *buffer, size_t size, const MaterialView *material);

/* How a breach of the rule is mended: a static sentence. */
const char *advice_rule(Rule rule);
