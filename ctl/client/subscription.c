#include "ctl/client/subscription.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/client/varlink-client.h"
#include "daemon/model/interface.h"

#define RETRY_USEC (500 * USEC_PER_MSEC)

struct Subscription {
        const char *socket;
        VarlinkClient *client;
        StatusInfo info;
        VarlinkReply reply;
        bool ready;     /* the view is whole */
        bool was_ready; /* it was so at least once */
        bool fresh;     /* nothing came on this connection yet */
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

const VarlinkReply *subscription_refusal(const Subscription *subscription)
{
        return &subscription->reply;
}

static int connect_anew(Subscription *subscription)
{
        int r = varlink_client_new(&subscription->client, subscription->socket);

        if (r == 0)
                r = varlink_client_send(
                        subscription->client, INTERFACE_NAME ".Subscribe", NULL, true);
        if (r < 0)
                subscription->client = varlink_client_free(subscription->client);
        subscription->fresh = true;
        subscription->state_deadline_usec = clock_boottime_usec() + VARLINK_CLIENT_TIMEOUT_USEC;
        return r;
}

/* The connection is of no use any more. */
static int lose(Subscription *subscription, SubscriptionEvent *ret, int error)
{
        subscription->client = varlink_client_free(subscription->client);
        subscription->ready = false;
        subscription->retry_usec = clock_boottime_usec() + RETRY_USEC;
        ret->news = SUBSCRIPTION_GONE;
        ret->error = error;
        return subscription->was_ready && error != -ENOMEM ? 0 : error;
}

/* True: connected. False: the deadline came first, or `*ret_error` did. */
static bool reconnect(Subscription *subscription, uint64_t deadline_usec, int *ret_error)
{
        *ret_error = 0;
        while (!subscription->client) {
                uint64_t now = clock_boottime_usec();
                uint64_t next = subscription->retry_usec < deadline_usec ? subscription->retry_usec
                                                                         : deadline_usec;

                if (now < next) {
                        struct timespec pause = {
                                .tv_sec = (time_t)((next - now) / USEC_PER_SEC),
                                .tv_nsec = (long)((next - now) % USEC_PER_SEC * 1000),
                        };

                        (void)nanosleep(&pause, NULL);
                }
                if (now < subscription->retry_usec && subscription->retry_usec > deadline_usec)
                        return false;
                *ret_error = connect_anew(subscription);
                if (*ret_error < 0 && !subscription->was_ready)
                        return false;
                subscription->retry_usec = clock_boottime_usec() + RETRY_USEC;
        }
        return true;
}

/* The old state goes when the first word of the new one comes. */
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
        bool moved = strcmp(event, "changed") == 0, removed = strcmp(event, "removed") == 0;
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
                r = status_info_put_material(&subscription->info, material, moved);
        else if (cluster)
                r = status_info_put_cluster(&subscription->info, cluster, moved);
        if (r < 0)
                return r;
        ret->parameters = parameters;
        ret->material = material ? status_info_material(&subscription->info, name) : NULL;
        ret->cluster = cluster ? status_info_cluster(&subscription->info, name) : NULL;
        return 0;
}

static int take(Subscription *subscription, SubscriptionEvent *ret)
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

        if (!event) /* the last reply of a daemon that stops may carry none */
                return subscription->reply.continues ? -EBADMSG : -ECONNRESET;
        for (SubscriptionEventKind news = 0; news < _SUBSCRIPTION_EVENT_KIND_MAX; news++)
                if (names[news] && strcmp(names[news], event) == 0)
                        ret->news = news;
        begin_state(subscription);
        r = apply(subscription, ret, event);
        if (r == 0 && ret->news == SUBSCRIPTION_READY) {
                subscription->ready = true;
                subscription->was_ready = true;
        }
        return r;
}

int subscription_next(Subscription *subscription, SubscriptionEvent *ret, uint64_t deadline_usec)
{
        uint64_t deadline = deadline_usec;
        int r;

        *ret = (SubscriptionEvent){.news = SUBSCRIPTION_SILENCE};
        varlink_reply_done(&subscription->reply);
        if (!reconnect(subscription, deadline_usec, &r))
                return r < 0 ? lose(subscription, ret, r) : 0;
        if (!subscription->ready && subscription->state_deadline_usec < deadline)
                deadline = subscription->state_deadline_usec;
        r = varlink_client_receive(subscription->client, &subscription->reply, deadline);
        if (r == -ETIMEDOUT && deadline == deadline_usec)
                return 0;
        if (r < 0)
                return lose(subscription, ret, r);
        if (subscription->reply.error)
                return -EREMOTEIO;
        r = take(subscription, ret);
        if (r < 0)
                return lose(subscription, ret, r);
        if (!subscription->reply.continues)
                return lose(subscription, ret, -ECONNRESET);
        return 0;
}

int subscription_until_ready(Subscription *subscription, uint64_t deadline_usec)
{
        SubscriptionEvent event;

        while (!subscription->ready) {
                int r = subscription_next(subscription, &event, deadline_usec);

                if (r < 0)
                        return r;
                if (event.news == SUBSCRIPTION_SILENCE)
                        return -ETIMEDOUT;
        }
        return 0;
}

void subscription_describe(char *buffer, size_t size, const SubscriptionEvent *event)
{
        char why[STATUS_INFO_REASON_MAX] = "";
        const char *state = "";

        switch (event->news) {
        case SUBSCRIPTION_STATE:
        case SUBSCRIPTION_CHANGED:
                if (event->cluster) {
                        state = event->cluster->state_text;
                        text_set(why, sizeof(why), event->cluster->reason);
                } else if (event->material) {
                        state = event->material->state_text;
                        text_set(why, sizeof(why), event->material->reason);
                }
                text_format(buffer, size, "%s: %s%s%s", event->subject, state,
                        why[0] != '\0' ? ": " : "", why);
                return;
        case SUBSCRIPTION_REMOVED:
                text_format(buffer, size, "%s: removed from the configuration", event->subject);
                return;
        case SUBSCRIPTION_RELOADED:
                text_set(buffer, size, "the configuration was read again");
                return;
        case SUBSCRIPTION_GONE:
                text_set(buffer, size, "binlog-ssld is gone; waiting for it to come back");
                return;
        case SUBSCRIPTION_READY:
        case SUBSCRIPTION_SILENCE:
        case _SUBSCRIPTION_EVENT_KIND_MAX:
                break;
        }
        text_set(buffer, size, "");
}
