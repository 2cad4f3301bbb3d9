#include "daemon/varlink/server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "common/clock.h"
#include "common/varlink.h"
#include "daemon/config/paths.h"
#include "daemon/model/interface.h"
#include "daemon/status/journal.h"
#include "daemon/varlink/service.h"

#define SERVER_REGISTRY_LINK "/run/varlink/registry/" PATHS_SOCKET_NAME

/* After accept(2) failed for lack of resources: the client stays in the queue, so the loop would
 * wake up again at once. */
#define SERVER_PAUSE_USEC (100 * USEC_PER_MSEC)

/* Between two lines of the journal about clients that were refused. */
#define SERVER_REFUSAL_USEC USEC_PER_MIN

struct Server {
        sd_event *event;
        int fd;
        char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "": a socket of systemd */
        const char *version;
        connection_call_fn fn;
        void *userdata;
        sd_event_source *accept_source;
        sd_event_source *pause_timer;
        Backlog *backlog;
        bool accepts;          /* the hold of the start is over */
        bool linked;           /* the registry has a link to `path` */
        uint64_t refused_usec; /* boot time of the last line about a refusal; 0: none */
        Connection *clients[SERVER_CLIENTS_MAX];
};

static int on_call(Connection *connection, const VarlinkCall *call, char **ret,
        const char **ret_error, void *userdata)
{
        const Server *server = userdata;

        if (strcmp(call->interface, INTERFACE_NAME) == 0)
                return server->fn(connection, call, ret, ret_error, server->userdata);
        return service_answer(call, server->version, ret, ret_error);
}

static void on_end(Connection *connection, void *userdata)
{
        Server *server = userdata;

        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
                if (server->clients[i] == connection)
                        server->clients[i] = connection_free(connection);
}

static void pause_accept(Server *server, uint64_t usec)
{
        (void)sd_event_source_set_io_events(server->accept_source, 0);
        (void)sd_event_source_set_time_relative(server->pause_timer, usec);
        (void)sd_event_source_set_enabled(server->pause_timer, SD_EVENT_ONESHOT);
}

/* Unless that fails, which prolongs the pause. */
static void resume_accept(Server *server)
{
        server->accepts = sd_event_source_set_io_events(server->accept_source, EPOLLIN) >= 0;
        if (server->accepts)
                (void)sd_event_source_set_enabled(server->pause_timer, SD_EVENT_OFF);
        else
                pause_accept(server, SERVER_PAUSE_USEC);
}

static int on_pause(sd_event_source *source, uint64_t usec, void *userdata)
{
        resume_accept(userdata);
        return 0;
}

static uid_t uid_of(int fd)
{
        struct ucred peer;
        socklen_t size = sizeof(peer);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ? (uid_t)-1 : peer.uid;
}

/* Returns false for root and the service's own user. */
static bool is_other(uid_t uid)
{
        return uid != 0 && uid != geteuid();
}

/* Returns a free place for a client of that user, or NULL. `ret_n`: its clients so far. */
static Connection **find_place(Server *server, uid_t uid, unsigned *ret_n)
{
        Connection **place = NULL;
        unsigned n_others = 0;

        *ret_n = 0;
        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++) {
                uid_t other;

                if (!server->clients[i]) {
                        place = &server->clients[i];
                        continue;
                }
                other = connection_peer_uid(server->clients[i]);
                n_others += is_other(other);
                *ret_n += other == uid;
        }
        if (is_other(uid) &&
                (n_others >= SERVER_CLIENTS_MAX - SERVER_CLIENTS_RESERVED ||
                        *ret_n >= SERVER_CLIENTS_OF_USER_MAX))
                return NULL;
        return place;
}

/* The client learns why, whatever it calls. */
static void refuse(Server *server, int client_fd, uid_t uid, unsigned n_of_user)
{
        static const char reply[] = "{\"error\":\"" INTERFACE_NAME ".TooManyClients\"}";
        uint64_t now_usec = clock_boottime_usec();

        (void)send(client_fd, reply, sizeof(reply), MSG_DONTWAIT | MSG_NOSIGNAL);
        close(client_fd);
        if (server->refused_usec == 0 || now_usec - server->refused_usec >= SERVER_REFUSAL_USEC) {
                server->refused_usec = now_usec;
                journal_client_refused(uid, n_of_user);
        }
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Server *server = userdata;
        int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        Connection **place;
        unsigned n_of_user;
        uid_t uid;

        if (client_fd < 0) {
                if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
                        return 0;
                pause_accept(server, SERVER_PAUSE_USEC);
                return 0;
        }
        uid = uid_of(client_fd);
        place = find_place(server, uid, &n_of_user);
        if (place)
                (void)connection_new(place, server->event, client_fd, uid, server->backlog, on_call,
                        on_end, server);
        else
                refuse(server, client_fd, uid, n_of_user);
        return 0;
}

