#pragma once

/*
 * Subscription: the stream of events from the daemon, which keeps a StatusInfo up to date.
 *
 * A connection that is lost after the state was complete once is made again every 0.5 s, without a
 * limit; the deadline of the caller ends that. Before the state was complete for the first time,
 * every error is returned, because then nothing shows that a daemon exists which could come back.
 */

#include "common/varlink.h"
#include "ctl/client/status-info.h"

typedef struct Subscription Subscription;

/* What a command says when the connection is lost. */
#define SUBSCRIPTION_GONE_TEXT "binlog-ssld is gone; waiting for it to come back"

typedef enum SubscriptionEventKind {
        SUBSCRIPTION_STATE,   /* a material or cluster as part of the present state */
        SUBSCRIPTION_READY,   /* the StatusInfo is complete */
        SUBSCRIPTION_CHANGED, /* a material or cluster, already updated in the StatusInfo */
        SUBSCRIPTION_REMOVED, /* a reload removed it, and it is no longer in the StatusInfo */
        SUBSCRIPTION_RELOADED,
        SUBSCRIPTION_GONE,    /* the connection is lost; `error` is the reason */
        SUBSCRIPTION_SILENCE, /* nothing arrived before the deadline, or an unknown event */
        _SUBSCRIPTION_EVENT_KIND_MAX,
} SubscriptionEventKind;

typedef struct SubscriptionEvent {
        SubscriptionEventKind kind;
        int error;
        char subject[CONFIG_NAME_MAX + 16]; /* "material default", "cluster orders" or "" */
        /* Until the next call: state and reason of the subject, or "" where there is none, as for
         * SUBSCRIPTION_REMOVED; its cluster, or NULL; the event as received, or NULL. */
        const char *state, *reason;
        const ClusterInfo *cluster;
        const JsonValue *parameters;
} SubscriptionEvent;

/* Does not connect yet. `socket` must outlive the subscription. */
int subscription_new(Subscription **ret, const char *socket);
Subscription *subscription_free(Subscription *subscription);
DEFINE_CLEANUP(Subscription *, subscription_free);

/* Waits for the next event. `deadline_usec` is boot time. -ENOMEM; -EREMOTEIO: an error reply of
 * the daemon. Before the state was complete for the first time also the errors of
 * ctl/client/varlink-client.h. */
int subscription_next(Subscription *subscription, SubscriptionEvent *ret, uint64_t deadline_usec);

/* The same, but returns after one second at the latest, with SUBSCRIPTION_SILENCE, so that the
 * caller can show progress. -ETIMEDOUT: the deadline has passed. */
int subscription_next_second(
        Subscription *subscription, SubscriptionEvent *ret, uint64_t deadline_usec);

/* Reads until the state is complete. Errors as above; -ETIMEDOUT: not within
 * VARLINK_CLIENT_TIMEOUT_USEC. */
int subscription_wait_ready(Subscription *subscription);

/* Prints an error message for an error that a function above returned, and returns the exit status.
 * With `json` an error reply of the daemon goes to stdout as well. `subscription` may be NULL. */
int subscription_error_message(
        const Subscription *subscription, const char *socket, int error, bool json);

const StatusInfo *subscription_status_info(const Subscription *subscription);
bool subscription_is_connected(const Subscription *subscription);

/* Writes a line for people, such as "cluster orders: held: access denied", or "", also for an event
 * that has brought nothing which the line shows. */
void subscription_describe(char *buffer, size_t size, const SubscriptionEvent *event);
