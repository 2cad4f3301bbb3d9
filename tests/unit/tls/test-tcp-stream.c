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

#define LONG  (60 * USEC_PER_SEC)
#define SHORT (20 * USEC_PER_MSEC)

static TcpStream stream;
static int stranger_fd;

static int make(void **state)
{
        int pair[2];

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        stranger_fd = pair[1];
        stream = (TcpStream){
                .fd = pair[0], .deadline_usec = clock_boottime_usec() + LONG, .budget = 100};
        return 0;
}

static int drop(void **state)
{
        (void)state;
        if (stranger_fd >= 0)
                close(stranger_fd);
        tcp_stream_done(&stream);
        assert_int_equal(stream.fd, -1);
        return 0;
}

static void stranger_says(size_t size)
{
        char bytes[256];

        memset(bytes, 'x', sizeof(bytes));
        assert_int_equal(send(stranger_fd, bytes, size, 0), size);
}

static void test_what_came_is_taken(void **state)
{
        char buffer[50];

        (void)state;
        stranger_says(30);
        assert_int_equal(tcp_stream_receive(&stream, buffer, sizeof(buffer)), 30);
        assert_int_equal(stream.budget, 70);
        stranger_says(60);
        assert_int_equal(tcp_stream_receive(&stream, buffer, sizeof(buffer)), 50);
        assert_int_equal(stream.budget, 20);
}

static void test_no_more_is_taken_than_the_budget(void **state)
{
        uint8_t buffer[256];

        (void)state;
        stranger_says(200);
        assert_int_equal(tcp_stream_receive_all(&stream, buffer, 101), -EMSGSIZE);
        assert_int_equal(tcp_stream_receive(&stream, buffer, 1), -EMSGSIZE);
        assert_int_equal(recv(stream.fd, buffer, sizeof(buffer), 0), 100); /* all the rest */
}

static void test_an_end_is_not_an_answer(void **state)
{
        uint8_t buffer[8];

        (void)state;
        stranger_says(3);
        close(stranger_fd);
        stranger_fd = -1;
        assert_int_equal(tcp_stream_receive_all(&stream, buffer, 4), -ENODATA);
}

static void test_nobody_is_waited_for_beyond_the_deadline(void **state)
{
        static const uint8_t block[1 << 16];
        uint64_t begin_usec = clock_boottime_usec();
        uint8_t buffer[8];
        int r = 0;

        (void)state;
        stream.deadline_usec = begin_usec + SHORT;
        stranger_says(3);
        assert_int_equal(tcp_stream_receive_all(&stream, buffer, 4), -ETIMEDOUT);
        assert_true(clock_boottime_usec() >= begin_usec + SHORT);
        stream.deadline_usec = clock_boottime_usec() + SHORT;
        for (int i = 0; i < 1000 && r == 0; i++)
                r = tcp_stream_send_all(&stream, block, sizeof(block));
        assert_int_equal(r, -ETIMEDOUT);
}

static void test_a_deadline_that_has_passed_is_no_time_at_all(void **state)
{
        uint8_t buffer[8];

        (void)state;
        stream.deadline_usec = 1;
        stranger_says(8);
        assert_int_equal(tcp_stream_receive(&stream, buffer, sizeof(buffer)), -ETIMEDOUT);
        assert_int_equal(tcp_stream_send_all(&stream, buffer, sizeof(buffer)), -ETIMEDOUT);
}

/* A port of the loopback that is ours; nobody listens until told so. */
static int bind_port(unsigned *port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
        *port = ntohs(address.sin_port);
        return fd;
}

static void test_a_port_is_dialled(void **state)
{
        CLEANUP(tcp_stream_done) TcpStream caller = TCP_STREAM_NULL;
        char address[TCP_STREAM_ADDRESS_MAX] = "";
        unsigned port;
        CLEANUP(closep) int fd = bind_port(&port);

        (void)state;
        caller.deadline_usec = clock_boottime_usec() + LONG;
        assert_int_equal(tcp_stream_connect(&caller, "127.0.0.1", port, address), -ECONNREFUSED);
        assert_int_equal(caller.fd, -1);
        assert_string_equal(address, "");
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(tcp_stream_connect(&caller, "127.0.0.1", port, address), 0);
        assert_true(caller.fd >= 0);
        assert_string_equal(address, "127.0.0.1");
}

/* With a queue that is full: the kernel answers no further call. */
static int swallow_calls(unsigned port, int fd, int waiting[2])
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

static struct addrinfo *numeric(unsigned port)
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
        CLEANUP(tcp_stream_done) TcpStream caller = TCP_STREAM_NULL;
        char address[TCP_STREAM_ADDRESS_MAX] = "";
        unsigned ports[3];
        struct addrinfo *list[3];
        int fds[3], waiting[2];
        uint64_t begin_usec;

        (void)state;
        for (int i = 0; i < 3; i++) {
                fds[i] = bind_port(&ports[i]);
                list[i] = numeric(ports[i]);
                if (i > 0)
                        list[i - 1]->ai_next = list[i];
        }
        assert_int_equal(listen(fds[1], 0), 0);
        assert_int_equal(swallow_calls(ports[1], fds[1], waiting), 0);
        assert_int_equal(listen(fds[2], 1), 0);
        begin_usec = clock_boottime_usec();
        caller.deadline_usec = begin_usec + 2 * USEC_PER_SEC;
        assert_int_equal(tcp_stream_connect_each(&caller, list[0], address), 0);
        assert_true(
                clock_boottime_usec() - begin_usec > 900 * USEC_PER_MSEC); /* it was waited for */
        freeaddrinfo(list[0]);
        for (int i = 0; i < 3; i++)
                close(fds[i]);
        close(waiting[0]);
        close(waiting[1]);
}

static void test_a_name_that_leads_nowhere_is_not_dialled(void **state)
{
        char address[TCP_STREAM_ADDRESS_MAX] = "";
        TcpStream caller = TCP_STREAM_NULL;

        (void)state;
        caller.deadline_usec = clock_boottime_usec() + LONG;
        assert_int_equal(
                tcp_stream_connect(&caller, "300.0.0.1.invalid", 1, address), -EADDRNOTAVAIL);
        assert_int_equal(caller.fd, -1);
}

#define line_test(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
        const struct CMUnitTest tests[] = {
                line_test(test_what_came_is_taken),
                line_test(test_no_more_is_taken_than_the_budget),
                line_test(test_an_end_is_not_an_answer),
                line_test(test_nobody_is_waited_for_beyond_the_deadline),
                line_test(test_a_deadline_that_has_passed_is_no_time_at_all),
                cmocka_unit_test(test_a_port_is_dialled),
                cmocka_unit_test(test_each_address_is_tried_for_its_share_of_the_time),
                cmocka_unit_test(test_a_name_that_leads_nowhere_is_not_dialled),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
