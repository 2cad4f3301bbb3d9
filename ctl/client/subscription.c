#include "ctl/client/subscription.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/client/error-message.h"
#include "ctl/client/varlink-client.h"

#define RETRY_USEC (500 * USEC_PER_MSEC)

struct Subscription {
        const char *socket;
        VarlinkClient *client;
        StatusInfo info;
        VarlinkReply reply;
        bool ready;     /* `info` is complete */
        bool was_ready; /* it was complete at least once */
        bool fresh;     /* nothing was received on this connection yet */
        uint64_t state_deadline_usec, retry_usec;
};

int subscription_new(Subscription **ret, const char *socket)
{
        Subscription *subscription = calloc(1, sizeof(*subscription));

        if (!subscription)
                return -ENOMEM;
        *subscription = (Subscription){.socket = socket, .info = STATUS_INFO_NULL};
        *ret = subscription;
        return 0;
}

Subscription *subscription_free(Subscription *subscription)
{
        if (!subscription)
                return NULL;
        varlink_client_free(subscription->client);
        varlink_reply_done(&subscription->reply);
        status_info_done(&subscription->info);
        free(subscription);
        return NULL;
}

const StatusInfo *subscription_status_info(const Subscription *subscription)
{
        return &subscription->info;
}

bool subscription_is_connected(const Subscription *subscription)
{
        return subscription->ready;
}

int subscription_error_message(
        const Subscription *subscription, const char *socket, int error, bool json)
{
        return error == -EREMOTEIO ? error_message_reply(&subscription->reply, "Subscribe", json)
                                   : error_message_unreachable(socket, error);
}

static int connect_client(Subscription *subscription)
{
        int r = varlink_client_new(&subscription->client, subscription->socket);

        if (r == 0)
                r = varlink_client_send(subscription->client, "Subscribe", NULL, true);
        if (r < 0)
                subscription->client = varlink_client_free(subscription->client);
        subscription->fresh = true;
        subscription->state_deadline_usec = clock_boottime_usec() + VARLINK_CLIENT_TIMEOUT_USEC;
        return r;
}

/* Closes the connection. Returns `error`, or 0 if the caller shall try again. */
static int disconnect(Subscription *subscription, SubscriptionEvent *ret, int error)
{
        subscription->client = varlink_client_free(subscription->client);
        subscription->ready = false;
        subscription->retry_usec = clock_boottime_usec() + RETRY_USEC;
        ret->kind = SUBSCRIPTION_GONE;
        ret->error = error;
        return subscription->was_ready && error != -ENOMEM ? 0 : error;
}

/* Returns true if there is a connection, and false after the deadline or with `*ret_error`. */
static bool reconnect(Subscription *subscription, uint64_t deadline_usec, int *ret_error)
{
        *ret_error = 0;
        while (!subscription->client) {
                uint64_t now = clock_boottime_usec();
                uint64_t next = subscription->retry_usec < deadline_usec ? subscription->retry_usec
                                                                         : deadline_usec;

                clock_sleep_usec(clock_left_usec(next));
                if (now < subscription->retry_usec && subscription->retry_usec > deadline_usec)
                        return false;
                *ret_error = connect_client(subscription);
                if (*ret_error < 0 && !subscription->was_ready)
                        return false;
                subscription->retry_usec = clock_boottime_usec() + RETRY_USEC;
        }
        return true;
}

/* Keeps the previous state until the new connection delivers something. */
static void begin_state(Subscription *subscription)
{
        if (subscription->fresh)
                status_info_done(&subscription->info);
        subscription->fresh = false;
}

static int apply(Subscription *subscription, SubscriptionEvent *ret, const char *event)
{
        const JsonValue *parameters = subscription->reply.parameters;
        const JsonValue *material = json_member(parameters, "material");
        const JsonValue *cluster = json_member(parameters, "cluster");
        bool changed = strcmp(event, "changed") == 0, removed = strcmp(event, "removed") == 0;
        const MaterialInfo *material_info;
        char name[CONFIG_NAME_MAX];
        int r = 0;

        material = json_is_object(material) ? material : NULL;
        cluster = json_is_object(cluster) ? cluster : NULL;
        json_get_text(name, sizeof(name), material ? material : cluster, "name");
        if (material || cluster)
                text_format(ret->subject, sizeof(ret->subject), "%s %s",
                        material ? "material" : "cluster", name);
        if (removed && material)
                status_info_remove_material(&subscription->info, name);
        else if (removed && cluster)
                status_info_remove_cluster(&subscription->info, name);
        else if (material)
                r = status_info_put_material(&subscription->info, material, changed);
        else if (cluster)
                r = status_info_put_cluster(&subscription->info, cluster, changed);
        if (r < 0)
                return r;
        ret->parameters = parameters;
        ret->cluster = cluster ? status_info_cluster(&subscription->info, name) : NULL;
        material_info = material ? status_info_material(&subscription->info, name) : NULL;
        if (ret->cluster) {
                ret->state = ret->cluster->state_text;
                ret->reason = ret->cluster->reason;
        } else if (material_info) {
                ret->state = material_info->state_text;
                ret->reason = material_info->reason;
        }
        return 0;
}

