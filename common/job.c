#include "common/job.h"

#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/text.h"

#define JOB_ALARM_GRACE_SEC 5
#define JOB_KILL_WAIT_USEC  USEC_PER_SEC

/* Several times what a child needs. A peer can make a library allocate memory, and the manager
 * shares the memory limit of the unit. */
#define JOB_DATA_MAX (128U * 1024 * 1024)

/* The shadow memory of the sanitizer is larger than any limit. */
#ifdef __has_feature
#define JOB_IS_SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define JOB_IS_SANITIZED 1
#else
#define JOB_IS_SANITIZED 0
#endif

/* The datagram; the result is aligned for any type. */
typedef struct Message {
        int error;
        _Alignas(max_align_t) char result[];
} Message;

struct Job {
        pid_t pid;
        int result_fd;
        size_t result_size;
        Message *message; /* until the end */
        int request_fd;   /* -1: the child asks nothing */
        size_t request_size;
        job_answer_fn answer;
        bool timed_out, stuck;
        bool ended;
        sd_event_source *child_source;
        sd_event_source *deadline_source;
        sd_event_source *request_source;
        job_end_fn fn;
        void *userdata;
};

static int compare_fd(const void *a, const void *b)
{
        return *(const int *)a - *(const int *)b;
}

/* Keeps stdin, stdout and stderr: a library's message before a crash goes to the journal. */
static void close_all_but(const int *keep, size_t n_keep, int result_fd, int request_fd)
{
        int open[JOB_KEEP_MAX + 2];
        unsigned next = 3;
        size_t n = 0;

        for (size_t i = 0; i < n_keep; i++)
                open[n++] = keep[i];
        open[n++] = result_fd;
        if (request_fd >= 0)
                open[n++] = request_fd;
        qsort(open, n, sizeof(*open), compare_fd);
        for (size_t i = 0; i < n; i++) {
                if (open[i] > (int)next)
                        (void)close_range(next, (unsigned)open[i] - 1, 0);
                if (open[i] >= (int)next)
                        next = (unsigned)open[i] + 1;
        }
        (void)close_range(next, ~0U, 0);
}

void job_reset_signals(void)
{
        sigset_t none;

        for (int number = 1; number < NSIG; number++)
                (void)signal(number, SIG_DFL);
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Only the soft limit: a program that the child starts may need more (common/command.c). */
static void limit_memory(void)
{
        struct rlimit data;

        if (JOB_IS_SANITIZED || getrlimit(RLIMIT_DATA, &data) < 0 || data.rlim_cur <= JOB_DATA_MAX)
                return;
        data.rlim_cur = JOB_DATA_MAX;
        (void)setrlimit(RLIMIT_DATA, &data);
}

/* Allocated before the fork: the child can tell that it has no memory, and the parent take a result
 * when it has none. One byte more shows that a datagram is too long. */
static Message *message_new(const JobSpec *spec)
{
        return calloc(1, sizeof(Message) + spec->result_size + 1);
}

_Noreturn static void child_main(
        const JobSpec *spec, pid_t manager, int result_fd, int request_fd, Message *message)
{
        static const struct rlimit no_core = {0, 0};
        ssize_t n;

        job_reset_signals();
        (void)signal(SIGPIPE, SIG_IGN);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != manager)
                _exit(1);
        (void)prctl(PR_SET_DUMPABLE, 0);
        (void)setrlimit(RLIMIT_CORE, &no_core);
        limit_memory();
        (void)prctl(PR_SET_NAME, spec->name);
        if (spec->deadline_usec != USEC_NEVER)
                (void)alarm((unsigned)(spec->deadline_usec / USEC_PER_SEC) + JOB_ALARM_GRACE_SEC);
        close_all_but(spec->keep, spec->n_keep, result_fd, request_fd);
        if (spec->link)
                spec->link->fd = request_fd;

        message->error = spec->run(message->result, spec->task);
        n = send(result_fd, message, sizeof(*message) + spec->result_size, MSG_NOSIGNAL);
        _exit(n < 0 ? 1 : 0);
}

