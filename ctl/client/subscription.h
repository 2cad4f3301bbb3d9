#pragma once

/*
 * Follow: the daemon's state as it changes: a subscription that keeps a View up to date.
 *
 * A subscription that breaks after it once had the whole state is made again, quietly, as often as
 * it takes; the caller's deadlines end that. One that never had it is given up at the first error:
 * then there is no daemon that could come back.
 */

#include "common/varlink.h"
#include "ctl/client/status-info.h"

typedef struct Subscription Subscription;

typedef enum SubscriptionEventKind {
        SUBSCRIPTION_STATE,   /* one more material or cluster of the present state */
        SUBSCRIPTION_READY,   /* the view is whole */
        SUBSCRIPTION_CHANGED, /* a material or cluster, and it is in the view */
        SUBSCRIPTION_REMOVED, /* a reload dropped it, and it is not in the view any more */
        SUBSCRIPTION_RELOADED,
        SUBSCRIPTION_GONE,    /* the connection is lost; `error` says how */
        SUBSCRIPTION_SILENCE, /* nothing came by the deadline */
        _SUBSCRIPTION_EVENT_KIND_MAX,
} SubscriptionEventKind;

typedef struct SubscriptionEvent {
        SubscriptionEventKind news;
        int error;
        const MaterialInfo *material; /* until the next call; NULL for SUBSCRIPTION_REMOVED */
        const ClusterInfo *cluster;
        char subject[CONFIG_NAME_MAX + 16]; /* "material default", "cluster orders" or "" */
        const JsonValue *parameters;        /* as it came, until the next call; or NULL */
} SubscriptionEvent;

int subscription_new(Subscription **ret, const char *socket);
Subscription *subscription_free(Subscription *subscription);
DEFINE_CLEANUP(Subscription *, subscription_free);

/* `deadline_usec` is boot time. -ENOMEM; -EREMOTEIO: the daemon refused, subscription_refusal() has its
 * words. Else, before the view was whole for the first time, what ctl/client/varlink-client.h says. */
int subscription_next(Subscription *subscription, SubscriptionEvent *ret, uint64_t deadline_usec);

/* Until the view is whole, or an error as above; -ETIMEDOUT. */
int subscription_until_ready(Subscription *subscription, uint64_t deadline_usec);

const StatusInfo *subscription_status_info(const Subscription *subscription);
bool subscription_is_connected(const Subscription *subscription);
const VarlinkReply *subscription_refusal(const Subscription *subscription);

/* "cluster orders: held: access denied". */
void subscription_describe(char *buffer, size_t size, const SubscriptionEvent *event);
