#include "daemon/trail.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add_step(Trail *trail, const char *directory, const char *name, const struct stat *st)
{
        TrailStep *steps;

        if (trail->n_steps >= TRAIL_STEPS_MAX)
                return -E2BIG;
        for (size_t i = 0; i < trail->n_steps; i++)
                if (trail->steps[i].device == st->st_dev && trail->steps[i].inode == st->st_ino &&
                        strcmp(trail->steps[i].name, name) == 0)
                        return 0;
        steps = reallocarray(trail->steps, trail->n_steps + 1, sizeof(TrailStep));
        if (!steps)
                return -ENOMEM;
        trail->steps = steps;
        steps += trail->n_steps++;
        *steps = (TrailStep){.device = st->st_dev, .inode = st->st_ino};
        snprintf(steps->directory, sizeof(steps->directory), "%s", directory);
        snprintf(steps->name, sizeof(steps->name), "%s", name);
        return 0;
}

/* Cuts the first component off `rest`. False: there is none left, or it is too long. */
static bool next_component(char *name, size_t size, char *rest)
{
        char *start = rest + strspn(rest, "/");
        size_t length = strcspn(start, "/");

        if (length == 0 || length >= size)
                return false;
        memcpy(name, start, length);
        name[length] = '\0';
        memmove(rest, start + length, strlen(start + length) + 1);
        return true;
}

/* The link's target, then what was left of the path, becomes the path. */
static bool follow(char *directory, char *rest, const char *link)
{
        char target[PATH_MAX], joined[PATH_MAX];
        ssize_t length = readlink(link, target, sizeof(target) - 1);
        int n;

        if (length <= 0)
                return false;
        target[length] = '\0';
        n = snprintf(joined, sizeof(joined), "%s/%s", target, rest);
        if (n < 0 || (size_t)n >= sizeof(joined))
                return false;
        memcpy(rest, joined, (size_t)n + 1);
        if (target[0] == '/')
                directory[0] = '\0'; /* the root, written so that "/" and a name can follow */
        return true;
}

int trail_add(Trail *trail, const char *path)
{
        char directory[PATH_MAX] = "", rest[PATH_MAX], name[NAME_MAX + 1], full[PATH_MAX];
        unsigned links = 0;

        if (strlen(path) >= sizeof(rest))
                return 0;
        memcpy(rest, path, strlen(path) + 1);
        while (next_component(name, sizeof(name), rest)) {
                struct stat place, st;
                int n, r;

                if (strcmp(name, ".") == 0)
                        continue;
                if (stat(directory[0] != '\0' ? directory : "/", &place) < 0)
                        return 0;
                r = add_step(trail, directory[0] != '\0' ? directory : "/", name, &place);
                if (r < 0)
                        return r;
                n = snprintf(full, sizeof(full), "%s/%s", directory, name);
                if (n < 0 || (size_t)n >= sizeof(full) || lstat(full, &st) < 0)
                        return 0;
                if (S_ISLNK(st.st_mode)) {
                        if (++links > TRAIL_LINKS_MAX || !follow(directory, rest, full))
                                return 0;
                } else
                        memcpy(directory, full, (size_t)n + 1);
        }
        return 0;
}

void trail_done(Trail *trail)
{
        free(trail->steps);
        *trail = TRAIL_NULL;
}
