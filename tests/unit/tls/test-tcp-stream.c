#include "tests/unit/test.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/macro.h"
#include "daemon/tls/tcp-stream.h"
#include "tests/unit/loopback.h"

#define LONG  (60 * USEC_PER_SEC)
#define SHORT (20 * USEC_PER_MSEC)

static TcpStream stream;
static int peer_fd;

static int setup(void **state)
{
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        peer_fd = pair[1];
        stream = (TcpStream){
                .fd = pair[0], .deadline_usec = clock_boottime_usec() + LONG, .budget = 100};
        return 0;
}

static int teardown(void **state)
{
        if (peer_fd >= 0)
                close(peer_fd);
        tcp_stream_done(&stream);
        assert_int_equal(stream.fd, -1);
        return 0;
}

static void peer_send(size_t size)
{
        char bytes[256];

        memset(bytes, 'x', sizeof(bytes));
        assert_int_equal(send(peer_fd, bytes, size, 0), size);
}

static void test_bytes_are_received_and_counted(void **state)
{
        char buffer[50];

        peer_send(30);
        assert_int_equal(tcp_stream_receive(&stream, buffer, sizeof(buffer)), 30);
        assert_int_equal(stream.budget, 70);
        peer_send(60);
        assert_int_equal(tcp_stream_receive(&stream, buffer, sizeof(buffer)), 50);
        assert_int_equal(stream.budget, 20);
}

static void test_no_more_is_received_than_the_budget(void **state)
{
        uint8_t buffer[256];

        peer_send(200);
        assert_int_equal(tcp_stream_receive_all(&stream, buffer, 101), -EMSGSIZE);
        assert_int_equal(tcp_stream_receive(&stream, buffer, 1), -EMSGSIZE);
        assert_int_equal(
                recv(stream.fd, buffer, sizeof(buffer), 0), 100); /* the rest was not read */
}

static void test_a_closed_connection_is_an_error(void **state)
{
        uint8_t buffer[8];

        peer_send(3);
        close(peer_fd);
        peer_fd = -1;
        assert_int_equal(tcp_stream_receive_all(&stream, buffer, 4), -ENODATA);
}

static void test_no_call_waits_beyond_the_deadline(void **state)
{
        static const uint8_t block[1 << 16];
        uint64_t begin_usec = clock_boottime_usec();
        uint8_t buffer[8];
        int r = 0;

        stream.deadline_usec = begin_usec + SHORT;
        peer_send(3);
        assert_int_equal(tcp_stream_receive_all(&stream, buffer, 4), -ETIMEDOUT);
        assert_true(clock_boottime_usec() >= begin_usec + SHORT);
        stream.deadline_usec = clock_boottime_usec() + SHORT;
        for (int i = 0; i < 1000 && r == 0; i++)
                r = tcp_stream_send_all(&stream, block, sizeof(block));
        assert_int_equal(r, -ETIMEDOUT);
}

static void test_a_deadline_in_the_past_allows_no_call(void **state)
{
        uint8_t buffer[8];

        stream.deadline_usec = 1;
        peer_send(8);
        assert_int_equal(tcp_stream_receive(&stream, buffer, sizeof(buffer)), -ETIMEDOUT);
        assert_int_equal(tcp_stream_send_all(&stream, buffer, sizeof(buffer)), -ETIMEDOUT);
}

static void test_a_listening_port_is_connected_to(void **state)
{
        CLEANUP(tcp_stream_done) TcpStream client = TCP_STREAM_NULL;
        char address[TCP_STREAM_ADDRESS_MAX] = "";
        unsigned port;
        CLEANUP(closep) int fd = loopback_bind(&port);

        client.deadline_usec = clock_boottime_usec() + LONG;
        assert_int_equal(tcp_stream_connect(&client, "127.0.0.1", port, address), -ECONNREFUSED);
        assert_int_equal(client.fd, -1);
        assert_string_equal(address, "");
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(tcp_stream_connect(&client, "127.0.0.1", port, address), 0);
        assert_true(client.fd >= 0);
        assert_string_equal(address, "127.0.0.1");
}

/* Fills the accept queue: the kernel then drops every further connection request. */
static int fill_queue(unsigned port, int fd, int waiting[2])
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                .sin_port = htons((uint16_t)port),
                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};

        for (int i = 0; i < 2; i++) {
                waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
                (void)connect(waiting[i], (struct sockaddr *)&address, sizeof(address));
        }
        return listen(fd, 0);
}

static struct addrinfo *resolve(unsigned port)
{
        static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        struct addrinfo *list = NULL;
        char service[8];

        snprintf(service, sizeof(service), "%u", port);
        assert_int_equal(getaddrinfo("127.0.0.1", service, &hints, &list), 0);
        return list;
}

static void test_each_address_is_tried_for_its_share_of_the_time(void **state)
{
        CLEANUP(tcp_stream_done) TcpStream client = TCP_STREAM_NULL;
        char address[TCP_STREAM_ADDRESS_MAX] = "";
        unsigned ports[3];
        struct addrinfo *list[3];
        int fds[3], waiting[2];
        uint64_t begin_usec;

        for (int i = 0; i < 3; i++) {
                fds[i] = loopback_bind(&ports[i]);
                list[i] = resolve(ports[i]);
                if (i > 0)
                        list[i - 1]->ai_next = list[i];
        }
        assert_int_equal(listen(fds[1], 0), 0);
        assert_int_equal(fill_queue(ports[1], fds[1], waiting), 0);
        assert_int_equal(listen(fds[2], 1), 0);
        begin_usec = clock_boottime_usec();
        client.deadline_usec = begin_usec + 2 * USEC_PER_SEC;
        assert_int_equal(tcp_stream_connect_each(&client, list[0], address), 0);
        assert_true(
                clock_boottime_usec() - begin_usec > 900 * USEC_PER_MSEC); /* the second's share */
        freeaddrinfo(list[0]);
        for (int i = 0; i < 3; i++)
                close(fds[i]);
        close(waiting[0]);
        close(waiting[1]);
}

static void test_a_name_without_an_address_is_an_error(void **state)
{
        char address[TCP_STREAM_ADDRESS_MAX] = "";
        TcpStream client = TCP_STREAM_NULL;

        client.deadline_usec = clock_boottime_usec() + LONG;
        assert_int_equal(
                tcp_stream_connect(&client, "300.0.0.1.invalid", 1, address), -EADDRNOTAVAIL);
        assert_int_equal(client.fd, -1);
}

#define stream_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                stream_test(test_bytes_are_received_and_counted),
                stream_test(test_no_more_is_received_than_the_budget),
                stream_test(test_a_closed_connection_is_an_error),
                stream_test(test_no_call_waits_beyond_the_deadline),
                stream_test(test_a_deadline_in_the_past_allows_no_call),
                cmocka_unit_test(test_a_listening_port_is_connected_to),
                cmocka_unit_test(test_each_address_is_tried_for_its_share_of_the_time),
                cmocka_unit_test(test_a_name_without_an_address_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