/* Returns the socket that systemd passed for `path`, or -1. It is made non-blocking, so that
 * accept(2) does not wait when a client has left the queue. */
static int inherited_fd(const char *path)
{
        int n = sd_listen_fds(0);

        for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
                if (sd_is_socket_unix(fd, SOCK_STREAM, 1, path, 0) > 0) {
                        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
                        return fd;
                }
        return -1;
}

static int socket_new(void)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return fd < 0 ? -errno : fd;
}

/* Removes the socket of a daemon that was killed, which has no listener. Refuses any other file,
 * and a socket whose listener cannot be ruled out. */
static int remove_leftover(const struct sockaddr_un *address)
{
        CLEANUP(closep) int fd = -1;
        struct stat st;

        if (lstat(address->sun_path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(st.st_mode))
                return -EEXIST;
        fd = socket_new();
        if (fd < 0)
                return fd;
        if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
                errno != ECONNREFUSED)
                return -EADDRINUSE;
        return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int listen_on(Server *server, const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int r;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        server->fd = inherited_fd(path);
        if (server->fd >= 0)
                return 0;
        r = remove_leftover(&address);
        if (r < 0)
                return r;
        server->fd = socket_new();
        if (server->fd < 0)
                return server->fd;
        if (bind(server->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        memcpy(server->path, path, strlen(path) + 1);
        if (chmod(path, 0666) < 0 || listen(server->fd, SERVER_CLIENTS_MAX) < 0)
                return -errno;
        return 0;
}

/* Clients find the services of a machine by name in this directory (varlink.org). Without
 * permission to write there the service has no link. */
static void link_registry(Server *server)
{
        if (server->path[0] != '\0' && symlink(server->path, SERVER_REGISTRY_LINK) == 0)
                server->linked = true;
}

int server_new(Server **ret, sd_event *event, const char *path, const char *version,
        uint64_t hold_usec, connection_call_fn fn, void *userdata)
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
        r = backlog_new(&server->backlog);
        if (r == 0)
                r = listen_on(server, path);
        if (r == 0)
                r = sd_event_add_io(
                        event, &server->accept_source, server->fd, EPOLLIN, on_accept, server);
        if (r >= 0)
                r = sd_event_source_set_priority(server->accept_source, CONNECTION_PRIORITY);
        if (r >= 0)
                r = sd_event_add_time(event, &server->pause_timer, CLOCK_BOOTTIME, USEC_NEVER, 1,
                        on_pause, server);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(server->accept_source, "server-accept");
        server->accepts = hold_usec == 0;
        if (hold_usec > 0)
                pause_accept(server, hold_usec);
        link_registry(server);
        *ret = TAKE(server);
        return 0;
}

bool server_is_held(const Server *server)
{
        return !server->accepts;
}

void server_accept(Server *server)
{
        if (!server->accepts)
                resume_accept(server);
}

void server_refuse(const char *reason)
{
        CLEANUP(freep) char *parameters = NULL, *reply = NULL;
        char path[PATH_MAX];
        int fd = paths_socket(path, sizeof(path)) < 0 ? -1 : inherited_fd(path), client_fd;
        size_t size = 0;

        if (varlink_pair_format(&parameters, "text", reason) == 0)
                (void)varlink_reply_format(
                        &reply, &size, parameters, INTERFACE_NAME ".NotStarted", false);
        while (fd >= 0 && (client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                if (reply)
                        (void)send(client_fd, reply, size, MSG_DONTWAIT | MSG_NOSIGNAL);
                close(client_fd);
        }
}

Server *server_free(Server *server)
{
        if (!server)
                return NULL;
        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
                connection_free(server->clients[i]);
        sd_event_source_disable_unref(server->accept_source);
        sd_event_source_disable_unref(server->pause_timer);
        if (server->linked)
                (void)unlink(SERVER_REGISTRY_LINK);
        if (server->path[0] != '\0')
                (void)unlink(server->path);
        if (server->fd >= 0)
                close(server->fd);
        backlog_free(server->backlog);
        sd_event_unref(server->event);
        free(server);
        return NULL;
}

void server_publish(Server *server, const char *parameters)
{
        bool lost = backlog_append(server->backlog, parameters) < 0;

        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
                if (server->clients[i] && connection_is_streaming(server->clients[i]))
                        connection_published(server->clients[i], lost);
}

void server_answer(Server *server, int r, const char *parameters, const char *error)
{
        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
                if (server->clients[i] && connection_is_postponed(server->clients[i]))
                        connection_answer(server->clients[i], r, parameters, error);
}

bool server_has_subscribers(const Server *server)
{
        for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
                if (server->clients[i] && connection_is_streaming(server->clients[i]))
                        return true;
        return false;
}
