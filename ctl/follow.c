#include "ctl/follow.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/client.h"
#include "daemon/interface.h"

#define RETRY_USEC (500 * USEC_PER_MSEC)

struct Follow {
        const char *socket;
        Client *client;
        View view;
        VarlinkReply reply;
        bool ready;     /* the view is whole */
        bool was_ready; /* it was so at least once */
        bool fresh;     /* nothing came on this connection yet */
        uint64_t state_deadline_usec, retry_usec;
};

int follow_new(Follow **ret, const char *socket)
{
        Follow *follow = calloc(1, sizeof(*follow));

        if (!follow)
                return -ENOMEM;
        *follow = (Follow){.socket = socket, .view = VIEW_NULL};
        *ret = follow;
        return 0;
}

Follow *follow_free(Follow *follow)
{
        if (!follow)
                return NULL;
        client_free(follow->client);
        varlink_reply_done(&follow->reply);
        view_done(&follow->view);
        free(follow);
        return NULL;
}

const View *follow_view(const Follow *follow)
{
        return &follow->view;
}

bool follow_is_connected(const Follow *follow)
{
        return follow->ready;
}

const VarlinkReply *follow_refusal(const Follow *follow)
{
        return &follow->reply;
}

static int connect_anew(Follow *follow)
{
        int r = client_new(&follow->client, follow->socket);

        if (r == 0)
                r = client_send(follow->client, INTERFACE_NAME ".Subscribe", NULL, true);
        if (r < 0)
                follow->client = client_free(follow->client);
        follow->fresh = true;
        follow->state_deadline_usec = clock_boottime_usec() + CLIENT_TIMEOUT_USEC;
        return r;
}

/* The connection is of no use any more. */
static int lose(Follow *follow, FollowEvent *ret, int error)
{
        follow->client = client_free(follow->client);
        follow->ready = false;
        follow->retry_usec = clock_boottime_usec() + RETRY_USEC;
        ret->news = FOLLOW_GONE;
        ret->error = error;
        return follow->was_ready && error != -ENOMEM ? 0 : error;
}

/* True: connected. False: the deadline came first, or `*ret_error` did. */
static bool reconnect(Follow *follow, uint64_t deadline_usec, int *ret_error)
{
        *ret_error = 0;
        while (!follow->client) {
                uint64_t now = clock_boottime_usec();
                uint64_t next =
                        follow->retry_usec < deadline_usec ? follow->retry_usec : deadline_usec;

                if (now < next) {
                        struct timespec pause = {
                                .tv_sec = (time_t)((next - now) / USEC_PER_SEC),
                                .tv_nsec = (long)((next - now) % USEC_PER_SEC * 1000),
                        };

                        (void)nanosleep(&pause, NULL);
                }
                if (now < follow->retry_usec && follow->retry_usec > deadline_usec)
                        return false;
                *ret_error = connect_anew(follow);
                if (*ret_error < 0 && !follow->was_ready)
                        return false;
                follow->retry_usec = clock_boottime_usec() + RETRY_USEC;
        }
        return true;
}

/* The old state goes when the first word of the new one comes. */
static void begin_state(Follow *follow)
{
        if (follow->fresh)
                view_done(&follow->view);
        follow->fresh = false;
}

static int apply(Follow *follow, FollowEvent *ret, const char *event)
{
        const JsonValue *parameters = follow->reply.parameters;
        const JsonValue *material = json_member(parameters, "material");
        const JsonValue *cluster = json_member(parameters, "cluster");
        bool moved = strcmp(event, "changed") == 0, removed = strcmp(event, "removed") == 0;
        char name[CONFIG_NAME_MAX];
        int r = 0;

        material = json_is_object(material) ? material : NULL;
        cluster = json_is_object(cluster) ? cluster : NULL;
        view_text(name, sizeof(name), material ? material : cluster, "name");
        if (material || cluster)
                text_format(ret->subject, sizeof(ret->subject), "%s %s",
                        material ? "material" : "cluster", name);
        if (removed && material)
                view_remove_material(&follow->view, name);
        else if (removed && cluster)
                view_remove_cluster(&follow->view, name);
        else if (material)
                r = view_put_material(&follow->view, material, moved);
        else if (cluster)
                r = view_put_cluster(&follow->view, cluster, moved);
        if (r < 0)
                return r;
        ret->parameters = parameters;
        ret->material = material ? view_material(&follow->view, name) : NULL;
        ret->cluster = cluster ? view_cluster(&follow->view, name) : NULL;
        return 0;
}

static int take(Follow *follow, FollowEvent *ret)
{
        static const char *const names[_FOLLOW_NEWS_MAX] = {
                [FOLLOW_STATE] = "state",
                [FOLLOW_READY] = "ready",
                [FOLLOW_CHANGED] = "changed",
                [FOLLOW_REMOVED] = "removed",
                [FOLLOW_RELOADED] = "reloaded",
        };
        const char *event = json_get_string(json_member(follow->reply.parameters, "event"));
        int r;

        if (!event) /* the last reply of a daemon that stops may carry none */
                return follow->reply.continues ? -EBADMSG : -ECONNRESET;
        for (FollowNews news = 0; news < _FOLLOW_NEWS_MAX; news++)
                if (names[news] && strcmp(names[news], event) == 0)
                        ret->news = news;
        begin_state(follow);
        r = apply(follow, ret, event);
        if (r == 0 && ret->news == FOLLOW_READY) {
                follow->ready = true;
                follow->was_ready = true;
        }
        return r;
}

int follow_next(Follow *follow, FollowEvent *ret, uint64_t deadline_usec)
{
        uint64_t deadline = deadline_usec;
        int r;

        *ret = (FollowEvent){.news = FOLLOW_SILENCE};
        varlink_reply_done(&follow->reply);
        if (!reconnect(follow, deadline_usec, &r))
                return r < 0 ? lose(follow, ret, r) : 0;
        if (!follow->ready && follow->state_deadline_usec < deadline)
                deadline = follow->state_deadline_usec;
        r = client_receive(follow->client, &follow->reply, deadline);
        if (r == -ETIMEDOUT && deadline == deadline_usec)
                return 0;
        if (r < 0)
                return lose(follow, ret, r);
        if (follow->reply.error)
                return -EREMOTEIO;
        r = take(follow, ret);
        if (r < 0)
                return lose(follow, ret, r);
        if (!follow->reply.continues)
                return lose(follow, ret, -ECONNRESET);
        return 0;
}

int follow_until_ready(Follow *follow, uint64_t deadline_usec)
{
        FollowEvent event;

        while (!follow->ready) {
                int r = follow_next(follow, &event, deadline_usec);

                if (r < 0)
                        return r;
                if (event.news == FOLLOW_SILENCE)
                        return -ETIMEDOUT;
        }
        return 0;
}

void follow_describe(char *buffer, size_t size, const FollowEvent *event)
{
        char why[VIEW_REASON_MAX] = "";
        const char *state = "";

        switch (event->news) {
        case FOLLOW_STATE:
        case FOLLOW_CHANGED:
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
        case FOLLOW_REMOVED:
                text_format(buffer, size, "%s: removed from the configuration", event->subject);
                return;
        case FOLLOW_RELOADED:
                text_set(buffer, size, "the configuration was read again");
                return;
        case FOLLOW_GONE:
                text_set(buffer, size, "binlog-ssld is gone; waiting for it to come back");
                return;
        case FOLLOW_READY:
        case FOLLOW_SILENCE:
        case _FOLLOW_NEWS_MAX:
                break;
        }
        text_set(buffer, size, "");
}
