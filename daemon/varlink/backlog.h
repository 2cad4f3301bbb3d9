#pragma once

/*
 * Backlog: the publications for subscribers, in one copy for all of them.
 *
 * Each subscriber has a position in the list. A publication is freed when the last subscriber has
 * passed it, so slow subscribers need the memory of the slowest alone. BACKLOG_MAX is more than one
 * transition of every cluster of the largest configuration with the longest texts, because all of
 * them can change in one turn of the loop, before any subscriber can read; the owner ends a
 * subscriber that is further behind.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/macro.h"

#define BACKLOG_MAX ((size_t)16 * 1024 * 1024) /* bytes of messages */

typedef struct Backlog Backlog;
typedef struct Publication Publication;

/* A subscriber's position. The backlog must outlive it. */
typedef struct BacklogPosition {
        const Backlog *backlog;
        Publication *passed; /* NULL: no subscriber */
} BacklogPosition;

#define BACKLOG_POSITION_NULL ((BacklogPosition){0})

int backlog_new(Backlog **ret);
Backlog *backlog_free(Backlog *backlog);
DEFINE_CLEANUP(Backlog *, backlog_free);

/* Adds a reply with `continues` for all positions. */
int backlog_append(Backlog *backlog, const char *parameters);

/* Begins after the last publication. `ret` holds no position. */
void backlog_position_begin(BacklogPosition *ret, const Backlog *backlog);
void backlog_position_done(BacklogPosition *position);

/* Returns false if no publication follows; else the whole message, valid until the next step. */
bool backlog_position_peek(const BacklogPosition *position, const char **ret, size_t *ret_size);
void backlog_position_step(BacklogPosition *position);

/* Returns the bytes of all messages that follow. */
size_t backlog_position_unread(const BacklogPosition *position);