static int on_request(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        Job *job = userdata;
        CLEANUP(freep) void *request = malloc(job->request_size + 1);
        int answer = -EBADMSG;
        ssize_t n = 0;

        if (request)
                n = recv(fd, request, job->request_size + 1, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
                return 0;
        if (n <= 0) /* the child has closed its end, or there is no memory */
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (n == (ssize_t)job->request_size)
                answer = job->answer(request, job->userdata);
        (void)send(fd, &answer, sizeof(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
        return 0;
}

static void end(Job *job, const siginfo_t *info)
{
        size_t size = sizeof(Message) + job->result_size;
        CLEANUP(freep) Message *message = TAKE(job->message);
        bool succeeded = info->si_code == CLD_EXITED && info->si_status == 0;
        ssize_t n;

        job->ended = true;
        job->child_source = sd_event_source_disable_unref(job->child_source);
        job->deadline_source = sd_event_source_disable_unref(job->deadline_source);
        job->request_source = sd_event_source_disable_unref(job->request_source);
        n = recv(job->result_fd, message, size + 1, MSG_DONTWAIT);
        /* The handler may free the job, which is not used after the call. */
        if (succeeded && n == (ssize_t)size) {
                if (message->error < 0)
                        job->fn(job, JOB_FAILED, -message->error, NULL, job->userdata);
                else
                        job->fn(job, JOB_DONE, 0, message->result, job->userdata);
        } else if (job->timed_out)
                job->fn(job, JOB_TIMED_OUT, 0, NULL, job->userdata);
        else
                job->fn(job, JOB_CRASHED, info->si_code == CLD_EXITED ? 0 : info->si_status, NULL,
                        job->userdata);
}

/* sd-event has reaped the child. */
static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
        if (userdata)
                end(userdata, info);
        else
                (void)sd_event_source_set_floating(source, false); /* of a job that is freed */
        return 0;
}

/* Before the end is known the child is not reaped, so its pid cannot be reused. */
void job_kill(Job *job)
{
        if (job->pid > 0 && !job->ended)
                (void)kill(job->pid, SIGKILL);
}

/* sd-event looks at the exit once: while a debugger traces the child that look finds nothing. */
static bool end_if_exited(Job *job)
{
        siginfo_t info = {0};

        if (waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
                return false;
        end(job, &info);
        return true;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
        Job *job = userdata;
        bool killed = job->timed_out, told = job->stuck;

        job->timed_out = true;
        job->stuck = killed;
        job_kill(job);
        if (told && end_if_exited(job))
                return 0;
        (void)sd_event_source_set_time_relative(source, JOB_STUCK_USEC);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        /* The handler may free the job, which is not used after the call. */
        if (killed && !told)
                job->fn(job, JOB_STUCK, 0, NULL, job->userdata);
        return 0;
}

static int make_sockets(Job *job, int *ret_result_fd, int *ret_request_fd, bool asks)
{
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        job->result_fd = pair[0];
        *ret_result_fd = pair[1];
        if (!asks)
                return 0;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        job->request_fd = pair[0];
        *ret_request_fd = pair[1];
        return 0;
}

static int add_sources(Job *job, sd_event *event, uint64_t deadline_usec)
{
        int r = sd_event_add_child(event, &job->child_source, job->pid, WEXITED, on_child, job);

        if (r >= 0 && deadline_usec != USEC_NEVER)
                r = sd_event_add_time_relative(event, &job->deadline_source, CLOCK_BOOTTIME,
                        deadline_usec, 0, on_deadline, job);
        if (r >= 0 && job->request_fd >= 0)
                r = sd_event_add_io(
                        event, &job->request_source, job->request_fd, EPOLLIN, on_request, job);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(job->child_source, "job-child");
        if (job->deadline_source)
                (void)sd_event_source_set_description(job->deadline_source, "job-deadline");
        if (job->request_source)
                (void)sd_event_source_set_description(job->request_source, "job-request");
        return 0;
}

void job_end_text(char *buffer, size_t size, JobResult result, int detail)
{
        if (result == JOB_FAILED)
                text_format(buffer, size, "failed: %s", strerror(detail));
        else if (detail > 0)
                text_format(buffer, size, "was terminated by signal %d", detail);
        else
                text_set(buffer, size, "exited");
}

int job_start(Job **ret, sd_event *event, const JobSpec *spec, job_end_fn fn, void *userdata)
{
        CLEANUP(job_freep) Job *job = calloc(1, sizeof(*job));
        CLEANUP(closep) int result_fd = -1;
        CLEANUP(closep) int request_fd = -1;
        pid_t manager = getpid();
        int r;

        if (!job)
                return -ENOMEM;
        *job = (Job){.result_fd = -1,
                .result_size = spec->result_size,
                .request_fd = -1,
                .request_size = spec->request_size,
                .answer = spec->answer,
                .fn = fn,
                .userdata = userdata};
        if (spec->result_size > JOB_RESULT_SIZE_MAX || spec->request_size > JOB_RESULT_SIZE_MAX)
                return -E2BIG;
        job->message = message_new(spec);
        if (!job->message)
                return -ENOMEM;
        r = make_sockets(job, &result_fd, &request_fd, spec->link);
        if (r < 0)
                return r;
        job->pid = fork();
        if (job->pid < 0) {
                job->pid = 0;
                return -errno;
        }
        if (job->pid == 0)
                child_main(spec, manager, result_fd, request_fd, job->message);
        r = add_sources(job, event, spec->deadline_usec);
        if (r < 0)
                return r;
        *ret = TAKE(job);
        return 0;
}

Job *job_free(Job *job)
{
        if (!job)
                return NULL;
        sd_event_source_disable_unref(job->request_source);
        sd_event_source_disable_unref(job->deadline_source);
        job_kill(job);
        if (job->ended)
                sd_event_source_disable_unref(job->child_source);
        else if (job->child_source) {
                (void)sd_event_source_set_userdata(job->child_source, NULL);
                (void)sd_event_source_set_floating(job->child_source, true);
                sd_event_source_unref(job->child_source);
        } else if (job->pid > 0) /* job_start() failed: the child has hardly begun */
                (void)waitpid(job->pid, NULL, 0);
        closep(&job->result_fd);
        closep(&job->request_fd);
        free(job->message);
        free(job);
        return NULL;
}

pid_t job_pid(const Job *job)
{
        return job->pid;
}

void job_reap(uint64_t limit_usec)
{
        uint64_t deadline = clock_boottime_usec() + limit_usec, left = limit_usec;
        sigset_t child;

        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        while (left > 0) {
                struct timespec timeout = {.tv_sec = (time_t)(left / USEC_PER_SEC),
                        .tv_nsec = (long)(left % USEC_PER_SEC) * 1000};
                pid_t pid;

                do
                        pid = waitpid(-1, NULL, WNOHANG);
                while (pid > 0);
                if (pid < 0)
                        return;
                (void)sigtimedwait(&child, NULL, &timeout);
                left = clock_left_usec(deadline);
        }
}

/* Returns 0 when there is a datagram, or the other end is closed; or the process has ended. */
static int wait_until_readable(int fd, uint64_t deadline_usec)
{
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int n;

        do
                n = poll(&poll_fd, 1, clock_poll_timeout(deadline_usec));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        return n == 0 ? -ETIMEDOUT : 0;
}

int job_ask(JobLink *link, const void *request, size_t size, uint64_t deadline_usec)
{
        int answer, r;

        if (link->fd < 0)
                return -EBADF;
        r = send(link->fd, request, size, MSG_NOSIGNAL) < 0 ? -ECONNRESET : 0;
        if (r == 0)
                r = wait_until_readable(link->fd, deadline_usec);
        if (r == 0 && recv(link->fd, &answer, sizeof(answer), 0) == sizeof(answer))
                return answer;
        (void)close(link->fd); /* an answer that comes late belongs to no further request */
        *link = JOB_LINK_NULL;
        return r == 0 ? -ECONNRESET : r;
}

/* Kills the child, and reaps it unless it waits in the kernel. */
static void end_child(pid_t pid)
{
        CLEANUP(closep) int pid_fd = pidfd_open(pid, 0);

        (void)kill(pid, SIGKILL);
        if (pid_fd >= 0)
                (void)wait_until_readable(pid_fd, clock_boottime_usec() + JOB_KILL_WAIT_USEC);
        (void)waitpid(pid, NULL, WNOHANG);
}

/* The child has sent its result before it exits. */
static int receive_result(
        void *ret, const JobSpec *spec, int fd, uint64_t deadline_usec, Message *message)
{
        size_t size = sizeof(Message) + spec->result_size;
        int r = wait_until_readable(fd, deadline_usec);

        if (r < 0)
                return r;
        if (recv(fd, message, size + 1, MSG_DONTWAIT) != (ssize_t)size)
                return -ECHILD;
        if (message->error < 0)
                return message->error;
        memcpy(ret, message->result, spec->result_size);
        return 0;
}

int job_run(void *ret, const JobSpec *spec)
{
        uint64_t deadline_usec = clock_boottime_usec() + spec->deadline_usec;
        CLEANUP(freep) Message *message = NULL;
        CLEANUP(closep) int result_fd = -1;
        pid_t parent = getpid(), pid;
        int pair[2], r;

        if (spec->result_size > JOB_RESULT_SIZE_MAX)
                return -E2BIG;
        message = message_new(spec);
        if (!message)
                return -ENOMEM;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        result_fd = pair[0];
        pid = fork();
        if (pid == 0)
                child_main(spec, parent, pair[1], -1, message);
        r = pid < 0 ? -errno : 0;
        (void)close(pair[1]);
        if (r == 0) {
                r = receive_result(ret, spec, result_fd, deadline_usec, message);
                end_child(pid);
        }
        return r;
}
