#include "tests/unit/loopback.h"

#include "tests/unit/test.h"

#include <sys/socket.h>

#include <netinet/in.h>

int loopback_bind(unsigned *ret_port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
        *ret_port = ntohs(address.sin_port);
        return fd;
}
