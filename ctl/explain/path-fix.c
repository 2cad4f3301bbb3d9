#include "ctl/explain/path-fix.h"

#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

const char *path_fix_user_name(char *buffer, size_t size, uid_t uid)
{
        const struct passwd *entry = getpwuid(uid);

        if (entry)
                text_set(buffer, size, entry->pw_name);
        else
                snprintf(buffer, size, "%u", uid);
        return buffer;
}

const char *path_fix_group_name(char *buffer, size_t size, gid_t gid)
{
        const struct group *entry = getgrgid(gid);

        if (entry)
                text_set(buffer, size, entry->gr_name);
        else
                snprintf(buffer, size, "%u", gid);
        return buffer;
}

/* Returns true if the caller sees another file under this path than the service did. */
static bool is_hidden(const PathHop *hop)
{
        struct stat st;

        if (lstat(hop->path, &st) < 0)
                return false;
        return hop->error == ENOENT ||
                (hop->error == 0 && (st.st_mode != hop->mode || st.st_uid != hop->uid));
}

void path_fix_reason(char *buffer, size_t size, const PathHop *hop, bool as_service)
{
        buffer[0] = '\0';
        if (as_service && is_hidden(hop))
                text_format(buffer, size,
                        "the unit's sandbox hides %s from the service (ProtectHome=, PrivateTmp= "
                        "or a similar setting); move the material, or make it visible to the unit "
                        "with BindReadOnlyPaths=",
                        hop->path);
        else if (hop->error == ENOENT)
                text_format(buffer, size, "there is no %s", hop->path);
        else if (hop->error != 0)
                text_format(buffer, size, "%s: %s", hop->path, strerror(hop->error));
        else if (hop->enter_error != 0)
                text_format(buffer, size, "the directory %s cannot be entered: %s", hop->path,
                        strerror(hop->enter_error));
        else if (hop->read_error != 0 && S_ISDIR(hop->mode))
                text_format(buffer, size,
                        "the directory %s cannot be watched, only polled: it may be entered but "
                        "not listed",
                        hop->path);
        else if (hop->read_error != 0)
                text_format(buffer, size, "the file %s cannot be read: %s", hop->path,
                        strerror(hop->read_error));
}

/* Returns true for a directory at the top level or below /home, which other services and users
 * need: its group must not change. */
static bool is_shared(const PathHop *hop)
{
        return strchr(hop->path + 1, '/') == NULL || strncmp(hop->path, "/home/", 6) == 0;
}

void path_fix_commands(char *first, char *second, size_t size, const PathHop *hop, gid_t gid)
{
        char path[2 * PATH_MAX], group[64];
        const char *bits = S_ISDIR(hop->mode) ? "rx" : "r";

        first[0] = second[0] = '\0';
        if (hop->error != 0 || (hop->enter_error != EACCES && hop->read_error != EACCES))
                return;
        (void)text_quote(path, sizeof(path), hop->path);
        path_fix_group_name(group, sizeof(group), gid);
        if (hop->gid == gid) {
                text_format(first, size, "chmod g+%s %s", bits, path);
                return;
        }
        text_format(second, size, "setfacl -m g:%s:%s %s", group, bits, path);
        if (is_shared(hop)) {
                text_set(first, size, second);
                second[0] = '\0';
        } else
                text_format(first, size, "chgrp %s %s && chmod g+%s %s", group, path, bits, path);
}
