#include "ctl/client/cluster-names.h"

#include <errno.h>
#include <stdlib.h>

#include "common/json-writer.h"
#include "ctl/client/error-message.h"

int cluster_names_format(
        char **ret, const char *socket, char *const *names, int n_names, bool force)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        int r;

        json_open_object(writer);
        if (n_names > 0)
                json_put_strings(writer, "clusters", names, n_names);
        if (force)
                json_put_boolean(writer, "force", true);
        json_close_object(writer);
        r = json_writer_finish(writer, ret);
        if (r == -EINVAL) {
                error_message("the name of a cluster must be valid UTF-8");
                return EXIT_FAILURE;
        }
        return r < 0 ? error_message_unreachable(socket, r) : EXIT_SUCCESS;
}
