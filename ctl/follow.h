#pragma once

/*
 * Follow: the daemon's state as it changes: a subscription that keeps a View up to date.
 *
 * A subscription that breaks after it once had the whole state is made again, quietly, as often as
 * it takes; the caller's deadlines end that. One that never had it is given up at the first error:
 * then there is no daemon that could come back.
 */

#include "common/varlink.h"
#include "ctl/view.h"

typedef struct Follow Follow;

typedef enum FollowNews {
        FOLLOW_STATE,   /* one more material or cluster of the present state */
        FOLLOW_READY,   /* the view is whole */
        FOLLOW_CHANGED, /* a material or cluster, and it is in the view */
        FOLLOW_REMOVED, /* a reload dropped it, and it is not in the view any more */
        FOLLOW_RELOADED,
        FOLLOW_GONE,    /* the connection is lost; `error` says how */
        FOLLOW_SILENCE, /* nothing came by the deadline */
        _FOLLOW_NEWS_MAX,
} FollowNews;

typedef struct FollowEvent {
        FollowNews news;
        int error;
        const MaterialView *material; /* until the next call; NULL for FOLLOW_REMOVED */
        const ClusterView *cluster;
        char subject[CONFIG_NAME_MAX + 16]; /* "material default", "cluster orders" or "" */
        const JsonValue *parameters;        /* as it came, until the next call; or NULL */
} FollowEvent;

int follow_new(Follow **ret, const char *socket);
Follow *follow_free(Follow *follow);
DEFINE_CLEANUP(Follow *, follow_free);

/* `deadline_usec` is boot time. -ENOMEM; -EREMOTEIO: the daemon refused, follow_refusal() has its
 * words. Else, before the view was whole for the first time, what ctl/client.h says. */
int follow_next(Follow *follow, FollowEvent *ret, uint64_t deadline_usec);

/* Until the view is whole, or an error as above; -ETIMEDOUT. */
int follow_until_ready(Follow *follow, uint64_t deadline_usec);

const View *follow_view(const Follow *follow);
bool follow_is_connected(const Follow *follow);
const VarlinkReply *follow_refusal(const Follow *follow);

/* "cluster orders: held: access denied". */
void follow_describe(char *buffer, size_t size, const FollowEvent *event);
