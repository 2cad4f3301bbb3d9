#include "daemon/watch.h"

#include <sys/inotify.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

/* inotify(7); IN_ATTRIB because install(1) and chown come after the close, IN_CREATE because a
 * hard link raises nothing else (notes/rotation.md, 2). */
#define WATCH_MASK                                                                          \
        (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | \
                IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define WATCH_ALWAYS (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW)

typedef struct Directory {
        Watch *watch;
        uint64_t device, inode;
        sd_event_source *source;
        bool dead;   /* the kernel dropped the watch; the source will never speak again */
        bool wanted; /* while rebuilding */
} Directory;

struct Watch {
        sd_event *event;
        watch_fn fn;
        void *userdata;
        Trail trail;
        Directory **directories;
        size_t n_directories;
        char description[256];
};

static bool is_on_trail(const Directory *directory, const char *name)
{
        const Trail *trail = &directory->watch->trail;

        for (size_t i = 0; i < trail->n_steps; i++)
                if (trail->steps[i].device == directory->device &&
                        trail->steps[i].inode == directory->inode &&
                        strcmp(trail->steps[i].name, name) == 0)
                        return true;
        return false;
}

static int on_inotify(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
        Directory *directory = userdata;

        (void)source;
        if (event->mask & (IN_IGNORED | IN_UNMOUNT))
                directory->dead = true;
        if ((event->mask & WATCH_ALWAYS) || event->len == 0 || is_on_trail(directory, event->name))
                directory->watch->fn(directory->watch->userdata);
        return 0;
}

static Directory *directory_free(Directory *directory)
{
        sd_event_source_disable_unref(directory->source);
        free(directory);
        return NULL;
}

static Directory *find(const Watch *watch, const TrailStep *step)
{
        for (size_t i = 0; i < watch->n_directories; i++)
                if (watch->directories[i]->device == step->device &&
                        watch->directories[i]->inode == step->inode)
                        return watch->directories[i];
        return NULL;
}

static int add(Watch *watch, const TrailStep *step)
{
        Directory **directories =
                reallocarray(watch->directories, watch->n_directories + 1, sizeof(Directory *));
        Directory *directory;
        int r;

        if (!directories)
                return -ENOMEM;
        watch->directories = directories;
        directory = calloc(1, sizeof(*directory));
        if (!directory)
                return -ENOMEM;
        *directory = (Directory){
                .watch = watch, .device = step->device, .inode = step->inode, .wanted = true};
        r = sd_event_add_inotify(watch->event, &directory->source, step->directory, WATCH_MASK,
                on_inotify, directory);
        if (r < 0) {
                free(directory);
                return r;
        }
        (void)sd_event_source_set_description(directory->source, "watch-directory");
        directories[watch->n_directories++] = directory;
        return 0;
}

int watch_new(Watch **ret, sd_event *event, watch_fn fn, void *userdata)
{
        Watch *watch = calloc(1, sizeof(*watch));

        if (!watch)
                return -ENOMEM;
        *watch = (Watch){.event = sd_event_ref(event), .fn = fn, .userdata = userdata};
        *ret = watch;
        return 0;
}

Watch *watch_free(Watch *watch)
{
        if (!watch)
                return NULL;
        for (size_t i = 0; i < watch->n_directories; i++)
                directory_free(watch->directories[i]);
        free(watch->directories);
        trail_done(&watch->trail);
        sd_event_unref(watch->event);
        free(watch);
        return NULL;
}

void watch_rebuild(Watch *watch, Trail *trail)
{
        size_t kept = 0;

        trail_done(&watch->trail);
        watch->trail = *trail;
        *trail = TRAIL_NULL;
        text_set(watch->description, sizeof(watch->description), "inotify");
        for (size_t i = 0; i < watch->n_directories; i++)
                watch->directories[i]->wanted = false;
        for (size_t i = 0; i < watch->trail.n_steps; i++) {
                Directory *directory = find(watch, &watch->trail.steps[i]);

                if (directory)
                        directory->wanted = true;
        }
        for (size_t i = 0; i < watch->n_directories; i++) {
                Directory *directory = watch->directories[i];

                if (directory->wanted && !directory->dead)
                        watch->directories[kept++] = directory;
                else
                        directory_free(directory);
        }
        watch->n_directories = kept;
        for (size_t i = 0; i < watch->trail.n_steps; i++) {
                const TrailStep *step = &watch->trail.steps[i];
                int r = find(watch, step) ? 0 : add(watch, step);

                if (r < 0 && strcmp(watch->description, "inotify") == 0)
                        text_format(watch->description, sizeof(watch->description), "poll (%s: %s)",
                                step->directory, strerror(-r));
        }
}

const char *watch_describe(const Watch *watch)
{
        return watch->description;
}
