#include "daemon/server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "common/clock.h"
#include "daemon/interface.h"

#define SERVER_URL "https://varlink.org"

typedef struct Client {
        Server *server;
        int fd;
        sd_event_source *io;
        sd_event_source *idle;
        char *input; /* grows to SERVER_MESSAGE_MAX */
        size_t input_size, input_capacity;
        char *output;
        size_t output_size, output_sent;
        bool finished; /* the other side will send no more */
} Client;

struct Server {
        sd_event *event;
        int fd;
        char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "" when systemd owns it */
        const char *version;
        server_call_fn fn;
        void *userdata;
        sd_event_source *accept_source;
        Client *clients[SERVER_CLIENTS_MAX];
};

int server_format_pair(char **ret, const char *name, const char *value)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        size_t size;
        int r = json_writer_new(&writer);

        if (r < 0)
                return r;
        json_open_object(writer);
        json_key(writer, name);
        json_string(writer, value);
        json_close_object(writer);
        return json_writer_finish(writer, ret, &size);
}

static void client_free(Client *client)
{
        Server *server = client->server;

        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
                if (server->clients[i] == client)
                        server->clients[i] = NULL;
        sd_event_source_disable_unref(client->io);
        sd_event_source_disable_unref(client->idle);
        close(client->fd);
        free(client->input);
        free(client->output);
        free(client);
}

static int answer_info(const Server *server, char **ret)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        const char *pairs[][2] = {{"vendor", "binlog-ssld"}, {"product", "binlog-ssld"},
                {"version", server->version}, {"url", SERVER_URL}};
        size_t size;
        int r = json_writer_new(&writer);

        if (r < 0)
                return r;
        json_open_object(writer);
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                json_key(writer, pairs[i][0]);
                json_string(writer, pairs[i][1]);
        }
        json_key(writer, "interfaces");
        json_open_array(writer);
        json_string(writer, INTERFACE_SERVICE_NAME);
        json_string(writer, INTERFACE_NAME);
        json_close_array(writer);
        json_close_object(writer);
        return json_writer_finish(writer, ret, &size);
}

static int answer_description(const VarlinkCall *call, char **ret, const char **ret_error)
{
        const char *wanted = "interface";
        const char *name = json_get_string(json_member(call->parameters, wanted));
        const char *wrong = NULL, *text = NULL;

        for (size_t i = 0; i < json_size(call->parameters); i++)
                if (strcmp(json_key_at(call->parameters, i), wanted) != 0)
                        wrong = json_key_at(call->parameters, i);
        if (wrong || !name) {
                *ret_error = VARLINK_ERROR_INVALID_PARAMETER;
                return server_format_pair(ret, "parameter", wrong ? wrong : wanted);
        }
        if (strcmp(name, INTERFACE_NAME) == 0)
                text = interface_description;
        else if (strcmp(name, INTERFACE_SERVICE_NAME) == 0)
                text = interface_service_description;
        if (text)
                return server_format_pair(ret, "description", text);
        *ret_error = VARLINK_ERROR_INTERFACE_NOT_FOUND;
        return server_format_pair(ret, "interface", name);
}

static int answer(const Server *server, const VarlinkCall *call, char **ret, const char **ret_error)
{
        char method[VARLINK_INTERFACE_MAX + VARLINK_METHOD_MAX];

        if (strcmp(call->interface, INTERFACE_NAME) == 0)
                return server->fn(call, ret, ret_error, server->userdata);
        if (strcmp(call->interface, INTERFACE_SERVICE_NAME) != 0) {
                *ret_error = VARLINK_ERROR_INTERFACE_NOT_FOUND;
                return server_format_pair(ret, "interface", call->interface);
        }
        if (strcmp(call->method, "GetInterfaceDescription") == 0)
                return answer_description(call, ret, ret_error);
        if (strcmp(call->method, "GetInfo") != 0) {
                snprintf(method, sizeof(method), "%s.%s", call->interface, call->method);
                *ret_error = VARLINK_ERROR_METHOD_NOT_FOUND;
                return server_format_pair(ret, "method", method);
        }
        if (json_size(call->parameters) == 0)
                return answer_info(server, ret);
        *ret_error = VARLINK_ERROR_INVALID_PARAMETER;
        return server_format_pair(ret, "parameter", json_key_at(call->parameters, 0));
}

/* Negative: the connection is of no use any more. */
static int handle_message(Client *client, const char *message, size_t size)
{
        CLEANUP(varlink_call_done) VarlinkCall call = VARLINK_CALL_NULL;
        CLEANUP(freep) char *parameters = NULL;
        const char *error = NULL;
        int r;

        r = varlink_call_parse(&call, message, size);
        if (r == 0)
                r = answer(client->server, &call, &parameters, &error);
        if (r < 0 || call.oneway)
                return r;
        return varlink_reply_format(
                &client->output, &client->output_size, parameters, error, false);
}

