#include "tests/unit/conversation.h"

#include "tests/unit/test.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

static sd_event *event;
static Server *server;
static unsigned n_calls;
static size_t large_size;

static int answer_large(char **ret)
{
        char *text = malloc(large_size + 1);
        int r;

        if (!text)
                return -ENOMEM;
        memset(text, 'x', large_size);
        text[large_size] = '\0';
        r = varlink_pair_format(ret, "text", text);
        free(text);
        return r;
}

static int stream_one(Connection *connection, ConnectionCursor *cursor, char **ret, void *userdata)
{
        *ret = strdup("{\"n\":0}");
        return *ret ? 0 : -ENOMEM;
}

static int answer(Connection *connection, const VarlinkCall *call, char **ret,
        const char **ret_error, void *userdata)
{
        assert_ptr_equal(userdata, &n_calls);
        n_calls++;
        if (strcmp(call->method, "Hang") == 0)
                return -EIO;
        if (strcmp(call->method, "Refuse") == 0) {
                *ret_error = "io.binlogssl.Manager.Refused";
                return varlink_pair_format(ret, "why", "asked to");
        }
        if (strcmp(call->method, "Stream") == 0) {
                connection_stream(connection, stream_one, NULL);
                return 0;
        }
        if (strcmp(call->method, "Later") == 0) {
                connection_postpone(connection);
                return 0;
        }
        if (strcmp(call->method, "Who") == 0) {
                return asprintf(ret, "{\"uid\":%u,\"member\":%d,\"stranger\":%d}",
                               connection_peer_uid(connection),
                               connection_peer_is_member(connection, getgid()),
                               connection_peer_is_member(connection, 12345)) < 0
                        ? -ENOMEM
                        : 0;
        }
        if (large_size > 0)
                return answer_large(ret);
        return asprintf(ret, "{\"n\":%u}", n_calls) < 0 ? -ENOMEM : 0;
}

int conversation_make_with(void **state, connection_call_fn fn, void *userdata)
{
        if (scratch_make(state) < 0 || sd_event_new(&event) < 0)
                return -1;
        return server_new(&server, event, conversation_path(), "1.2.3", 0, fn, userdata);
}

int conversation_make(void **state)
{
        n_calls = 0;
        large_size = 0;
        return conversation_make_with(state, answer, &n_calls);
}

int conversation_remove(void **state)
{
        server = server_free(server);
        event = sd_event_unref(event);
        return scratch_remove(state);
}

const char *conversation_path(void)
{
        return scratch_path("socket");
}

int conversation_connect(void)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        assert_true(fd >= 0);
        strcpy(address.sun_path, conversation_path());
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

bool conversation_turn(void)
{
        int r = sd_event_run(event, 0);

        assert_true(r >= 0);
        return r > 0;
}

void conversation_settle(void)
{
        while (conversation_turn())
                ;
}

void conversation_send(int fd, const void *data, size_t size)
{
        const char *bytes = data;

        while (size > 0) {
                ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

                if (n < 0 && errno != EAGAIN)
                        return; /* disconnected: the test finds no answer */
                if (n > 0) {
                        bytes += n;
                        size -= (size_t)n;
                }
                conversation_settle();
        }
}

const char *conversation_receive(int fd)
{
        static char message[2 * 1024 * 1024];
        size_t size = 0;

        while (size < sizeof(message)) {
                ssize_t n;

                conversation_settle();
                /* Byte by byte, so that the next message stays in the socket. */
                n = recv(fd, message + size, 1, 0);
                if (n == 0 || (n < 0 && errno == ECONNRESET))
                        return NULL;
                if (n < 0)
                        fail_msg("no answer: %s", strerror(errno));
                if (message[size++] == '\0')
                        return message;
        }
        fail_msg("answer is too long");
        return NULL;
}

void conversation_expect(int fd, const char *call, const char *expected)
{
        const char *received;

        conversation_send(fd, call, strlen(call) + 1);
        received = conversation_receive(fd);
        if (!received || !expected)
                assert_ptr_equal(received, expected);
        else
                assert_string_equal(received, expected);
}

void conversation_expect_silence(int fd)
{
        char byte;

        conversation_settle();
        assert_int_equal(recv(fd, &byte, 1, MSG_PEEK), -1);
        assert_int_equal(errno, EAGAIN);
}

sd_event *conversation_event(void)
{
        return event;
}

Server *conversation_server(void)
{
        return server;
}

unsigned conversation_n_calls(void)
{
        return n_calls;
}

void conversation_answer_large(size_t size)
{
        large_size = size;
}
