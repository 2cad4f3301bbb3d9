#include "ctl/client/varlink-client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/client/error-message.h"
#include "ctl/client/unit-state.h"
#include "daemon/model/interface.h"

#define REPLY_MAX (64 * 1024 * 1024)

struct VarlinkClient {
        int fd;
        char *input; /* received and not yet returned; complete messages end in NUL */
        size_t size, capacity;
};

int varlink_client_new(VarlinkClient **ret, const char *path)
{
        CLEANUP(varlink_client_freep) VarlinkClient *client = calloc(1, sizeof(*client));
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct timeval timeout = {.tv_sec = VARLINK_CLIENT_TIMEOUT_USEC / USEC_PER_SEC};

        if (!client)
                return -ENOMEM;
        client->fd = -1;
        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        if (unit_state_read(path).stopped)
                return -ESHUTDOWN;
        memcpy(address.sun_path, path, strlen(path) + 1);
        client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        /* The timeout also bounds connect(2), which waits while the listen queue of the daemon is
         * full (socket(7), SO_SNDTIMEO). */
        if (client->fd < 0 ||
                setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
                return -errno;
        if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return errno == EAGAIN ? -ETIMEDOUT : -errno;
        *ret = TAKE(client);
        return 0;
}

VarlinkClient *varlink_client_free(VarlinkClient *client)
{
        if (!client)
                return NULL;
        closep(&client->fd);
        free(client->input);
        free(client);
        return NULL;
}

int varlink_client_send(
        VarlinkClient *client, const char *method, const char *parameters, bool more)
{
        CLEANUP(freep) char *message = NULL;
        char name[VARLINK_INTERFACE_MAX + VARLINK_METHOD_MAX];
        size_t size, sent = 0;
        int r;

        text_format(name, sizeof(name), "%s.%s", INTERFACE_NAME, method);
        r = varlink_call_format(&message, &size, name, parameters, more);

        while (r == 0 && sent < size) {
                ssize_t n = send(client->fd, message + sent, size - sent, MSG_NOSIGNAL);

                if (n >= 0)
                        sent += (size_t)n;
                else if (errno != EINTR)
                        r = errno == EAGAIN ? -ETIMEDOUT : errno == EPIPE ? -ECONNRESET : -errno;
        }
        return r;
}

static int make_room(VarlinkClient *client)
{
        size_t capacity = client->capacity > 0 ? client->capacity * 2 : 16 * 1024;
        char *larger;

        if (client->size < client->capacity)
                return 0;
        larger = capacity <= REPLY_MAX ? realloc(client->input, capacity) : NULL;
        if (!larger)
                return -ENOMEM;
        client->input = larger;
        client->capacity = capacity;
        return 0;
}

/* Receives at least one byte, unless a signal interrupts the wait. */
static int receive_some(VarlinkClient *client, uint64_t deadline_usec)
{
        struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
        ssize_t n;
        int r = make_room(client);

        if (r < 0)
                return r;
        r = poll(&poll_fd, 1, clock_poll_timeout(deadline_usec));
        if (r < 0)
                return errno == EINTR ? 0 : -errno;
        if (r == 0)
                return -ETIMEDOUT;
        n = recv(client->fd, client->input + client->size, client->capacity - client->size,
                MSG_DONTWAIT);
        if (n < 0)
                return errno == EINTR || errno == EAGAIN ? 0 : -errno;
        if (n == 0)
                return -ECONNRESET;
        client->size += (size_t)n;
        return 0;
}

int varlink_client_receive(VarlinkClient *client, VarlinkReply *ret, uint64_t deadline_usec)
{
        size_t searched = 0;

        for (;;) {
                char *end = client->size > searched
                        ? memchr(client->input + searched, '\0', client->size - searched)
                        : NULL;
                int r;

                if (end) {
                        size_t length = (size_t)(end - client->input);

                        r = varlink_reply_parse(ret, client->input, length);
                        client->size -= length + 1;
                        memmove(client->input, end + 1, client->size);
                        return r;
                }
                searched = client->size;
                r = receive_some(client, deadline_usec);
                if (r < 0)
                        return r;
        }
}

int varlink_client_request(
        VarlinkReply *ret, const char *path, const char *method, const char *parameters)
{
        CLEANUP(varlink_client_freep) VarlinkClient *client = NULL;
        int r = varlink_client_new(&client, path);

        if (r == 0)
                r = varlink_client_send(client, method, parameters, false);
        /* A refused client is sent the reason before it has sent its call. */
        if (r == 0 || r == -ECONNRESET)
                r = varlink_client_receive(
                        client, ret, clock_boottime_usec() + VARLINK_CLIENT_TIMEOUT_USEC);
        return r;
}

int varlink_client_call(
        VarlinkReply *ret, const char *path, const char *method, const char *parameters, bool json)
{
        int r = varlink_client_request(ret, path, method, parameters);

        if (r < 0)
                return error_message_unreachable(path, r);
        return ret->error ? error_message_reply(ret, method, json) : EXIT_SUCCESS;
}
