#include "daemon/watch/dirwatch.h"

#include <sys/epoll.h>
#include <sys/inotify.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

/* IN_ATTRIB because install(1) changes mode and owner after the close, IN_CREATE because a hard
 * link raises no other event (doc/rotation.md, "Event mask"). */
#define DIRWATCH_MASK                                                                       \
        (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | \
                IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define DIRWATCH_ALWAYS (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW)

typedef struct Directory {
        DirWatch *watch;
        uint64_t device, inode;
        sd_event_source *source;
        char **names; /* on a path; none: remove_unused() removes the watch */
        size_t n_names;
} Directory;

struct DirWatch {
        sd_event *event;
        Progress *progress;
        dirwatch_fn fn;
        void *userdata;
        sd_event_source *mounts_source;
        Directory **directories;
        size_t n_directories;
        bool complete;
        char description[256];
};

static bool has_name(const Directory *directory, const char *name)
{
        for (size_t i = 0; i < directory->n_names; i++)
                if (strcmp(directory->names[i], name) == 0)
                        return true;
        return false;
}

/* The file has an exceptional condition after every change (proc_pid_mountinfo(5)); waiting for the
 * condition clears it, and nothing has to be read. */
static int on_mounts(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        DirWatch *watch = userdata;

        watch->fn(DIRWATCH_MOUNTS_CHANGED, watch->userdata);
        return 0;
}

static void clear_names(Directory *directory)
{
        for (size_t i = 0; i < directory->n_names; i++)
                free(directory->names[i]);
        free(directory->names);
        directory->names = NULL;
        directory->n_names = 0;
}

static void clear_all(DirWatch *watch)
{
        for (size_t i = 0; i < watch->n_directories; i++)
                clear_names(watch->directories[i]);
}

static void directory_free(Directory *directory)
{
        sd_event_source_disable_unref(directory->source);
        clear_names(directory);
        free(directory);
}

static void remove_unused(DirWatch *watch)
{
        size_t kept = 0;

        for (size_t i = 0; i < watch->n_directories; i++) {
                Directory *directory = watch->directories[i];

                if (directory->n_names == 0)
                        directory_free(directory);
                else
                        watch->directories[kept++] = directory;
        }
        watch->n_directories = kept;
}

/* A watch that the kernel removed is removed here at once: until the next rebuild another directory
 * can get its device and inode number, and sd-event uses one watch for all sources of an inode
 * (doc/rotation.md, "sd-event"). After an overflow it is unknown which watches those are. */
static int on_inotify(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
        Directory *directory = userdata;
        DirWatch *watch = directory->watch;
        bool matches = (event->mask & DIRWATCH_ALWAYS) || event->len == 0 ||
                has_name(directory, event->name);

        if (event->mask & IN_Q_OVERFLOW)
                clear_all(watch);
        else if (event->mask & (IN_IGNORED | IN_UNMOUNT))
                clear_names(directory);
        remove_unused(watch);
        if (matches)
                watch->fn(DIRWATCH_NAME_CHANGED, watch->userdata);
        return 0;
}

static int add_name(Directory *directory, const char *name)
{
        if (!GROW(directory->names, directory->n_names))
                return -ENOMEM;
        directory->names[directory->n_names] = strdup(name);
        if (!directory->names[directory->n_names])
                return -ENOMEM;
        directory->n_names++;
        return 0;
}

static Directory *find_directory(const DirWatch *watch, const PathStep *step)
{
        for (size_t i = 0; i < watch->n_directories; i++)
                if (watch->directories[i]->device == step->device &&
                        watch->directories[i]->inode == step->inode)
                        return watch->directories[i];
        return NULL;
}

static int add_directory(DirWatch *watch, const PathStep *step)
{
        Directory *directory;
        int r;

        if (!GROW(watch->directories, watch->n_directories))
                return -ENOMEM;
        directory = calloc(1, sizeof(*directory));
        if (!directory)
                return -ENOMEM;
        *directory = (Directory){.watch = watch, .device = step->device, .inode = step->inode};
        r = sd_event_add_inotify_fd(watch->event, &directory->source, step->directory_fd,
                DIRWATCH_MASK, on_inotify, directory);
        if (r >= 0)
                r = add_name(directory, step->name);
        if (r < 0) {
                directory_free(directory);
                return r;
        }
        (void)sd_event_source_set_description(directory->source, "watch-directory");
        watch->directories[watch->n_directories++] = directory;
        return 0;
}

static int watch_mounts(DirWatch *watch)
{
        CLEANUP(closep) int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        int r;

        if (fd < 0)
                return -errno;
        r = sd_event_add_io(watch->event, &watch->mounts_source, fd, EPOLLPRI, on_mounts, watch);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(watch->mounts_source, "watch-mounts");
        r = sd_event_source_set_io_fd_own(watch->mounts_source, true);
        if (r >= 0)
                (void)TAKE_FD(fd);
        return r;
}

int dirwatch_new(
        DirWatch **ret, sd_event *event, Progress *progress, dirwatch_fn fn, void *userdata)
{
        CLEANUP(dirwatch_freep) DirWatch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return -ENOMEM;
        *watch = (DirWatch){
                .event = sd_event_ref(event), .progress = progress, .fn = fn, .userdata = userdata};
        r = watch_mounts(watch);
        if (r < 0)
                return r;
        *ret = TAKE(watch);
        return 0;
}

DirWatch *dirwatch_free(DirWatch *watch)
{
        if (!watch)
                return NULL;
        clear_all(watch);
        remove_unused(watch);
        free(watch->directories);
        sd_event_source_disable_unref(watch->mounts_source);
        sd_event_unref(watch->event);
        free(watch);
        return NULL;
}

void dirwatch_rebuild(DirWatch *watch, const PathWalk *walk)
{
        const char *place = walk->blocked;
        int error = walk->blocked_error;

        clear_all(watch);
        for (size_t i = 0; i < walk->n_steps; i++) {
                const PathStep *step = &walk->steps[i];
                Directory *directory = find_directory(watch, step);
                int r = directory ? add_name(directory, step->name) : add_directory(watch, step);

                progress_count(watch->progress);
                if (r < 0 && error == 0) {
                        place = step->directory;
                        error = -r;
                }
        }
        remove_unused(watch);
        watch->complete = error == 0;
        if (watch->complete)
                text_set(watch->description, sizeof(watch->description), "inotify");
        else if (error == EMFILE) /* inotify_init(2): one instance for each watch process */
                text_set(watch->description, sizeof(watch->description),
                        "poll (no inotify instance is left: fs.inotify.max_user_instances)");
        else
                text_format(watch->description, sizeof(watch->description), "poll (%s: %s)",
                        place ? place : "memory", strerror(error));
}

bool dirwatch_is_complete(const DirWatch *watch)
{
        return watch->complete;
}

const char *dirwatch_describe(const DirWatch *watch)
{
        return watch->description;
}
