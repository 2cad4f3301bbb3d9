#include "common/command.h"

#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/job.h"
#include "common/macro.h"
#include "common/text.h"

typedef struct Child {
        pid_t pid;
        int pid_fd;
        int output_fd;
        int error_fd; /* receives the errno if the program cannot be started */
} Child;

/* The caller's signal handling and soft limit do not apply to the program. */
static void restore_defaults(void)
{
        struct rlimit data;

        job_reset_signals();
        if (getrlimit(RLIMIT_DATA, &data) == 0) {
                data.rlim_cur = data.rlim_max;
                (void)setrlimit(RLIMIT_DATA, &data);
        }
}

/* execv(2) closes all other descriptors; until then an error can be written to `error_fd`. */
static bool set_descriptors(int output_fd)
{
        int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        return null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 &&
                dup2(output_fd, STDOUT_FILENO) >= 0 &&
                close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

_Noreturn static void child_main(char *const *words, pid_t parent, int output_fd, int error_fd)
{
        int error;

        (void)setpgid(0, 0);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                _exit(1);
        restore_defaults();
        if (set_descriptors(output_fd))
                (void)execv(words[0], words);
        error = errno;
        _exit(write(error_fd, &error, sizeof(error)) < 0 ? 2 : 1);
}

static void child_done(Child *child)
{
        if (child->pid > 0) {
                (void)kill(-child->pid, SIGKILL);
                (void)kill(child->pid, SIGKILL);
                (void)waitpid(child->pid, NULL, 0);
        }
        closep(&child->pid_fd);
        closep(&child->output_fd);
        closep(&child->error_fd);
}

static int start(Child *child, char *const *words)
{
        CLEANUP(closep) int output_fd = -1, error_fd = -1;
        pid_t parent = getpid();
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        child->output_fd = ends[0];
        output_fd = ends[1];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        child->error_fd = ends[0];
        error_fd = ends[1];
        if (fcntl(child->output_fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        child->pid = fork();
        if (child->pid == 0)
                child_main(words, parent, output_fd, error_fd);
        if (child->pid < 0)
                return -errno;
        (void)setpgid(child->pid, child->pid); /* here as well, because the child may not run yet */
        child->pid_fd = pidfd_open(child->pid, 0);
        return child->pid_fd < 0 ? -errno : 0;
}

/* Reads what is available. Returns 1 if more may follow, 0 at the end, or a negative errno. */
static int read_output(Secret *output, int fd)
{
        for (;;) {
                ssize_t n = read(fd, output->data + output->size, output->capacity - output->size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? 1 : -errno;
                if (n == 0)
                        return output->size == output->capacity ? -EFBIG : 0;
                output->size += (size_t)n;
        }
}

/* Reads until the program exits, even if a process that it started keeps the pipe open.
 * -ETIMEDOUT: it still runs. -EFBIG: more output than COMMAND_OUTPUT_MAX. */
static int read_until_exit(const Child *child, Secret *output, uint64_t deadline_usec)
{
        struct pollfd polls[] = {
                {.fd = child->output_fd, .events = POLLIN},
                {.fd = child->pid_fd, .events = POLLIN},
        };

        for (;;) {
                int n = poll(polls, ARRAY_SIZE(polls), clock_poll_timeout(deadline_usec));
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n == 0)
                        return -ETIMEDOUT;
                r = n < 0 ? -errno : read_output(output, child->output_fd);
                if (r < 0)
                        return r;
                if (polls[1].revents != 0)
                        return 0;
                if (r == 0)
                        polls[0].fd = -1;
        }
}

/* Returns true if the program exited with 0. Does not reap it, so that the number of its group
 * cannot be reused before the group is killed. */
static bool check_exit(const Child *child, char *reason, size_t reason_size, const char *name)
{
        siginfo_t info = {0};
        int error;

        if (read(child->error_fd, &error, sizeof(error)) == sizeof(error))
                text_format(reason, reason_size, "%s cannot be started: %s", name, strerror(error));
        else if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT) < 0)
                text_format(reason, reason_size, "%s: %s", name, strerror(errno));
        else if (info.si_code != CLD_EXITED)
                text_format(reason, reason_size,
                        "%s was killed by signal %d (%s); its stderr is in the journal", name,
                        info.si_status, strsignal(info.si_status));
        else if (info.si_status != 0)
                text_format(reason, reason_size,
                        "%s exited with status %d; its stderr is in the journal", name,
                        info.si_status);
        else
                return true;
        return false;
}

bool command_run(
        Secret *ret, char *reason, size_t reason_size, char *const *words, uint64_t timeout_usec)
{
        CLEANUP(child_done) Child child = {.pid_fd = -1, .output_fd = -1, .error_fd = -1};
        CLEANUP(secret_done) Secret output = SECRET_NULL;
        uint64_t deadline_usec = clock_boottime_usec() + timeout_usec;
        const char *name = words[0];
        int r;

        /* One byte more than the limit, to detect that the output exceeds it. */
        r = secret_allocate(&output, COMMAND_OUTPUT_MAX + 1);
        if (r == 0)
                r = start(&child, words);
        if (r == 0)
                r = read_until_exit(&child, &output, deadline_usec);
        if (r == -ETIMEDOUT)
                text_format(reason, reason_size,
                        "%s did not end within %.1f s and was killed; its stderr is in the journal",
                        name, (double)timeout_usec / USEC_PER_SEC);
        else if (r == -EFBIG)
                text_format(reason, reason_size, "%s printed more than %d bytes and was killed",
                        name, COMMAND_OUTPUT_MAX);
        else if (r < 0)
                text_format(reason, reason_size, "%s cannot be run: %s", name, strerror(-r));
        else if (check_exit(&child, reason, reason_size, name)) {
                secret_done(ret);
                *ret = output;
                output = SECRET_NULL;
                return true;
        }
        return false;
}
