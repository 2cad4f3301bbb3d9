#include "ctl/client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "daemon/config.h"
#include "daemon/server.h"

#define CLIENT_REPLY_MAX   (64 * 1024 * 1024)
#define CLIENT_TIMEOUT_SEC 10

static int connect_to(const char *path)
{
        CLEANUP(closep) int fd = -1;
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_SEC};
        char directory[CONFIG_PATH_MAX], fallback[PATH_MAX];

        if (!path) {
                int r = config_directory(directory, sizeof(directory), CONFIG_DIRECTORY_RUNTIME);

                if (r < 0)
                        return r;
                snprintf(fallback, sizeof(fallback), "%s/%s", directory, SERVER_SOCKET_NAME);
                path = fallback;
        }
        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
                setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int receive(char **ret, size_t *ret_size, int fd)
{
        CLEANUP(freep) char *reply = NULL;
        size_t size = 0, capacity = 0;

        for (;;) {
                ssize_t n;

                if (size == capacity) {
                        char *larger;

                        capacity = capacity > 0 ? capacity * 2 : 16 * 1024;
                        larger = capacity <= CLIENT_REPLY_MAX ? realloc(reply, capacity) : NULL;
                        if (!larger)
                                return -ENOMEM;
                        reply = larger;
                }
                n = recv(fd, reply + size, capacity - size, 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? -ETIMEDOUT : -errno;
                if (n == 0)
                        return -ECONNRESET;
                size += (size_t)n;
                if (reply[size - 1] == '\0') {
                        *ret_size = size - 1;
                        *ret = TAKE(reply);
                        return 0;
                }
        }
}

int client_call(VarlinkReply *ret, const char *path, const char *method, const char *parameters)
{
        CLEANUP(closep) int fd = connect_to(path);
        CLEANUP(freep) char *call = NULL;
        CLEANUP(freep) char *reply = NULL;
        size_t size;
        int r;

        if (fd < 0)
                return fd;
        r = varlink_call_format(&call, &size, method, parameters, false);
        if (r == 0)
                r = file_write_all(fd, call, size);
        if (r == 0)
                r = receive(&reply, &size, fd);
        return r < 0 ? r : varlink_reply_parse(ret, reply, size);
}