static int client_send(Client *client)
{
        while (client->output_sent < client->output_size) {
                ssize_t n = send(client->fd, client->output + client->output_sent,
                        client->output_size - client->output_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                client->output_sent += (size_t)n;
        }
        free(client->output);
        client->output = NULL;
        client->output_size = client->output_sent = 0;
        return 0;
}

/* Answers complete messages in their order, one at a time: while an answer is not out, the next
 * message waits, and so does its sender. */
static int client_process(Client *client)
{
        while (!client->output) {
                char *end = client->input_size > 0 ? memchr(client->input, '\0', client->input_size)
                                                   : NULL;
                size_t size;
                int r;

                if (!end)
                        return client->input_size >= SERVER_MESSAGE_MAX ? -EMSGSIZE : 0;
                size = (size_t)(end - client->input);
                r = handle_message(client, client->input, size);
                if (r < 0)
                        return r;
                client->input_size -= size + 1;
                memmove(client->input, end + 1, client->input_size);
                r = client_send(client);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int client_receive(Client *client)
{
        ssize_t n;

        if (client->input_size == client->input_capacity) {
                size_t capacity = client->input_capacity > 0 ? client->input_capacity * 2 : 1024;
                char *input = realloc(client->input, capacity);

                if (!input)
                        return -ENOMEM;
                client->input = input;
                client->input_capacity = capacity;
        }
        n = recv(client->fd, client->input + client->input_size,
                client->input_capacity - client->input_size, MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        client->finished = n == 0;
        client->input_size += (size_t)n;
        return 0;
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Client *client = userdata;
        int r = 0;

        (void)fd;
        if (events & EPOLLOUT)
                r = client_send(client);
        if (r == 0 && (events & (EPOLLIN | EPOLLHUP)) && !client->output)
                r = client_receive(client);
        if (r == 0)
                r = client_process(client);
        if (r < 0 || (events & EPOLLERR) || (client->finished && !client->output)) {
                client_free(client);
                return 0;
        }
        (void)sd_event_source_set_io_events(source, client->output ? EPOLLOUT : EPOLLIN);
        (void)sd_event_source_set_time_relative(client->idle, SERVER_IDLE_USEC);
        return 0;
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)source;
        (void)usec;
        client_free(userdata);
        return 0;
}

static int client_new(Server *server, size_t slot, int fd)
{
        Client *client = calloc(1, sizeof(*client));
        int r;

        if (!client) {
                close(fd);
                return -ENOMEM;
        }
        *client = (Client){.server = server, .fd = fd};
        server->clients[slot] = client;
        r = sd_event_add_io(server->event, &client->io, fd, EPOLLIN, on_client, client);
        if (r == 0)
                r = sd_event_add_time_relative(server->event, &client->idle, CLOCK_BOOTTIME,
                        SERVER_IDLE_USEC, USEC_PER_SEC, on_idle, client);
        if (r < 0)
                client_free(client);
        return r;
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Server *server = userdata;
        int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        (void)source;
        (void)events;
        if (client_fd < 0)
                return 0;
        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
                if (!server->clients[i]) {
                        (void)client_new(server, i, client_fd);
                        return 0;
                }
        close(client_fd); /* full: whoever comes now has to come again */
        return 0;
}

static bool somebody_listens(const struct sockaddr_un *address)
{
        CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return fd >= 0 &&
                (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
                        errno == EAGAIN);
}

static int listen_on(Server *server, const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int n;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        n = sd_listen_fds(0);
        for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
                if (sd_is_socket_unix(fd, SOCK_STREAM, 1, path, 0) > 0) {
                        server->fd = fd;
                        return 0;
                }
        server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (server->fd < 0)
                return -errno;
        if (somebody_listens(&address))
                return -EADDRINUSE;
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        if (bind(server->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        memcpy(server->path, path, strlen(path) + 1);
        if (chmod(path, 0666) < 0 || listen(server->fd, SERVER_CLIENTS_MAX) < 0)
                return -errno;
        return 0;
}

int server_new(Server **ret, sd_event *event, const char *path, const char *version,
        server_call_fn fn, void *userdata)
{
        CLEANUP(server_freep) Server *server = calloc(1, sizeof(*server));
        int r;

        if (!server)
                return -ENOMEM;
        *server = (Server){.event = sd_event_ref(event),
                .fd = -1,
                .version = version,
                .fn = fn,
                .userdata = userdata};
        r = listen_on(server, path);
        if (r == 0)
                r = sd_event_add_io(
                        event, &server->accept_source, server->fd, EPOLLIN, on_accept, server);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(server->accept_source, "server-accept");
        *ret = TAKE(server);
        return 0;
}

Server *server_free(Server *server)
{
        if (!server)
                return NULL;
        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
                if (server->clients[i])
                        client_free(server->clients[i]);
        sd_event_source_disable_unref(server->accept_source);
        if (server->path[0] != '\0')
                (void)unlink(server->path);
        if (server->fd >= 0)
                close(server->fd);
        sd_event_unref(server->event);
        free(server);
        return NULL;
}
