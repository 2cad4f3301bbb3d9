#pragma once

/*
 * Awaited: the clusters whose imports somebody waits for, and which of these have ended.
 *
 * An import may begin and end between two words of the daemon, and another one may have ended just
 * before it was asked for. So one that was asked for has ended when the cluster does not import and
 * its last attempt ended after the asking.
 */

#include "ctl/view.h"

typedef struct Awaited {
        bool done;
} Awaited;

typedef struct AwaitedList {
        Awaited *items;
        char **names; /* beside the items */
        size_t n;
        size_t n_open;       /* as of the last look */
        uint64_t asked_usec; /* wall clock, before the asking */
        bool restarted;      /* the daemon is another one by now: what it was doing is over */
} AwaitedList;

int awaited_add(AwaitedList *list, const ClusterView *cluster);
void awaited_done(AwaitedList *list);

/* Looks at each again; returns how many have not ended. One that is in the view no more has. */
size_t awaited_look(AwaitedList *list, const View *view);

bool awaited_has(const AwaitedList *list, const char *name);
const char *awaited_first_open(const AwaitedList *list); /* "" if there is none */

/* How many have ended and are current. */
size_t awaited_current(const AwaitedList *list, const View *view);
