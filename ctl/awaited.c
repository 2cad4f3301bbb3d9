#include "ctl/awaited.h"

#include <errno.h>
#include <string.h>

int awaited_add(AwaitedList *list, const ClusterView *cluster)
{
        Awaited *items = reallocarray(list->items, list->n + 1, sizeof(*items));
        char **names;

        if (!items)
                return -ENOMEM;
        list->items = items;
        names = reallocarray(list->names, list->n + 1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        list->names = names;
        names[list->n] = strdup(cluster->name);
        if (!names[list->n])
                return -ENOMEM;
        items[list->n++] = (Awaited){0};
        return 0;
}

void awaited_done(AwaitedList *list)
{
        for (size_t i = 0; i < list->n; i++)
                free(list->names[i]);
        free(list->names);
        free(list->items);
        *list = (AwaitedList){0};
}

/* A daemon that just came back has not looked at the files yet: then waiting is no end. */
static bool has_ended(const AwaitedList *list, const ClusterView *cluster)
{
        if (cluster->state == CLUSTER_IMPORTING)
                return false;
        if (list->restarted)
                return cluster->state != CLUSTER_WAITING;
        return cluster->last_attempt_usec >= list->asked_usec;
}

size_t awaited_look(AwaitedList *list, const View *view)
{
        list->n_open = 0;
        for (size_t i = 0; i < list->n; i++) {
                const ClusterView *cluster = view_cluster(view, list->names[i]);

                list->items[i].done = !cluster || has_ended(list, cluster);
                list->n_open += !list->items[i].done;
        }
        return list->n_open;
}

bool awaited_has(const AwaitedList *list, const char *name)
{
        for (size_t i = 0; i < list->n; i++)
                if (strcmp(list->names[i], name) == 0)
                        return true;
        return false;
}

const char *awaited_first_open(const AwaitedList *list)
{
        for (size_t i = 0; i < list->n; i++)
                if (!list->items[i].done)
                        return list->names[i];
        return "";
}

size_t awaited_current(const AwaitedList *list, const View *view)
{
        size_t n = 0;

        for (size_t i = 0; i < list->n; i++) {
                const ClusterView *cluster = view_cluster(view, list->names[i]);

                n += list->items[i].done && cluster && cluster->state == CLUSTER_CURRENT &&
                        !view_import_failed(cluster);
        }
        return n;
}
