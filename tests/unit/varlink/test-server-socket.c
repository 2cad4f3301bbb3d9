/*
 * The socket on which a server listens, and its file.
 */

#include "tests/unit/test.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/macro.h"
#include "daemon/config/paths.h"
#include "daemon/varlink/server.h"
#include "tests/unit/scratch.h"

static sd_event *event;

static int make(void **state)
{
        return scratch_make(state) == 0 && sd_event_new(&event) >= 0 ? 0 : -1;
}

static int remove_all(void **state)
{
        event = sd_event_unref(event);
        return scratch_remove(state);
}

#define socket_test(test) cmocka_unit_test_setup_teardown(test, make, remove_all)

static int refuse(Connection *connection, const VarlinkCall *call, char **ret,
        const char **ret_error, void *userdata)
{
        return -EIO;
}

static int start(Server **ret)
{
        return server_new(ret, event, scratch_path("socket"), "1", 0, refuse, NULL);
}

static struct sockaddr_un address_of(const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        strcpy(address.sun_path, path);
        return address;
}

static bool can_connect(void)
{
        struct sockaddr_un address = address_of(scratch_path("socket"));
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        bool can = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

        close(fd);
        return can;
}

/* A bound socket; closed, its file stays behind. */
static int bind_one(int backlog)
{
        struct sockaddr_un address = address_of(scratch_path("socket"));
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        if (backlog >= 0)
                assert_int_equal(listen(fd, backlog), 0);
        return fd;
}

static void test_anyone_may_connect_and_the_file_goes_with_the_server(void **state)
{
        mode_t mask = umask(0077);
        Server *server = NULL;
        struct stat st;

        assert_int_equal(start(&server), 0);
        umask(mask);
        assert_int_equal(lstat(scratch_path("socket"), &st), 0);
        assert_true(S_ISSOCK(st.st_mode));
        assert_int_equal(st.st_mode & 07777, 0666);
        assert_true(can_connect());
        assert_null(server_free(server));
        assert_int_equal(scratch_count(""), 0);
}

static void test_a_socket_without_a_listener_is_replaced(void **state)
{
        Server *server = NULL;

        close(bind_one(5));
        assert_false(can_connect());
        assert_int_equal(start(&server), 0);
        assert_true(can_connect());
        server_free(server);
}

static void test_a_socket_with_a_listener_is_not_replaced(void **state)
{
        Server *server = NULL, *second = NULL;

        assert_int_equal(start(&server), 0);
        assert_int_equal(start(&second), -EADDRINUSE);
        assert_null(second);
        assert_true(can_connect());
        server_free(server);
}

static void test_a_socket_with_a_full_queue_is_not_replaced(void **state)
{
        struct sockaddr_un address = address_of(scratch_path("socket"));
        int listener = bind_one(0), fds[16];
        Server *server = NULL;
        size_t n = 0;

        do {
                fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        } while (connect(fds[n++], (struct sockaddr *)&address, sizeof(address)) == 0 &&
                n < ARRAY_SIZE(fds));
        assert_int_equal(errno, EAGAIN);
        assert_int_equal(start(&server), -EADDRINUSE);
        while (n > 0)
                close(fds[--n]);
        close(listener);
}

static void test_a_path_too_long_for_a_socket_is_refused(void **state)
{
        struct sockaddr_un address;
        char path[sizeof(address.sun_path) + 1];
        Server *server = NULL;

        memset(path, 'x', sizeof(path) - 1);
        path[0] = '/';
        path[sizeof(path) - 1] = '\0';
        assert_int_equal(server_new(&server, event, path, "1", 0, refuse, NULL), -ENAMETOOLONG);
        assert_null(server);
        assert_int_equal(
                server_new(&server, event, scratch_path("missing/socket"), "1", 0, refuse, NULL),
                -ENOENT);
        assert_null(server);
}

/* As systemd hands a socket over. In a child, because sd_listen_fds() expects the own process id
 * and fixed descriptors. */
static bool listen_as_systemd(const char *path)
{
        struct sockaddr_un address = address_of(path);
        int listener = socket(AF_UNIX, SOCK_STREAM, 0);
        char pid[16];

        snprintf(pid, sizeof(pid), "%d", (int)getpid());
        if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
                listen(listener, 5) < 0 || dup2(listener, 3) < 0)
                return false;
        if (listener != 3)
                close(listener);
        return setenv("LISTEN_PID", pid, 1) == 0 && setenv("LISTEN_FDS", "1", 1) == 0;
}

