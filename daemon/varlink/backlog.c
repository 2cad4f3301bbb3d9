#include "daemon/varlink/backlog.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/varlink.h"

/* Referenced by the publication before it, or by the backlog if it is the last, and by each
 * position that has passed it. */
struct Publication {
        unsigned n_refs;
        Publication *next;
        uint64_t end; /* bytes of all messages up to and including this one */
        char *message;
        size_t size;
};

struct Backlog {
        Publication *last; /* at first without a message */
};

static Publication *publication_ref(Publication *publication)
{
        publication->n_refs++;
        return publication;
}

/* Not recursive: all publications may be freed at once. */
static void publication_unref(Publication *publication)
{
        while (publication && --publication->n_refs == 0) {
                Publication *next = publication->next;

                free(publication->message);
                free(publication);
                publication = next;
        }
}

int backlog_new(Backlog **ret)
{
        CLEANUP(backlog_freep) Backlog *backlog = calloc(1, sizeof(*backlog));

        if (!backlog)
                return -ENOMEM;
        backlog->last = calloc(1, sizeof(*backlog->last));
        if (!backlog->last)
                return -ENOMEM;
        backlog->last->n_refs = 1;
        *ret = TAKE(backlog);
        return 0;
}

Backlog *backlog_free(Backlog *backlog)
{
        if (!backlog)
                return NULL;
        publication_unref(backlog->last);
        free(backlog);
        return NULL;
}

int backlog_append(Backlog *backlog, const char *parameters)
{
        CLEANUP(freep) Publication *publication = calloc(1, sizeof(*publication));
        Publication *before = backlog->last;
        int r;

        if (!publication)
                return -ENOMEM;
        r = varlink_reply_format(&publication->message, &publication->size, parameters, NULL, true);
        if (r < 0)
                return r;
        publication->end = before->end + publication->size;
        before->next = publication_ref(publication);
        backlog->last = publication_ref(TAKE(publication));
        publication_unref(before);
        return 0;
}

void backlog_position_begin(BacklogPosition *ret, const Backlog *backlog)
{
        *ret = (BacklogPosition){.backlog = backlog, .passed = publication_ref(backlog->last)};
}

void backlog_position_done(BacklogPosition *position)
{
        publication_unref(position->passed);
        *position = BACKLOG_POSITION_NULL;
}

bool backlog_position_peek(const BacklogPosition *position, const char **ret, size_t *ret_size)
{
        const Publication *next = position->passed ? position->passed->next : NULL;

        if (!next)
                return false;
        *ret = next->message;
        *ret_size = next->size;
        return true;
}

void backlog_position_step(BacklogPosition *position)
{
        Publication *passed = position->passed;

        position->passed = publication_ref(passed->next);
        publication_unref(passed);
}

size_t backlog_position_unread(const BacklogPosition *position)
{
        return position->passed ? (size_t)(position->backlog->last->end - position->passed->end)
                                : 0;
}
