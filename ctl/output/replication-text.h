#pragma once

/*
 * Replication text: what the status table prints of the replication of a cluster: a word for the
 * column, and lines with the source, TLS, the lag, the time of the reading and the errors.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/terminal.h"
#include "ctl/client/status-info.h"

#define REPLICATION_TEXT_WORD_MAX 64

/* Returns true unless replication of the cluster is not looked at. */
bool replication_text_is_known_of(const ClusterInfo *cluster);

/* Returns true if the column alone does not say enough. */
bool replication_text_needs_lines(const ClusterInfo *cluster);

/* The state, and how late a replica that runs is, or that it does so without TLS; "-" if
 * replication is not looked at. */
void replication_text_word(
        char buffer[static REPLICATION_TEXT_WORD_MAX], const ClusterInfo *cluster);

/* In its colour, padded to `width`. */
void replication_text_print_word(const Terminal *terminal, const ClusterInfo *cluster, int width);

/* An error that is in the reason of the cluster is not repeated. */
void replication_text_print_lines(
        const Terminal *terminal, unsigned indent, const ClusterInfo *cluster);