static int read_event(Subscription *subscription, SubscriptionEvent *ret)
{
        static const char *const names[_SUBSCRIPTION_EVENT_KIND_MAX] = {
                [SUBSCRIPTION_STATE] = "state",
                [SUBSCRIPTION_READY] = "ready",
                [SUBSCRIPTION_CHANGED] = "changed",
                [SUBSCRIPTION_REMOVED] = "removed",
                [SUBSCRIPTION_RELOADED] = "reloaded",
        };
        const char *event = json_get_string(json_member(subscription->reply.parameters, "event"));
        int r;

        if (!event) /* the last reply of a daemon that stops may have none */
                return subscription->reply.continues ? -EBADMSG : -ECONNRESET;
        for (SubscriptionEventKind kind = 0; kind < _SUBSCRIPTION_EVENT_KIND_MAX; kind++)
                if (names[kind] && strcmp(names[kind], event) == 0)
                        ret->kind = kind;
        begin_state(subscription);
        r = apply(subscription, ret, event);
        if (r == 0 && ret->kind == SUBSCRIPTION_READY) {
                subscription->ready = true;
                subscription->was_ready = true;
        }
        return r;
}

int subscription_next(Subscription *subscription, SubscriptionEvent *ret, uint64_t deadline_usec)
{
        uint64_t deadline = deadline_usec;
        int r;

        *ret = (SubscriptionEvent){.kind = SUBSCRIPTION_SILENCE, .state = "", .reason = ""};
        varlink_reply_done(&subscription->reply);
        if (!reconnect(subscription, deadline_usec, &r))
                return r < 0 ? disconnect(subscription, ret, r) : 0;
        if (!subscription->ready && subscription->state_deadline_usec < deadline)
                deadline = subscription->state_deadline_usec;
        r = varlink_client_receive(subscription->client, &subscription->reply, deadline);
        if (r == -ETIMEDOUT && deadline == deadline_usec)
                return 0;
        if (r < 0)
                return disconnect(subscription, ret, r);
        if (subscription->reply.error)
                return -EREMOTEIO;
        r = read_event(subscription, ret);
        if (r < 0)
                return disconnect(subscription, ret, r);
        if (!subscription->reply.continues)
                return disconnect(subscription, ret, -ECONNRESET);
        return 0;
}

int subscription_next_second(
        Subscription *subscription, SubscriptionEvent *ret, uint64_t deadline_usec)
{
        uint64_t now = clock_boottime_usec(), second = now + USEC_PER_SEC;

        if (now >= deadline_usec)
                return -ETIMEDOUT;
        return subscription_next(
                subscription, ret, second < deadline_usec ? second : deadline_usec);
}

int subscription_wait_ready(Subscription *subscription)
{
        uint64_t deadline = clock_boottime_usec() + VARLINK_CLIENT_TIMEOUT_USEC;
        SubscriptionEvent event;

        while (!subscription->ready) {
                int r = subscription_next(subscription, &event, deadline);

                if (r < 0)
                        return r;
                if (event.kind == SUBSCRIPTION_SILENCE)
                        return -ETIMEDOUT;
        }
        return 0;
}

void subscription_describe(char *buffer, size_t size, const SubscriptionEvent *event)
{
        switch (event->kind) {
        case SUBSCRIPTION_STATE:
        case SUBSCRIPTION_CHANGED:
                if (event->cluster && event->cluster->repeated)
                        break;
                text_format(buffer, size, "%s: %s%s%s", event->subject, event->state,
                        event->reason[0] != '\0' ? ": " : "", event->reason);
                return;
        case SUBSCRIPTION_REMOVED:
                text_format(buffer, size, "%s: removed from the configuration", event->subject);
                return;
        case SUBSCRIPTION_RELOADED:
                text_set(buffer, size, "the configuration was read again");
                return;
        case SUBSCRIPTION_GONE:
                text_set(buffer, size, SUBSCRIPTION_GONE_TEXT);
                return;
        case SUBSCRIPTION_READY:
        case SUBSCRIPTION_SILENCE:
        case _SUBSCRIPTION_EVENT_KIND_MAX:
                break;
        }
        text_set(buffer, size, "");
}
