#include "daemon/importer.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "daemon/fault.h"
#include "daemon/procedure.h"

#define PASSWORD_LIMIT 4096

/* One line; an editor's line end behind it is not part of the password. */
static int read_password(Secret *ret, const ClusterConfig *cluster, char *path, size_t path_size)
{
        char directory[CONFIG_PATH_MAX];
        int r;

        if (cluster->password_file[0] != '\0')
                text_set(path, path_size, cluster->password_file);
        else {
                r = config_directory(directory, sizeof(directory), CONFIG_DIRECTORY_CREDENTIALS);
                if (r < 0)
                        return r;
                text_format(path, path_size, "%s/%s",
                        directory[0] != '\0' ? directory : "$CREDENTIALS_DIRECTORY",
                        cluster->password_credential);
                if (directory[0] == '\0')
                        return -ENOENT;
        }
        r = file_read(ret, AT_FDCWD, path, PASSWORD_LIMIT);
        if (r < 0)
                return r;
        if (ret->size > 0 && ret->data[ret->size - 1] == '\n')
                secret_truncate(ret, ret->size - 1);
        if (ret->size > 0 && ret->data[ret->size - 1] == '\r')
                secret_truncate(ret, ret->size - 1);
        if (ret->size == 0 || memchr(ret->data, '\0', ret->size))
                return -ENODATA;
        return 0;
}

uint64_t importer_deadline_usec(uint64_t start_usec, uint64_t timeout_usec)
{
        return start_usec + timeout_usec - timeout_usec / 10;
}

bool importer_log_in(Session **ret, Outcome *outcome, const ClusterConfig *cluster,
        uint64_t deadline_usec, Mask *password_mask)
{
        CLEANUP(secret_done) Secret password = SECRET_NULL;
        char plugins[CONFIG_PLUGINS_MAX];
        SessionTarget target = {
                .host = cluster->host,
                .port = cluster->port,
                .user = cluster->user,
                .server_ca = cluster->server_ca,
                .plugins = plugins,
                .deadline_usec = deadline_usec,
        };
        char path[CONFIG_PATH_MAX];
        SessionError error = {0};
        SessionFault fault;
        int r;

        config_list_plugins(cluster, plugins);
        r = read_password(&password, cluster, path, sizeof(path));
        if (r == 0)
                r = mask_set_text(password_mask, &password);
        if (r < 0) {
                outcome->kind = OUTCOME_AUTH;
                text_format(outcome->text, sizeof(outcome->text), "no password: %s: %s", path,
                        r == -ENODATA ? "empty or not text" : strerror(-r));
                return false;
        }
        fault = session_open(ret, &target, &password, &error);
        if (fault != SESSION_OK) {
                fault_take(outcome, fault, &error, false);
                return false;
        }
        text_set(outcome->server_version, sizeof(outcome->server_version),
                session_server_version(*ret));
        text_set(outcome->tls_version, sizeof(outcome->tls_version), session_tls_version(*ret));
        return true;
}

static void visit(Outcome *ret, const ImporterTask *task, const char *payload, size_t payload_size)
{
        CLEANUP(session_freep) Session *session = NULL;
        CLEANUP(mask_done) Mask password = MASK_NULL;
        uint64_t start_usec = clock_boottime_usec();
        ProcedureTask procedure = {
                .cluster = task->cluster,
                .newlines = task->newlines,
                .reconnect_only = task->errand == IMPORTER_RECONNECT,
                .forced = task->forced,
                .set = task->set,
                .payload = payload,
                .payload_size = payload_size,
                .deadline_usec = importer_deadline_usec(start_usec, task->timeout_usec),
        };

        if (importer_log_in(&session, ret, task->cluster, procedure.deadline_usec, &password)) {
                if (task->errand == IMPORTER_CHECK)
                        procedure_check(ret, session, task->cluster);
                else
                        procedure_run(ret, session, &procedure);
        }
        outcome_cover(ret, &password);
        ret->duration_usec = clock_boottime_usec() - start_usec;
}

int importer_run(Outcome *ret, const ImporterTask *task)
{
        CLEANUP(mask_done) Mask key = MASK_NULL;
        struct stat st;
        void *payload;
        int r;

        if (task->errand == IMPORTER_CHECK) {
                visit(ret, task, NULL, 0);
                return 0;
        }
        if (fstat(task->payload_fd, &st) < 0)
                return -errno;
        payload = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, task->payload_fd, 0);
        if (payload == MAP_FAILED)
                return -errno;
        (void)madvise(payload, (size_t)st.st_size, MADV_DONTDUMP);
        r = mask_set_pem(&key, payload, (size_t)st.st_size);
        if (r == 0) {
                visit(ret, task, payload, (size_t)st.st_size);
                outcome_cover(ret, &key);
        }
        (void)munmap(payload, (size_t)st.st_size);
        return r;
}
