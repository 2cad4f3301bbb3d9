#include "daemon/model/sealed-set.h"

#include <errno.h>
#include <string.h>

int sealed_set_new(SealedSet **ret, const SetInfo *info, int payload_fd)
{
        SealedSet *set = malloc(sizeof(*set));

        if (!set) {
                closep(&payload_fd);
                return -ENOMEM;
        }
        *set = (SealedSet){.n_owners = 1, .info = *info, .payload_fd = payload_fd};
        *ret = set;
        return 0;
}

SealedSet *sealed_set_ref(SealedSet *set)
{
        if (set)
                set->n_owners++;
        return set;
}

SealedSet *sealed_set_unref(SealedSet *set)
{
        if (!set || --set->n_owners > 0)
                return NULL;
        closep(&set->payload_fd);
        free(set);
        return NULL;
}

const char *sealed_set_fingerprint(const SealedSet *set)
{
        return set ? set->info.fingerprint : "";
}

void kept_sets_done(KeptSets *kept)
{
        sealed_set_unref(kept->imported);
        sealed_set_unref(kept->former);
        *kept = KEPT_SETS_NULL;
}

void kept_sets_update(KeptSets *kept, const char *imported, const char *former, SealedSet *current,
        SealedSet *sent)
{
        SealedSet *const known[] = {kept->imported, kept->former, current, sent};
        KeptSets next = KEPT_SETS_NULL;

        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
                if (!known[i])
                        continue;
                if (strcmp(known[i]->info.fingerprint, imported) == 0)
                        next.imported = known[i];
                if (strcmp(known[i]->info.fingerprint, former) == 0)
                        next.former = known[i];
        }
        sealed_set_ref(next.imported);
        sealed_set_ref(next.former);
        kept_sets_done(kept);
        *kept = next;
}
