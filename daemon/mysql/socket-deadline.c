#include "daemon/mysql/socket-deadline.h"

#include <sys/socket.h>

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "common/clock.h"

#define SOCKET_DEADLINE_SIGNAL SIGUSR1

static volatile sig_atomic_t socket_fd = -1;
static volatile sig_atomic_t expired;
static bool armed;
static timer_t timer;

static void on_signal(int number)
{
        int saved_errno = errno;

        expired = 1;
        if (socket_fd >= 0)
                (void)shutdown(socket_fd, SHUT_RDWR);
        errno = saved_errno;
}

int socket_deadline_set(int fd, uint64_t deadline_usec)
{
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        struct sigevent event = {
                .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SOCKET_DEADLINE_SIGNAL};
        struct itimerspec time = {
                .it_value = {.tv_sec = (time_t)(deadline_usec / USEC_PER_SEC),
                        .tv_nsec = (long)(deadline_usec % USEC_PER_SEC) * 1000 + 1},
        };

        socket_deadline_clear();
        if (sigaction(SOCKET_DEADLINE_SIGNAL, &action, NULL) < 0 ||
                timer_create(CLOCK_BOOTTIME, &event, &timer) < 0)
                return -errno;
        armed = true;
        expired = 0;
        socket_fd = fd;
        return timer_settime(timer, TIMER_ABSTIME, &time, NULL) < 0 ? -errno : 0;
}

void socket_deadline_clear(void)
{
        if (armed)
                (void)timer_delete(timer);
        armed = false;
        socket_fd = -1;
}

bool socket_deadline_expired(void)
{
        return expired;
}