_Noreturn static void take_over(const char *path)
{
        sd_event *loop = NULL;
        Server *server = NULL;

        if (!listen_as_systemd(path))
                _exit(1);
        if (sd_event_new(&loop) < 0 || server_new(&server, loop, path, "1", 0, refuse, NULL) < 0)
                _exit(2);
        if (!can_connect() || sd_event_run(loop, 0) <= 0)
                _exit(3);
        server_free(server);
        _exit(access(scratch_path("socket"), F_OK) < 0 ? 4 : 0);
}

static void test_a_socket_of_systemd_is_taken_over_and_its_file_stays(void **state)
{
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0)
                take_over(scratch_path("socket"));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_the_first_client_is_held_until_the_server_accepts(void **state)
{
        Server *server = NULL;

        assert_int_equal(
                server_new(&server, event, scratch_path("socket"), "1", USEC_NEVER, refuse, NULL),
                0);
        assert_true(can_connect());
        assert_int_equal(sd_event_run(event, 0), 0);
        assert_true(server_is_held(server));
        server_accept(server);
        assert_false(server_is_held(server));
        server_accept(server);
        assert_true(sd_event_run(event, 0) > 0);
        server_free(server);
}

static void test_the_hold_of_the_first_client_ends(void **state)
{
        Server *server = NULL;

        assert_int_equal(
                server_new(&server, event, scratch_path("socket"), "1", 1, refuse, NULL), 0);
        assert_true(can_connect());
        assert_true(sd_event_run(event, UINT64_MAX) > 0); /* the timer */
        assert_true(sd_event_run(event, UINT64_MAX) > 0); /* the client */
        server_free(server);
}

/* A daemon that cannot start, with two clients. */
_Noreturn static void refuse_all(void)
{
        static const char expected[] = "{\"error\":\"io.binlogssl.Manager.NotStarted\","
                                       "\"parameters\":{\"text\":\"a:5: b\"}}";
        struct sockaddr_un address = address_of(scratch_path(PATHS_SOCKET_NAME));
        char directory[PATH_MAX], reply[256];
        int clients[2];

        strcpy(directory, address.sun_path);
        *strrchr(directory, '/') = '\0';
        if (!listen_as_systemd(address.sun_path) || setenv("RUNTIME_DIRECTORY", directory, 1) < 0)
                _exit(1);
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
                clients[i] = socket(AF_UNIX, SOCK_STREAM, 0);
                if (connect(clients[i], (struct sockaddr *)&address, sizeof(address)) < 0)
                        _exit(2);
        }
        server_refuse("a:5: b");
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
                if (recv(clients[i], reply, sizeof(reply), 0) != (ssize_t)sizeof(expected) ||
                        memcmp(reply, expected, sizeof(expected)) != 0 ||
                        recv(clients[i], reply, sizeof(reply), 0) != 0)
                        _exit(3);
        _exit(0);
}

static void test_the_clients_of_a_daemon_that_cannot_start_get_the_reason(void **state)
{
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0)
                refuse_all();
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_a_file_that_is_no_socket_is_not_replaced(void **state)
{
        Server *server = NULL;

        scratch_write_text("socket", "somebody's");
        assert_int_equal(
                server_new(&server, event, scratch_path("socket"), "1", 0, refuse, NULL), -EEXIST);
        assert_int_equal(access(scratch_path("socket"), F_OK), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                socket_test(test_anyone_may_connect_and_the_file_goes_with_the_server),
                socket_test(test_a_socket_without_a_listener_is_replaced),
                socket_test(test_a_socket_with_a_listener_is_not_replaced),
                socket_test(test_a_file_that_is_no_socket_is_not_replaced),
                socket_test(test_a_socket_with_a_full_queue_is_not_replaced),
                socket_test(test_a_path_too_long_for_a_socket_is_refused),
                socket_test(test_the_first_client_is_held_until_the_server_accepts),
                socket_test(test_the_hold_of_the_first_client_ends),
                socket_test(test_a_socket_of_systemd_is_taken_over_and_its_file_stays),
                socket_test(test_the_clients_of_a_daemon_that_cannot_start_get_the_reason),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
