#include "daemon/importer.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/fault.h"
#include "daemon/password.h"
#include "daemon/procedure.h"

/* The server's error for a login with a wrong password, among other things. */
#define IMPORTER_ACCESS_DENIED 1045

/* A command may take half of what is left, so that something is left for the conversation. */
static bool read_password(Secret *ret, Outcome *outcome, const ClusterConfig *cluster,
        uint64_t deadline_usec, Mask *mask)
{
        uint64_t now_usec = clock_boottime_usec();
        uint64_t left_usec = deadline_usec > now_usec ? deadline_usec - now_usec : 0;
        char reason[OUTCOME_TEXT_MAX];

        if (password_read(ret, reason, sizeof(reason), cluster, left_usec / 2)) {
                if (mask_add_text(mask, ret) == 0)
                        return true;
                text_set(reason, sizeof(reason), strerror(ENOMEM));
        }
        outcome->kind = OUTCOME_AUTH;
        text_format(outcome->text, sizeof(outcome->text), "no password: %s", reason);
        text_set(outcome->next, sizeof(outcome->next),
                cluster->password_command[0] != '\0'
                        ? "run password-command by hand as the service's user"
                        : cluster->password_file[0] != '\0'
                        ? "let the service's user read password-file; it is one line"
                        : "hand the credential to the unit: LoadCredential= in a drop-in, as "
                          "examples/credentials.conf shows");
        return false;
}

/* A password that was changed while we came with the old one is another one by now, and a token has
 * its own end. A password that is the same would be refused the same, and be counted against the
 * account. */
static bool read_another(
        Secret *password, const ClusterConfig *cluster, uint64_t deadline_usec, Mask *mask)
{
        CLEANUP(secret_done) Secret again = SECRET_NULL;
        Outcome unused = {0};

        if (!read_password(&again, &unused, cluster, deadline_usec, mask) ||
                (cluster->password_command[0] == '\0' && secret_equal(&again, password)))
                return false;
        secret_done(password);
        *password = again;
        again = SECRET_NULL;
        return true;
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
        SessionError error = {0};
        SessionFault fault;

        config_list_plugins(cluster, plugins);
        if (!read_password(&password, outcome, cluster, deadline_usec, password_mask))
                return false;
        fault = session_open(ret, &target, &password, &error);
        if (fault == SESSION_AUTH && error.number == IMPORTER_ACCESS_DENIED &&
                read_another(&password, cluster, deadline_usec, password_mask))
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
